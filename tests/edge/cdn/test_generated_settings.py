"""Settings for Fastly, CloudFront and bunny: valid names, and correct treatment of each route."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

from app.edge.cdn.bunny import pull_zone
from app.edge.cdn.cloudfront import distribution
from app.edge.cdn.fastly import vcl_snippets
from app.edge.cdn.site_description import OriginServer, RouteRule, SiteDescription
from app.edge.policy.policy import PolicyError


def rule(path: str, *, is_shared: bool = True, query: tuple[str, ...] | None = ()) -> RouteRule:
    """A route that takes anything but a slash in its variable, or anything at all."""
    stars = re.sub("<[^>]*>", "*", path)
    pattern = "^" + path.replace("<name>", "[^/]+").replace("<path>", ".+") + "$"
    return RouteRule(
        url_rule=path,
        pattern=pattern,
        wildcard=stars,
        policy="ANY",
        is_shared=is_shared,
        query_params=query,
    )


PLAN = SiteDescription(
    site=OriginServer.of("https://example.org"),
    origins=(OriginServer.of("http://10.0.0.1"),),
    rules=(
        rule("/"),
        rule("/me", is_shared=False, query=None),
        rule("/search", query=("page", "q")),
        rule("/studio/login"),
        rule("/studio/<path>", is_shared=False, query=None),
        rule("/list/<name>", query=None),
        rule("/<name>"),
    ),
)
PRIVATE = {"/me": True, "/studio/a/b": True, "/studio/login": False, "/about": False, "/": False}


def route(path: str) -> str:
    """Return the class that the conditions of Fastly's first snippet give a path."""
    recv = vcl_snippets.vcl_snippets(PLAN)[0]["content"]
    for condition, body in re.findall(
        r"(?:else)?if \((req\.url\.path.*?)\) \{\n(.*?)\n\}", recv, re.DOTALL
    ):
        if any(re.search(pattern, path) for pattern in re.findall(r'~ "([^"]*)"', condition)):
            return str(body)
    return "unknown"


@pytest.mark.parametrize("path", PRIVATE)
def test_fastly_finds_the_route(path: str) -> None:
    """The first that matches is the right one."""
    assert ('"private"' in route(path)) is PRIVATE[path]


def test_fastly_keeps_the_parameters_that_are_read() -> None:
    """No parameters, the declared ones, or all if none are declared."""
    assert "set req.url = req.url.path;" in route("/")
    assert 'filter_except(req.url, "page" querystring.filtersep() "q")' in route("/search")
    assert "req.url =" not in route("/list/a")


def test_fastlys_snippets_are_what_its_api_takes() -> None:
    """A name, a place, a text whose brackets are closed, and nothing that sets a lifetime."""
    document = json.loads(vcl_snippets.snippets_json(PLAN))
    for snippet in document["snippets"]:
        assert snippet.keys() == {"name", "type", "dynamic", "priority", "content"}
        assert snippet["type"] in {"recv", "fetch", "error", "deliver"}
        bare = re.sub(r'"[^"\n]*"', "", snippet["content"])
        assert bare.count("{") == bare.count("}")
        assert bare.count("(") == bare.count(")")
        assert "beresp.ttl" not in snippet["content"]
    assert document["settings"]["general.default_ttl"] == 0


BEHAVIOUR = {
    "PathPattern": str, "ViewerProtocolPolicy": str, "Compress": bool, "CachePolicyId": str,
    "OriginRequestPolicyId": str, "AllowedMethods": {"Quantity": int, "Items": list,
    "CachedMethods": {"Quantity": int, "Items": list}},
}  # fmt: skip
CACHE_POLICY = {
    "Name": str, "Comment": str, "MinTTL": int, "DefaultTTL": int, "MaxTTL": int,
    "ParametersInCacheKeyAndForwardedToOrigin": {
        "EnableAcceptEncodingGzip": bool, "EnableAcceptEncodingBrotli": bool,
        "HeadersConfig": {
            "HeaderBehavior": {"none", "whitelist"}, "Headers": {"Quantity": int, "Items": list},
        },
        "CookiesConfig": {"CookieBehavior": {"none", "whitelist", "allExcept", "all"}},
        "QueryStringsConfig": {
            "QueryStringBehavior": {"none", "whitelist", "allExcept", "all"},
            "QueryStrings": {"Quantity": int, "Items": list},
        },
    },
}  # fmt: skip


def fits(value: Any, schema: Any) -> bool:
    """Return whether a value has the names, types and quantities of CloudFront's API."""
    if isinstance(schema, dict):
        has_right_quantity = "Quantity" not in value or value["Quantity"] == len(value["Items"])
        is_valid = value.keys() <= schema.keys() and has_right_quantity
        return is_valid and all(fits(each, schema[name]) for name, each in value.items())
    return value in schema if isinstance(schema, set) else isinstance(value, schema)


