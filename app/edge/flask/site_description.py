"""An app's routes and settings as a plan, from which every edge's configuration is made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..cdn.site_description import Origin, Plan, Rule
from ..policy.cdn_headers import named
from ..policy.policy import PolicyError
from ..settings import number, varied_fields
from .effective_policy import route_promise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from .effective_policy import Promise

_VARIABLE = re.compile(r"<(?:[^<>:]+:)?([A-Za-z_]\w*)>")
_STATIC, _VARYING, _DEEP = range(3)


def plan(app: Flask, *, origins: Sequence[str], site: str = "", **said: Any) -> Plan:
    """Build the plan of an app; `said` are fields of Plan that its settings don't know."""
    state = app.extensions["edge"]
    known = site or (state.tracker.site if state.tracker is not None else "")
    if not known:
        raise PolicyError("Nobody knows the site's address: say --site https://example.org.")
    return Plan(
        site=Origin.of(known),
        rules=tuple(rules(app)),
        origins=tuple(Origin.of(origin) for origin in origins),
        edges=tuple(dialect.name for dialect in named(app.config["EDGE"])),
        largest=number(app.config, "EDGE_STORE_ENTRY"),
        vary=varied_fields(app.config),
        **said,
    )


def rules(app: Flask) -> list[Rule]:
    """List what readers may GET, what is more particular before what is more general."""
    default = app.extensions["edge"].default
    listed = [rule for rule in app.url_map.iter_rules() if not rule.build_only and _is_read(rule)]
    found = [
        (_generality(rule), _rule(rule, route_promise(app, rule.endpoint, default)))
        for rule in listed
    ]
    # Of two that are equally general the private one is tried first.
    found.sort(key=lambda pair: (pair[0], pair[1].shared, pair[1].query or (), pair[1].rule))
    return [rule for _, rule in found]


def _rule(rule: Any, promise: Promise) -> Rule:
    return Rule(
        rule=rule.rule,
        pattern=f"^{_filled(rule, _expression)}$",
        wildcard=re.sub(r"\*+", "*", _filled(rule, lambda _: "*", literally=True)),
        policy=promise.policy.name,
        shared=promise.policy.shared and promise.source != "none",
        query=tuple(sorted(promise.query)) if promise.query_holds else None,
    )


def _is_read(rule: Any) -> bool:
    return rule.methods is None or "GET" in rule.methods


def _converters(rule: Any) -> dict[str, Any]:
    found: dict[str, Any] = rule._converters  # noqa: SLF001 - Werkzeug shows them nowhere else
    return found


def _expression(converter: Any) -> str:
    return f"(?:{converter.regex})"


def _filled(rule: Any, say: Any, *, literally: bool = False) -> str:
    """The rule with each variable as `say` writes its converter."""
    converters, text = _converters(rule), str(rule.rule)
    said, end = "", 0
    for found in _VARIABLE.finditer(text):
        fixed = text[end : found.start()]
        said += (fixed if literally else re.escape(fixed)) + say(converters[found[1]])
        end = found.end()
    return said + (text[end:] if literally else re.escape(text[end:]))


def _generality(rule: Any) -> tuple[tuple[int, int], ...]:
    """Order rules as Werkzeug tries them: segment by segment, fixed before variable before deep.

    A deep one takes all that follows, so what is fixed behind it makes it more particular.
    """
    segments = rule.rule.split("/")
    said: list[tuple[int, int]] = []
    for place, segment in enumerate(segments, start=1):
        named = [_converters(rule)[name] for name in _VARIABLE.findall(segment)]
        if not all(converter.part_isolating for converter in named):
            return (*said, (_DEEP, place - len(segments)))
        weight = sum(converter.weight for converter in named)
        said.append((_VARYING, weight) if named else (_STATIC, 0))
    return tuple(said)
