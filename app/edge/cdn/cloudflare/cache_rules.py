"""Cloudflare: the Cache Rules of a zone in the format of the Rulesets API.

| rule | for | effect |
|---|---|---|
| `NAME_pages` | the whole host | eligible, TTL from the origin, key without query string |
| `NAME_queries` | declared parameters in the query | as above, but the key has parameters |
| `NAME_private` | routes that are private | bypass |

A later rule takes precedence over an earlier one. No rule sets a TTL: with `bypass_by_default`
Cloudflare does not store a response for which the origin sets no lifetime, and a rule with its own
Edge TTL would also store responses that set cookies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote_plus

from ...name import IDENTIFIER, TITLE
from ...policy.policy import PolicyError

if TYPE_CHECKING:
    from ..site_description import RouteRule, SiteDescription

PHASE = "http_request_cache_settings"
REF_PREFIX = f"{IDENTIFIER}_"
MAX_EXPRESSION_LENGTH = 4096
"""Maximum number of characters of an expression."""

CacheRule: TypeAlias = dict[str, Any]
_PATH = "http.request.uri.path"
_QUERY = "http.request.uri.query"
_ELIGIBLE: Mapping[str, Any] = {
    "cache": True,
    "edge_ttl": {"mode": "bypass_by_default"},
    "browser_ttl": {"mode": "respect_origin"},
    "serve_stale": {"disable_stale_while_updating": False},
    "respect_strong_etags": True,
}


def cache_rules(description: SiteDescription, *, enterprise: bool = False) -> list[CacheRule]:
    """Return the rules in order; on Enterprise, undeclared parameters are not part of the key."""
    rules = [
        _page_rule(description),
        *_query_rules(description, enterprise=enterprise),
        *_private_rule(description),
    ]
    for rule in rules:
        if len(rule["expression"]) > MAX_EXPRESSION_LENGTH:
            raise PolicyError(
                f"The rule {rule['ref']} is longer than the {MAX_EXPRESSION_LENGTH} "
                "characters that Cloudflare accepts: give routes of one kind a common prefix."
            )
    return rules


def ruleset_json(description: SiteDescription, *, enterprise: bool = False) -> str:
    """Return the body of `PUT …/rulesets/phases/http_request_cache_settings/entrypoint`.

    That call replaces all rules of the zone's cache phase; `--apply` keeps other rules.
    """
    return json.dumps({"rules": cache_rules(description, enterprise=enterprise)}, indent=2) + "\n"


def _rule(name: str, about: str, expression: str, settings: Mapping[str, Any]) -> CacheRule:
    return {
        "ref": f"{REF_PREFIX}{name}",
        "description": f"{TITLE}: {about}",
        "expression": expression,
        "action": "set_cache_settings",
        "action_parameters": dict(settings),
        "enabled": True,
    }


def _page_rule(description: SiteDescription) -> CacheRule:
    query_rules = [rule for rule in description.rules if rule.is_shared and rule.query_params != ()]
    expression = _on_host(description, f"not {_match_queries(query_rules)}" if query_rules else "")
    key = {"custom_key": {"query_string": {"exclude": {"all": True}}}}
    about = "pages are stored as the origin says; the query string is ignored"
    return _rule(
        "pages", about, expression, {**_ELIGIBLE, **_varying(description), "cache_key": key}
    )


def _varying(description: SiteDescription) -> dict[str, Any]:
    """Store variants by the fields of EDGE_VARY; pages that vary on other fields bypass."""
    if not description.vary:
        return {}
    headers = {name.lower(): {"action": "passthrough"} for name in description.vary}
    return {"vary": {"default": {"action": "bypass"}, "headers": headers}}


def _query_rules(description: SiteDescription, *, enterprise: bool) -> Iterator[CacheRule]:
    query_rules = [rule for rule in description.rules if rule.is_shared and rule.query_params != ()]
    if not enterprise:
        groups: list[tuple[tuple[str, ...] | None, list[RouteRule]]] = (
            [(None, query_rules)] if query_rules else []
        )
    else:
        query_rules.sort(key=lambda rule: rule.query_params or ())
        groups = [
            (query, list(rules)) for query, rules in groupby(query_rules, lambda r: r.query_params)
        ]
    for number, (query, rules) in enumerate(groups, start=1):
        key: dict[str, Any] = {"ignore_query_strings_order": True}
        if query:
            key["custom_key"] = {"query_string": {"include": {"list": list(query)}}}
        name = "queries" if number == 1 else f"queries_{number}"
        about = f"routes that read {', '.join(query)}" if query else "routes that read parameters"
        expression = _on_host(description, _match_queries(rules))
        yield _rule(
            name, about, expression, {**_ELIGIBLE, **_varying(description), "cache_key": key}
        )


def _private_rule(description: SiteDescription) -> Iterator[CacheRule]:
    conditions = []
    for index, rule in enumerate(description.rules):
        if rule.is_shared:
            continue
        # A wildcard may match a path of a more specific public route.
        earlier = [o for o in description.rules[:index] if o.is_shared and o.is_covered_by(rule)]
        exception = f" and not {_match_any_path(earlier)}" if earlier else ""
        conditions.append(
            f"({_match_any_path([rule])}{exception})" if exception else _match_any_path([rule])
        )
    if conditions:
        about = "private routes and routes that are never stored bypass the cache"
        expression = _on_host(
            description, f"({' or '.join(conditions)})" if len(conditions) > 1 else conditions[0]
        )
        yield _rule("private", about, expression, {"cache": False})


def _on_host(description: SiteDescription, condition: str) -> str:
    host = f'http.host eq "{description.site.host.lower()}"'
    return f"({host} and {condition})" if condition else f"({host})"


def _match_any_path(rules: Iterable[RouteRule]) -> str:
    """Match any of these paths, by name or wildcard: regular expressions need a larger plan."""
    wildcards = dict.fromkeys(rule.wildcard for rule in rules)
    fixed = [_quoted(path) for path in wildcards if "*" not in path]
    tests = [f"{_PATH} in {{{' '.join(fixed)}}}"] if fixed else []
    tests += [f"{_PATH} wildcard {_quoted(path)}" for path in wildcards if "*" in path]
    return f"({' or '.join(tests)})"


def _match_queries(rules: Iterable[RouteRule]) -> str:
    """Match a request with a parameter that its route declares.

    Other parameters, such as trackers, get the page that is stored without a query.
    """
    by_names: dict[tuple[str, ...] | None, list[RouteRule]] = {}
    for rule in rules:
        by_names.setdefault(rule.query_params, []).append(rule)
    tests = [
        _match_any_path(group) + (f" and {_match_parameters(names)}" if names else "")
        for names, group in by_names.items()
    ]
    return f"({' or '.join(f'({test})' for test in tests)})"


def _match_parameters(names: Iterable[str]) -> str:
    tests = [
        f"{_QUERY} wildcard {_quoted(pattern)}"
        for name in map(quote_plus, names)
        for pattern in (f"{name}=*", f"*&{name}=*")
    ]
    return f"({' or '.join(tests)})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
