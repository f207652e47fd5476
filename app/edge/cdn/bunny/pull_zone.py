"""Bunny: the settings of a pull zone, as `POST /pullzone/ID` takes them, and its edge rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..site_description import Plan, Rule

AS_THE_ORIGIN_SAYS = -1
OVERRIDE_CACHE_TIME = 3
IGNORE_QUERY_STRING = 11
_URL = 0
_ANY, _NONE = 0, 2


def pull_zone(plan: Plan) -> dict[str, Any]:
    """Return the settings that obey the origin: nothing is kept that it did not allow."""
    declared = sorted({name for rule in plan.rules if rule.shared for name in rule.query or ()})
    unknown = any(rule.shared and rule.query is None for rule in plan.rules)
    # Only what is listed varies a page; where a route's parameters are unknown, all of them do.
    vary = [] if unknown else declared
    return {
        "CacheControlMaxAgeOverride": AS_THE_ORIGIN_SAYS,
        "CacheControlPublicMaxAgeOverride": AS_THE_ORIGIN_SAYS,
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
        "OriginHostHeader": plan.site.authority,
        "FollowRedirects": False,
    }


def edge_rules(plan: Plan) -> list[dict[str, Any]]:
    """Return the rules: private routes are never kept."""
    return [_pass(plan, rule) for rule in plan.rules if not rule.shared]


def pull_zone_json(plan: Plan) -> str:
    """Return both as JSON."""
    return json.dumps({"settings": pull_zone(plan), "rules": edge_rules(plan)}, indent=2) + "\n"


def _pass(plan: Plan, rule: Rule) -> dict[str, Any]:
    base = f"*://{plan.site.host}"
    earlier = [
        f"{base}{other.wildcard}"
        for other in plan.rules[: plan.rules.index(rule)]
        if other.shared and other.covered_by(rule)
    ]
    triggers = [_when(f"{base}{rule.wildcard}", _ANY)]
    if earlier:
        triggers.append(_when(earlier, _NONE))
    return {
        "ActionType": OVERRIDE_CACHE_TIME,
        "ActionParameter1": "0",
        "TriggerMatchingType": 1,
        "Triggers": triggers,
        "Description": f"Broadsheet: {rule.rule} passes",
        "Enabled": True,
    }


def _when(patterns: str | list[str], matching: int) -> dict[str, Any]:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return {"Type": _URL, "PatternMatchingType": matching, "PatternMatches": listed}
