"""Find the policy of a response: the app's default, its route's policy, or its own headers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from flask import Request, Response, has_request_context, request

from ..http.cache_control import Directives
from ..policy.decorators import Directed, RoutePolicy, find_route_policy, policy_from
from ..policy.guard import SAFE_METHODS, SUCCESS_STATUSES
from ..policy.policy import NO_STORE, Policy
from ..policy.response_overrides import apply_overrides, max_age_from_expires
from .send_file import has_default_headers, remove_default_headers, restore_app_default

if TYPE_CHECKING:
    from datetime import datetime

    import werkzeug
    from flask import Flask

ShouldHandle = Callable[[Request, Response], bool]
AnyResponse = TypeVar("AnyResponse", bound="werkzeug.Response")
_SERVED_AS = "edge_policy"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectivePolicy:
    """A policy with the declared query parameters and tables, and where it was set."""

    policy: Policy
    query: frozenset[str] = frozenset()
    reads: tuple[str, ...] | None = None
    languages: tuple[str, ...] = ()
    source: str = "none"

    @property
    def declares_query(self) -> bool:
        """Return whether the route is shareable and declares the parameters that it reads."""
        return self.policy.is_shareable and self.source in {"view", "blueprint"}


NO_POLICY = EffectivePolicy(policy=NO_STORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The default policy of an app, and the hook that selects the responses that get it."""

    policy: Policy | None
    should_handle: ShouldHandle

    def holds(self, request: Request, response: Response) -> bool:
        """Return whether the default applies to this response; False if the hook raises."""
        if self.policy is None:
            return False
        try:
            return bool(self.should_handle(request, response))
        except Exception:  # noqa: BLE001 - a hook of the app must not break the response
            _log.exception(
                "edge.should_handle: failed for %s, so the default policy is not used", request.path
            )
            return False


def successful_get(request: Request, response: Response) -> bool:
    """Return whether the request is GET or HEAD and the status 200: the default `should_handle`."""
    return request.method in SAFE_METHODS and response.status_code == 200  # noqa: PLR2004 - OK


def explicit_only(request: Request, response: Response) -> bool:  # noqa: ARG001 - the hook's signature
    """Return False: only decorators and responses set a policy, never the default."""
    return False


def serve_as(policy: Directed, response: AnyResponse) -> AnyResponse:
    """Set the policy of one response, for any status, for example a 404 page or a redirect."""
    setattr(response, _SERVED_AS, policy_from(policy, argument="serve_as(…)"))
    if has_request_context() and has_default_headers(response, request.environ):
        remove_default_headers(response)
    return response


def policy_for_route(
    app: Flask, endpoint: str | None, default: Policy | None = None
) -> EffectivePolicy:
    """Return an endpoint's policy: the view's, else the innermost blueprint's, else the default."""
    mark, source = _declared_policy(app, endpoint) if endpoint is not None else (None, "none")
    if mark is not None:
        return EffectivePolicy(
            policy=mark.policy,
            query=frozenset(mark.query),
            reads=mark.reads,
            languages=mark.languages,
            source=source,
        )
    if default is not None and endpoint is not None:
        return EffectivePolicy(policy=default, source="default")
    return NO_POLICY


def _declared_policy(app: Flask, endpoint: str) -> tuple[RoutePolicy | None, str]:
    mark = find_route_policy(app.view_functions.get(endpoint))
    if mark is not None:
        return mark, "view"
    name = endpoint
    while "." in name:
        name = name.rpartition(".")[0]
        mark = find_route_policy(app.blueprints.get(name))
        if mark is not None:
            return mark, "blueprint"
    return None, "none"


def policy_for_response(
    route: EffectivePolicy, request: Request, response: Response, default: Default, now: datetime
) -> EffectivePolicy:
    """Return the policy of one response, including the directives that the view has set."""
    served_as = getattr(response, _SERVED_AS, None)
    base: Policy | None = None
    source = "none"
    if isinstance(served_as, Policy):
        base, source = served_as, "response"
    elif _route_policy_applies(route, request, response, default):
        base, source = route.policy, route.source
    if has_default_headers(response, request.environ):
        if base is None:
            restore_app_default(response, request.environ)
        else:
            remove_default_headers(response)
    directives = _directives_set_by_view(response, now)
    if base is None and not directives and _default_is_no_store(default, request, response):
        base, source = default.policy, "default"
    policy = apply_overrides(base, directives) if directives else base or NO_STORE
    if directives and policy != base:
        source = "response" if base is None else f"{source} and response"
    if base is None and policy.no_store and not directives:
        source = "none"
    return EffectivePolicy(
        policy=policy, query=route.query, languages=route.languages, source=source
    )


def _directives_set_by_view(response: Response, now: datetime) -> Directives:
    lines: list[str] = []
    expires = None
    for name, value in response.headers:
        if name.lower() == "cache-control":
            lines.append(value)
        elif name.lower() == "expires":
            expires = value
    return max_age_from_expires(Directives.parse(lines), expires, now)


def _route_policy_applies(
    route: EffectivePolicy, request: Request, response: Response, default: Default
) -> bool:
    if route.source == "default":
        return not route.policy.no_store and default.holds(request, response)
    if route.source == "none":
        return False
    return route.policy.no_store or response.status_code in SUCCESS_STATUSES


def _default_is_no_store(default: Default, request: Request, response: Response) -> bool:
    """Return whether the default is `no-store` and applies to the response."""
    policy = default.policy
    return policy is not None and policy.no_store and default.holds(request, response)
