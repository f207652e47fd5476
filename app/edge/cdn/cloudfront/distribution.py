"""CloudFront: cache policies and behaviours in the format of its API.

The minimum TTL is 0, so that CloudFront obeys no-store. The default TTL is 0 too: CloudFront's own
default stores a response without a lifetime for a day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...name import NAME
from ...policy.cdn_headers import DIALECTS
from ...policy.policy import PolicyError

if TYPE_CHECKING:
    from ..site_description import RouteRule, SiteDescription

#: Managed policies of AWS: store nothing, and forward everything that the reader sent.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
MAX_BEHAVIOURS = 75
MAX_TTL = timedelta(days=365)
_ALL = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")


def distribution_config(description: SiteDescription) -> dict[str, Any]:
    """Return the policies to create and the distribution settings, in the format of the API."""
    queries = list(dict.fromkeys(rule.query_params for rule in description.rules if rule.is_shared))
    if () not in queries:
        queries.append(())
    behaviours = list(_behaviours(description))
    if len(behaviours) > MAX_BEHAVIOURS:
        raise PolicyError(
            f"{len(behaviours)} routes need a separate behaviour, but CloudFront accepts "
            f"{MAX_BEHAVIOURS}: give private routes a common prefix."
        )
    return {
        "CachePolicies": [
            {"CachePolicyConfig": _cache_policy(description, query)} for query in queries
        ],
        "OriginRequestPolicies": [{"OriginRequestPolicyConfig": _origin_request_policy()}],
        "DistributionConfig": {
            "CacheTagConfig": {"HeaderName": DIALECTS["cloudfront"].tags},
            "DefaultCacheBehavior": _behaviour_settings(()),
            "CacheBehaviors": {"Quantity": len(behaviours), "Items": behaviours},
            "CustomErrorResponses": _errors(),
        },
    }


def distribution_json(description: SiteDescription) -> str:
    """Return the same as JSON."""
    return json.dumps(distribution_config(description), indent=2) + "\n"


def _name(query: Sequence[str] | None) -> str:
    if query is None:
        return f"{NAME}-any-query"
    return "-".join((f"{NAME}-pages", *query))


def _quantity_list(items: Sequence[Any]) -> dict[str, Any]:
    return {"Quantity": len(items), "Items": list(items)}


def _headers(names: Sequence[str]) -> dict[str, Any]:
    """Store variants by these request fields, and forward the fields to the origin."""
    if not names:
        return {"HeaderBehavior": "none"}
    return {"HeaderBehavior": "whitelist", "Headers": _quantity_list(names)}


def _cache_policy(description: SiteDescription, query: tuple[str, ...] | None) -> dict[str, Any]:
    strings: dict[str, Any] = {"QueryStringBehavior": "all" if query is None else "none"}
    if query:
        strings = {"QueryStringBehavior": "whitelist", "QueryStrings": _quantity_list(query)}
    return {
        "Name": _name(query),
        "Comment": "The origin decides the TTL",
        "MinTTL": 0,
        "DefaultTTL": 0,
        "MaxTTL": int(MAX_TTL.total_seconds()),
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": True,
            "EnableAcceptEncodingBrotli": True,
            "HeadersConfig": _headers(description.vary),
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": strings,
        },
    }


def _origin_request_policy() -> dict[str, Any]:
    """Forward nothing beyond the cache key, so that nothing else can change a page."""
    return {
        "Name": f"{NAME}-pages",
        "Comment": "Forwards nothing of the reader",
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }


def _behaviours(description: SiteDescription) -> Iterator[dict[str, Any]]:
    """Yield a behaviour for each route for which the default or a private wildcard is wrong."""
    for index, rule in enumerate(description.rules):
        is_overridden = any(
            not o.is_shared and rule.is_covered_by(o) for o in description.rules[index:]
        )
        if is_overridden or rule.query_params != ():
            yield _behaviour(rule)


def _behaviour(rule: RouteRule) -> dict[str, Any]:
    if rule.is_shared:
        return {"PathPattern": rule.wildcard, **_behaviour_settings(rule.query_params)}
    return {
        "PathPattern": rule.wildcard,
        **_behaviour_settings(()),
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": ALL_VIEWER,
    }


def _behaviour_settings(query: tuple[str, ...] | None) -> dict[str, Any]:
    """Return a behaviour; replace an ID in angle brackets by that of the policy of this name."""
    return {
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {
            **_quantity_list(_ALL),
            "CachedMethods": _quantity_list(("GET", "HEAD")),
        },
        "Compress": False,
        "CachePolicyId": f"<{_name(query)}>",
        "OriginRequestPolicyId": f"<{NAME}-pages>",
    }


def _errors() -> dict[str, Any]:
    """Do not store errors; by default CloudFront stores them for ten seconds."""
    codes = (400, 403, 405, 414, 416, 500, 501, 502, 503, 504)
    return _quantity_list([{"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in codes])
