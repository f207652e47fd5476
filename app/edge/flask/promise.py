"""Which policy holds for a response: the app's default, its route's mark, or its own words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Request, Response

from ..guard import SAFE, SUCCESSFUL
from ..http.cache_control import Directives
from ..marks import Mark, mark_of
from ..overlay import overlaid, with_expires
from ..policy import NO_STORE, Policy

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

ShouldHandle = Callable[[Request, Response], bool]
_SERVED_AS = "edge_policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A policy, the query parameters and tables it declares, and where it came from."""

    policy: Policy
    query: frozenset[str] = frozenset()
    reads: tuple[str, ...] | None = None
    source: str = "none"

    @property
    def query_holds(self) -> bool:
        """Whether the route is public and has said itself which parameters it reads."""
        return self.policy.shared and self.source in {"view", "blueprint"}


UNSAID = Promise(policy=NO_STORE)


def successful_get(request: Request, response: Response) -> bool:
    """Let the app's default hold for GET and HEAD answered with 200."""
    return request.method in SAFE and response.status_code == 200  # noqa: PLR2004 - OK


def nothing_unless_said(request: Request, response: Response) -> bool:  # noqa: ARG001 - the hook's signature
    """Let the app's default hold for nothing: only marks and responses speak."""
    return False


def serve_as(policy: Policy, response: Response) -> Response:
    """Give one response a policy of its own, whatever its status: a 404 page, a redirect."""
    setattr(response, _SERVED_AS, policy)
    return response


def route_promise(app: Flask, endpoint: str | None, default: Policy | None = None) -> Promise:
    """Return what an endpoint promises: view before blueprint, inner before outer, then default."""
    mark, source = _marked(app, endpoint) if endpoint is not None else (None, "none")
    if mark is not None:
        query = frozenset(mark.query)
        return Promise(policy=mark.policy, query=query, reads=mark.reads, source=source)
    if default is not None and not default.no_store and endpoint is not None:
        return Promise(policy=default, source="default")
    return UNSAID


def _marked(app: Flask, endpoint: str) -> tuple[Mark | None, str]:
    mark = mark_of(app.view_functions.get(endpoint))
    if mark is not None:
        return mark, "view"
    name = endpoint
    while "." in name:
        name = name.rpartition(".")[0]
        mark = mark_of(app.blueprints.get(name))
        if mark is not None:
            return mark, "blueprint"
    return None, "none"


def response_promise(
    route: Promise, request: Request, response: Response, should_handle: ShouldHandle, now: datetime
) -> Promise:
    """Return what one response promises, its own words included."""
    own = getattr(response, _SERVED_AS, None)
    base: Policy | None = None
    source = "none"
    if isinstance(own, Policy):
        base, source = own, "response"
    elif _holds(route, request, response, should_handle):
        base, source = route.policy, route.source
    said = _by_hand(response, now)
    policy = overlaid(base, said) if said else base or NO_STORE
    if said and policy != base:
        source = "response" if base is None else f"{source} and response"
    if base is None and policy.no_store and not said:
        source = "none"
    return Promise(policy=policy, query=route.query, source=source)


def _by_hand(response: Response, now: datetime) -> Directives:
    lines: list[str] = []
    expires = None
    for name, value in response.headers:
        if name.lower() == "cache-control":
            lines.append(value)
        elif name.lower() == "expires":
            expires = value
    return with_expires(Directives.parse(lines), expires, now)


def _holds(
    route: Promise, request: Request, response: Response, should_handle: ShouldHandle
) -> bool:
    if route.source == "default":
        return should_handle(request, response)
    if route.source == "none":
        return False
    return route.policy.no_store or response.status_code in SUCCESSFUL
