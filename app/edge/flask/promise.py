"""Which policy holds for a response: the app's default, its route's mark, or its own words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Request, Response, has_request_context, request

from ..guard import SAFE, SUCCESSFUL
from ..http.cache_control import Directives
from ..marks import Directed, Mark, mark_of, policy_from
from ..overlay import overlaid, with_expires
from ..policy import NO_STORE, Policy
from .send_file import has_default_headers, remove_default_headers, restore_app_default

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

ShouldHandle = Callable[[Request, Response], bool]
_SERVED_AS = "edge_policy"
_log = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The policy of an app for responses without one, and which responses it holds for."""

    policy: Policy | None
    should_handle: ShouldHandle

    def holds(self, request: Request, response: Response) -> bool:
        """Tell whether the default is the policy of this response; not if the hook fails."""
        if self.policy is None:
            return False
        try:
            return bool(self.should_handle(request, response))
        except Exception:  # noqa: BLE001 - a hook of the app must not cost the reader the page
            _log.exception(
                "edge.should_handle: failed for %s, so the default does not hold", request.path
            )
            return False


def successful_get(request: Request, response: Response) -> bool:
    """Let the app's default hold for GET and HEAD answered with 200."""
    return request.method in SAFE and response.status_code == 200  # noqa: PLR2004 - OK


def nothing_unless_said(request: Request, response: Response) -> bool:  # noqa: ARG001 - the hook's signature
    """Let the app's default hold for nothing: only marks and responses speak."""
    return False


def serve_as(policy: Directed, response: Response) -> Response:
    """Give one response a policy of its own, whatever its status: a 404 page, a redirect."""
    setattr(response, _SERVED_AS, policy_from(policy, argument="serve_as(…)"))
    if has_request_context() and has_default_headers(response, request.environ):
        remove_default_headers(response)
    return response


def route_promise(app: Flask, endpoint: str | None, default: Policy | None = None) -> Promise:
    """Return what an endpoint promises: view before blueprint, inner before outer, then default."""
    mark, source = _marked(app, endpoint) if endpoint is not None else (None, "none")
    if mark is not None:
        query = frozenset(mark.query)
        return Promise(policy=mark.policy, query=query, reads=mark.reads, source=source)
    if default is not None and endpoint is not None:
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
    route: Promise, request: Request, response: Response, default: Default, now: datetime
) -> Promise:
    """Return what one response promises, its own words included."""
    own = getattr(response, _SERVED_AS, None)
    base: Policy | None = None
    source = "none"
    if isinstance(own, Policy):
        base, source = own, "response"
    elif _holds(route, request, response, default):
        base, source = route.policy, route.source
    if has_default_headers(response, request.environ):
        if base is None:
            restore_app_default(response, request.environ)
        else:
            remove_default_headers(response)
    said = _by_hand(response, now)
    if base is None and not said and _is_closed_by(default, request, response):
        base, source = default.policy, "default"
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


def _holds(route: Promise, request: Request, response: Response, default: Default) -> bool:
    if route.source == "default":
        return not route.policy.no_store and default.holds(request, response)
    if route.source == "none":
        return False
    return route.policy.no_store or response.status_code in SUCCESSFUL


def _is_closed_by(default: Default, request: Request, response: Response) -> bool:
    """Tell whether a default of `no-store` holds; it closes only what nothing else speaks for."""
    policy = default.policy
    return policy is not None and policy.no_store and default.holds(request, response)