def test_cloudfronts_policies_are_what_its_api_takes() -> None:
    """Names as the reference has them; no lifetime but the origin's."""
    document = json.loads(distribution.distribution_json(PLAN))
    policies = [each["CachePolicyConfig"] for each in document["CachePolicies"]]
    assert all(fits(policy, CACHE_POLICY) for policy in policies)
    assert {(policy["MinTTL"], policy["DefaultTTL"]) for policy in policies} == {(0, 0)}
    config = document["DistributionConfig"]
    assert config["CacheTagConfig"] == {"HeaderName": "Cache-Tag"}
    for behaviour in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]["Items"]):
        assert fits(behaviour, BEHAVIOUR)
    policy_ids = {f"<{policy['Name']}>" for policy in policies}
    used = {b["CachePolicyId"] for b in config["CacheBehaviors"]["Items"]}
    assert used - {distribution.CACHING_DISABLED} <= policy_ids


def test_cloudfront_keeps_variants_apart_by_the_fields_of_edge_vary() -> None:
    """They are a part of the key, and reach the origin."""
    document = distribution.distribution_config(replace(PLAN, vary=("Accept-Language",)))
    for each in document["CachePolicies"]:
        policy = each["CachePolicyConfig"]
        assert fits(policy, CACHE_POLICY)
        headers = policy["ParametersInCacheKeyAndForwardedToOrigin"]["HeadersConfig"]
        assert headers["Headers"]["Items"] == ["Accept-Language"]


def behaviour(path: str) -> dict[str, Any]:
    """Return CloudFront's behaviour for a path: the first matching pattern, or the default."""
    config = distribution.distribution_config(PLAN)["DistributionConfig"]
    items: list[dict[str, Any]] = config["CacheBehaviors"]["Items"]
    default: dict[str, Any] = config["DefaultCacheBehavior"]
    return next((b for b in items if fnmatchcase(path, b["PathPattern"])), default)


@pytest.mark.parametrize("path", PRIVATE)
def test_cloudfront_passes_what_is_private(path: str) -> None:
    """With all that the reader sent, and nothing else of it."""
    settings = behaviour(path)
    assert (settings["CachePolicyId"] == distribution.CACHING_DISABLED) is PRIVATE[path]
    assert (settings["OriginRequestPolicyId"] == distribution.ALL_VIEWER) is PRIVATE[path]


def test_cloudfront_keeps_the_parameters_that_are_read() -> None:
    """A policy for each set of them."""
    assert behaviour("/search")["CachePolicyId"] == "<broadsheet-pages-page-q>"
    assert behaviour("/list/a")["CachePolicyId"] == "<broadsheet-any-query>"
    assert behaviour("/about")["CachePolicyId"] == "<broadsheet-pages>"


def test_cloudfront_takes_no_more_than_75_behaviours() -> None:
    """AWS would refuse the distribution."""
    many = tuple(rule(f"/{n}", is_shared=False) for n in range(76))
    with pytest.raises(PolicyError, match="accepts 75"):
        distribution.distribution_config(
            SiteDescription(site=PLAN.site, origins=PLAN.origins, rules=many)
        )


@pytest.mark.parametrize("path", PRIVATE)
def test_bunny_keeps_nothing_private(path: str) -> None:
    """A rule matches when one pattern of its first trigger does, and none of its second."""
    url = f"https://example.org{path}"
    matches = False
    for edge_rule in pull_zone.edge_rules(PLAN):
        assert edge_rule["TriggerMatchingType"] == 1
        hits = [
            any(fnmatchcase(url, pattern) for pattern in trigger["PatternMatches"])
            is (trigger["PatternMatchingType"] == 0)
            for trigger in edge_rule["Triggers"]
        ]
        matches = matches or all(hits)
    assert matches is PRIVATE[path]


def test_bunny_obeys_the_origin() -> None:
    """The API's value for that is -1; nothing is served stale without permission of the origin."""
    settings = json.loads(pull_zone.pull_zone_json(PLAN))["settings"]
    assert (
        settings["CacheControlMaxAgeOverride"] == settings["CacheControlPublicMaxAgeOverride"] == -1
    )
    for name in ("EnableSmartCache", "CacheErrorResponses", "UseStaleWhileOffline"):
        assert settings[name] is False


@pytest.mark.parametrize(
    ("queries", "ignored", "vary"),
    [([()], True, []), ([("q",), ("a", "q")], False, ["a", "q"]), ([("q",), None], False, [])],
    ids=["none", "declared", "unknown"],
)
def test_bunny_varies_by_the_parameters_that_are_read(
    queries: list[tuple[str, ...] | None],
    ignored: bool,
    vary: list[str],
) -> None:
    """All of them where a route's are unknown."""
    rules = tuple(rule(f"/{n}", query=query) for n, query in enumerate(queries))
    settings = pull_zone.pull_zone_settings(
        SiteDescription(site=PLAN.site, origins=PLAN.origins, rules=rules)
    )
    assert (settings["IgnoreQueryStrings"], settings["QueryStringVaryParameters"]) == (
        ignored,
        vary,
    )
