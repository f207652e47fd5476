"""bunny.net: the edge rules and settings of a pull zone, as `POST /pullzone/ID` accepts them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...name import TITLE

if TYPE_CHECKING:
    from ..site_description import RouteRule, SiteDescription

RESPECT_ORIGIN = -1
OVERRIDE_CACHE_TIME = 3
IGNORE_QUERY_STRING = 11
_URL = 0
_ANY, _NONE = 0, 2


def pull_zone_settings(description: SiteDescription) -> dict[str, Any]:
    """Return settings that obey the origin: bunny stores only what the origin allows."""
    declared = sorted(
        {name for rule in description.rules if rule.is_shared for name in rule.query_params or ()}
    )
    unknown = any(rule.is_shared and rule.query_params is None for rule in description.rules)
    # Only listed parameters are part of the cache key; if a route's are unknown, all of them are.
    vary = [] if unknown else declared
    return {
        "CacheControlMaxAgeOverride": RESPECT_ORIGIN,
        "CacheControlPublicMaxAgeOverride": RESPECT_ORIGIN,
        "EnableSmartCache": False,
        "CacheErrorResponses": False,
        "IgnoreQueryStrings": not (declared or unknown),
        "EnableQueryStringOrdering": True,
        "QueryStringVaryParameters": vary,
        "EnableCookieVary": False,
        "EnableHostnameVary": False,
        "DisableCookies": False,
        "UseStaleWhileUpdating": False,
        "UseStaleWhileOffline": False,
        "AddHostHeader": True,
        "OriginHostHeader": description.site.authority,
        "FollowRedirects": False,
    }


def edge_rules(description: SiteDescription) -> list[dict[str, Any]]:
    """Return the edge rules, which prevent the storing of private routes."""
    return [_bypass_rule(description, rule) for rule in description.rules if not rule.is_shared]


def pull_zone_json(description: SiteDescription) -> str:
    """Return both as JSON."""
    return (
        json.dumps(
            {"settings": pull_zone_settings(description), "rules": edge_rules(description)},
            indent=2,
        )
        + "\n"
    )


def _bypass_rule(description: SiteDescription, rule: RouteRule) -> dict[str, Any]:
    base = f"*://{description.site.host}"
    earlier = [
        f"{base}{other.wildcard}"
        for other in description.rules[: description.rules.index(rule)]
        if other.is_shared and other.is_covered_by(rule)
    ]
    triggers = [_trigger(f"{base}{rule.wildcard}", _ANY)]
    if earlier:
        triggers.append(_trigger(earlier, _NONE))
    return {
        "ActionType": OVERRIDE_CACHE_TIME,
        "ActionParameter1": "0",
        "TriggerMatchingType": 1,
        "Triggers": triggers,
        "Description": f"{TITLE}: {rule.url_rule} passes",
        "Enabled": True,
    }


def _trigger(patterns: str | list[str], matching: int) -> dict[str, Any]:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return {"Type": _URL, "PatternMatchingType": matching, "PatternMatches": listed}
