"""Describe an app's routes and settings, as input for the configuration of every edge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from werkzeug.routing import PathConverter

from ..cdn.site_description import OriginServer, RouteRule, SiteDescription
from ..policy.cdn_headers import parse_dialects
from ..policy.policy import PolicyError
from ..settings import read_number, varied_fields
from .effective_policy import policy_for_route
from .state import state_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from .effective_policy import EffectivePolicy

_VARIABLE = re.compile(r"<(?:[^<>:]+:)?([A-Za-z_]\w*)>")
_IS_UNICODE = re.compile(r"[^\x00-\x7f]|\\[uUN]")
_ANY_PATH = f"(?:{PathConverter.regex})"
_FIXED, _VARIABLE_SEGMENT, _MULTI_SEGMENT = range(3)


def describe_site(
    app: Flask, *, origins: Sequence[str], site: str = "", **fields: Any
) -> SiteDescription:
    """Build the description of an app; `fields` are fields that its settings don't contain."""
    state = state_of(app)
    site_url = site or (state.tracker.site if state.tracker is not None else "")
    if not site_url:
        raise PolicyError("The site's address is not configured: pass --site https://example.org.")
    return SiteDescription(
        site=OriginServer.of(site_url),
        rules=tuple(drop_covered_rules(list_route_rules(app))),
        origins=tuple(OriginServer.of(origin) for origin in origins),
        dialects=tuple(dialect.name for dialect in parse_dialects(app.config["EDGE"])),
        max_body_bytes=read_number(app.config, "EDGE_STORE_ENTRY"),
        vary=varied_fields(app.config),
        **fields,
    )


def list_route_rules(app: Flask) -> list[RouteRule]:
    """List the routes that accept GET, the most specific first."""
    default = state_of(app).default
    listed = [rule for rule in app.url_map.iter_rules() if not rule.build_only and _is_read(rule)]
    keyed_rules = [
        (_specificity_key(rule), _rule(rule, policy_for_route(app, rule.endpoint, default)))
        for rule in listed
    ]
    # Of two equally specific rules the private one comes first.
    keyed_rules.sort(
        key=lambda pair: (pair[0], pair[1].is_shared, pair[1].query_params or (), pair[1].url_rule)
    )
    return [rule for _, rule in keyed_rules]


def drop_covered_rules(rules: Sequence[RouteRule]) -> list[RouteRule]:
    """Drop private rules whose URLs a later private rule matches as well.

    CDNs limit the number of rules: a private blueprint with a route for its whole prefix needs only
    that one.
    """
    return [rule for index, rule in enumerate(rules) if not _is_covered(rule, rules[index + 1 :])]


def _is_covered(rule: RouteRule, later: Sequence[RouteRule]) -> bool:
    """Return whether a private rule of `later` gets all URLs of this private rule."""
    if rule.is_shared:
        return False
    for other in later:
        if other.is_shared and _may_overlap(rule, other):
            return False
        if not other.is_shared and _is_below(rule, other):
            return True
    return False


def _is_below(rule: RouteRule, other: RouteRule) -> bool:
    """Return whether `other` matches every path below a prefix, and the rule is below it."""
    prefix = other.url_rule.partition("<")[0]
    matches_all = other.pattern == f"^{re.escape(prefix)}{_ANY_PATH}$"
    return matches_all and rule.url_rule.startswith(prefix)


def _may_overlap(rule: RouteRule, other: RouteRule) -> bool:
    """Return False if the first segments of two rules are fixed and differ."""
    first, other_first = (one.url_rule.split("/")[1] for one in (rule, other))
    return "<" in first or "<" in other_first or first == other_first


def _rule(rule: Any, effective: EffectivePolicy) -> RouteRule:
    return RouteRule(
        url_rule=rule.rule,
        pattern=f"^{_fill_variables(rule, _expression)}$",
        wildcard=re.sub(r"\*+", "*", _fill_variables(rule, lambda _: "*", literally=True)),
        policy=effective.policy.name,
        is_shared=effective.policy.is_shareable and effective.source != "none",
        query_params=tuple(sorted(effective.query)) if effective.declares_query else None,
    )


def _is_read(rule: Any) -> bool:
    return rule.methods is None or "GET" in rule.methods


def _converters(rule: Any) -> dict[str, Any]:
    converters: dict[str, Any] = rule._converters  # noqa: SLF001 - Werkzeug has no public attribute for them
    return converters


def _expression(converter: Any) -> str:
    """Return the regular expression of a converter in the notation that all edges understand.

    Edges match bytes, percent-encoded in some of them, and have no escapes of Unicode
    characters. A converter of other scripts has an attribute `edge_regex`; without it, any text
    matches.
    """
    own: str = getattr(converter, "edge_regex", "")
    if not own:
        any_text = "[^/]+" if converter.part_isolating else ".+"
        own = any_text if _IS_UNICODE.search(converter.regex) else converter.regex
    return f"(?:{own})"


def _fill_variables(rule: Any, format_converter: Any, *, literally: bool = False) -> str:
    """Return the rule with each variable replaced by `format_converter(converter)`."""
    converters, text = _converters(rule), str(rule.rule)
    pattern, end = "", 0
    for variable in _VARIABLE.finditer(text):
        fixed = text[end : variable.start()]
        pattern += (fixed if literally else re.escape(fixed)) + format_converter(
            converters[variable[1]]
        )
        end = variable.end()
    return pattern + (text[end:] if literally else re.escape(text[end:]))


def _specificity_key(rule: Any) -> tuple[tuple[int, int], ...]:
    """Return a sort key in the order in which Werkzeug matches rules.

    Compares segment by segment: fixed before variable before a converter that spans segments. After
    such a converter, each further segment makes the rule more specific.
    """
    segments = rule.rule.split("/")
    sort_key: list[tuple[int, int]] = []
    for position, segment in enumerate(segments, start=1):
        converters = [_converters(rule)[name] for name in _VARIABLE.findall(segment)]
        if not all(converter.part_isolating for converter in converters):
            return (*sort_key, (_MULTI_SEGMENT, position - len(segments)))
        weight = sum(converter.weight for converter in converters)
        sort_key.append((_VARIABLE_SEGMENT, weight) if converters else (_FIXED, 0))
    return tuple(sort_key)
