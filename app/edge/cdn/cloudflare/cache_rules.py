"""Cloudflare: the Cache Rules of a zone, as the Rulesets API takes them and as Terraform.

| rule | for | what it says |
|---|---|---|
| `broadsheet_pages` | the whole host | eligible, as the origin says, without the query string |
| `broadsheet_queries` | routes that read parameters | as above, and they count, in any order |
| `broadsheet_private` | routes that are private | bypass |

A later rule outranks an earlier one. None says how long: `bypass_by_default` keeps nothing of
which the origin said nothing, and an Edge TTL of the rule's own would also keep what sets cookies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias

from ...policy.policy import PolicyError

if TYPE_CHECKING:
    from ..site_description import Plan, Rule

PHASE = "http_request_cache_settings"
REF = "broadsheet_"
LONGEST = 4096
"""Characters that an expression may have."""

CacheRule: TypeAlias = dict[str, Any]
_PATH = "http.request.uri.path"
_ELIGIBLE: Mapping[str, Any] = {
    "cache": True,
    "edge_ttl": {"mode": "bypass_by_default"},
    "browser_ttl": {"mode": "respect_origin"},
    "serve_stale": {"disable_stale_while_updating": False},
    "respect_strong_etags": True,
}


def cache_rules(plan: Plan, *, enterprise: bool = False) -> list[CacheRule]:
    """Return the rules in their order; on Enterprise undeclared parameters don't count at all."""
    rules = [_pages(plan), *_queries(plan, enterprise=enterprise), *_private(plan)]
    for rule in rules:
        if len(rule["expression"]) > LONGEST:
            raise PolicyError(
                f"The rule {rule['ref']} would be longer than the {LONGEST} characters that "
                "Cloudflare takes: give routes of one kind a common beginning."
            )
    return rules


def ruleset_json(plan: Plan, *, enterprise: bool = False) -> str:
    """Return what `PUT …/rulesets/phases/http_request_cache_settings/entrypoint` takes.

    It replaces all rules of the zone's phase; `--apply` keeps those of others.
    """
    return json.dumps({"rules": cache_rules(plan, enterprise=enterprise)}, indent=2) + "\n"


def _rule(name: str, about: str, expression: str, settings: Mapping[str, Any]) -> CacheRule:
    return {
        "ref": f"{REF}{name}",
        "description": f"Broadsheet: {about}",
        "expression": expression,
        "action": "set_cache_settings",
        "action_parameters": dict(settings),
        "enabled": True,
    }


def _pages(plan: Plan) -> CacheRule:
    asked = [rule for rule in plan.rules if rule.shared and rule.query != ()]
    expression = _on_host(plan, f"not {_any_of(asked)}" if asked else "")
    key = {"custom_key": {"query_string": {"exclude": {"all": True}}}}
    about = "pages are kept as the origin says, whatever their query string"
    return _rule("pages", about, expression, {**_ELIGIBLE, **_varying(plan), "cache_key": key})


def _varying(plan: Plan) -> dict[str, Any]:
    """Keep variants apart by the fields of EDGE_VARY; what varies on any other is not cached."""
    if not plan.vary:
        return {}
    headers = {name.lower(): {"action": "passthrough"} for name in plan.vary}
    return {"vary": {"default": {"action": "bypass"}, "headers": headers}}


def _queries(plan: Plan, *, enterprise: bool) -> Iterator[CacheRule]:
    asked = [rule for rule in plan.rules if rule.shared and rule.query != ()]
    if not enterprise:
        groups: list[tuple[tuple[str, ...] | None, list[Rule]]] = [(None, asked)] if asked else []
    else:
        asked.sort(key=lambda rule: rule.query or ())
        groups = [(query, list(alike)) for query, alike in groupby(asked, lambda r: r.query)]
    for number, (query, alike) in enumerate(groups, start=1):
        key: dict[str, Any] = {"ignore_query_strings_order": True}
        if query:
            key["custom_key"] = {"query_string": {"include": {"list": list(query)}}}
        name = "queries" if number == 1 else f"queries_{number}"
        about = f"what reads {', '.join(query)}" if query else "what reads parameters"
        expression = _on_host(plan, _any_of(alike))
        yield _rule(name, about, expression, {**_ELIGIBLE, **_varying(plan), "cache_key": key})


def _private(plan: Plan) -> Iterator[CacheRule]:
    said = []
    for place, rule in enumerate(plan.rules):
        if rule.shared:
            continue
        # A star may match what a more particular route has made public.
        earlier = [o for o in plan.rules[:place] if o.shared and o.covered_by(rule)]
        but = f" and not {_any_of(earlier)}" if earlier else ""
        said.append(f"({_any_of([rule])}{but})" if but else _any_of([rule]))
    if said:
        about = "what is one reader's own, or never kept, passes"
        expression = _on_host(plan, f"({' or '.join(said)})" if len(said) > 1 else said[0])
        yield _rule("private", about, expression, {"cache": False})


def _on_host(plan: Plan, more: str) -> str:
    host = f'http.host eq "{plan.site.host.lower()}"'
    return f"({host} and {more})" if more else f"({host})"


def _any_of(rules: Iterable[Rule]) -> str:
    """Match any of these paths, by name or with stars: expressions need a larger plan."""
    wildcards = dict.fromkeys(rule.wildcard for rule in rules)
    fixed = [_quoted(path) for path in wildcards if "*" not in path]
    tests = [f"{_PATH} in {{{' '.join(fixed)}}}"] if fixed else []
    tests += [f"{_PATH} wildcard {_quoted(path)}" for path in wildcards if "*" in path]
    return f"({' or '.join(tests)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
