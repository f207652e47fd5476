"""List every route of an app with its policy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..policy.cdn_headers import mixed_fields
from .adopt import adopt
from .effective_policy import policy_for_route
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask

    from ..policy.policy import Policy
    from ..purge.edge_chain import EdgeChain
    from .effective_policy import EffectivePolicy

_ANY_METHOD = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One URL rule with its policy, described for browser and edges, and where it was set.

    `edge` describes the policy itself, and `edges` what each edge in front gets of it.
    `problems` are what a visit found that prevents sharing, or None without a visit.
    """

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    policy: str
    source: str
    browser: str
    edge: str
    edges: dict[str, str]
    query: tuple[str, ...]
    headers: tuple[str, ...]
    languages: tuple[str, ...] = ()
    reason: str | None
    problems: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the route for JSON, without what it does not have: languages and problems."""
        values = asdict(self)
        if not self.languages:
            del values["languages"]
        if self.problems is None:
            del values["problems"]
        return values


def routes(app: Flask) -> list[Route]:
    """List the routes of an app in the order of their rules."""
    state = state_of(app)
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))
    return [
        _route(rule, policy_for_route(app, rule.endpoint, state.default), state.edge_chain)
        for rule in rules
        if not rule.build_only
    ]


def with_problems(app: Flask) -> list[Route]:
    """List the routes, and visit those with a shared policy to find what prevents sharing."""
    visits = (route for route in adopt(app, only_shared=True).routes if route.url)
    problems = {route.rule: route.problems for route in visits}
    return [replace(route, problems=problems.get(route.rule)) for route in routes(app)]


def unkept_variants(app: Flask) -> tuple[str, ...]:
    """List each route and edge where nothing is stored, because the edge would mix variants."""
    state = state_of(app)
    sentences = (
        f"{rule.rule} at {edge.dialect.name}: varies on {', '.join(names)}"
        for rule in app.url_map.iter_rules()
        for edge in state.edge_chain.edges
        if not rule.build_only
        and (names := mixed_fields(_policy(app, rule.endpoint), edge.dialect))
    )
    return tuple(sorted(sentences))


def _policy(app: Flask, endpoint: str) -> Policy:
    return policy_for_route(app, endpoint, state_of(app).default).policy


def _route(rule: Any, effective: EffectivePolicy, front: EdgeChain) -> Route:
    methods = tuple(sorted((rule.methods or set()) - _ANY_METHOD)) or ("ANY",)
    texts = effective.policy.texts_by_audience()
    return Route(
        rule=rule.rule,
        endpoint=rule.endpoint,
        methods=methods,
        policy=effective.policy.name,
        source=effective.source,
        browser=texts.browser,
        edge=texts.edge,
        edges=front.texts_by_edge(effective.policy),
        query=tuple(sorted(effective.query)),
        headers=effective.policy.vary,
        languages=effective.languages,
        reason=_reason(methods, effective),
    )


def _reason(methods: tuple[str, ...], effective: EffectivePolicy) -> str | None:
    """Return the guard's code if no response of the route is stored."""
    if "GET" not in methods and "ANY" not in methods:
        return "unsafe-method"
    return "unmarked" if effective.source == "none" else None
