"""Edge: the caching library as a Flask extension, built with no app in sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from flask import Response, after_this_request, current_app, g, request
from flask.globals import request_ctx
from flask.signals import request_finished, request_started

from ..cli import edge_cli
from ..dialects import DIALECTS, Dialect, named
from ..guard import SAFE, Facts, judge
from ..marks import cached
from ..policy import Policy, PolicyError
from ..query import canonical, is_canonical
from ..settings import SETTINGS
from ..shelf import Shelf
from .promise import Promise, ShouldHandle, response_promise, route_promise, successful_get
from .requests import Reads, TrackedRequest, reads_of
from .responses import POLICY_KEY, promise, validate, withhold
from .seal import Seal
from .static import Static

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response as BaseResponse

_IN_PATHS = "/:@!$&'()*+,;=~-._"
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class State:
    """What the edge knows of one app."""

    default: Policy | None
    should_handle: ShouldHandle
    clock: Clock
    dialects: tuple[Dialect, ...]
    cap: timedelta
    strict: bool | None
    routes: dict[str, Promise] = field(default_factory=dict)

    def route(self, app: Flask, endpoint: str | None) -> Promise:
        """Return what an endpoint promises; the answer is kept, since marks don't change."""
        known = self.routes.get(endpoint or "")
        if known is None:
            known = route_promise(app, endpoint, self.default)
            self.routes[endpoint or ""] = known
        return known

    def is_strict(self, app: Flask) -> bool:
        """Tell whether a leak raises in this app."""
        return self.strict if self.strict is not None else app.debug or app.testing

    def begin(self, sender: Flask, **_: Any) -> None:
        """Start to record what is read of the request."""
        route = self.route(sender, request.endpoint)
        if route.query_holds and request.method in SAFE:
            _tidy_query(route)
        reads_of(request).on = True
        after_this_request(_look_at_session)

    def finish(self, sender: Flask, response: Response, **_: Any) -> None:
        """Judge the finished response and write its headers."""
        now = self.clock()
        environ = request.environ
        route = self.route(sender, request.endpoint)
        said = response_promise(route, request, response, self.should_handle, now)
        facts = _facts(said, route, response)
        finding = judge(facts)
        environ[POLICY_KEY] = said.policy.name
        if finding is not None:
            withhold(response, finding, environ, strict=self.is_strict(sender))
            return
        if said.policy.shared:
            response.vary.discard("Cookie")
        promise(response, said.policy, self.dialects, cap=self.cap, now=now)
        if not said.policy.no_store:
            validate(response, environ)


class Edge:
    """The edge of a Flask app: policies become headers, the guard looks at each response."""

    def init_app(
        self,
        app: Flask,
        *,
        default: Policy | None = None,
        should_handle: ShouldHandle = successful_get,
        unknown_query: Literal["redirect", "ignore"] = "redirect",
        static: bool = True,
        clock: Clock = _now,
    ) -> None:
        """Register with an app; `default` holds for the responses that `should_handle` picks.

        A query parameter that a public route does not declare is hidden from the view, after a
        redirect to the URL without it unless `unknown_query` is "ignore". `static` stamps the
        files of the app's static folder.
        """
        if "edge" in app.extensions:
            raise PolicyError("This app has an edge already: call init_app() once.")
        for setting in SETTINGS:
            app.config.setdefault(setting.name, setting.default)
        dialects = named(app.config["EDGE"])
        if _switched_on(app.config["EDGE_GATEWAY"]) and _gateway(app) is not None:
            dialects = (*dialects, DIALECTS["broadsheet"])
        state = State(
            default=default,
            should_handle=should_handle,
            clock=clock,
            dialects=tuple(dict.fromkeys(dialects)),
            cap=timedelta(seconds=int(app.config["EDGE_TTL_CAP"])),
            strict=app.config["EDGE_STRICT"],
        )
        app.extensions["edge"] = state
        app.request_class = _tracked(app.request_class)
        request_started.connect(state.begin, app)
        request_finished.connect(state.finish, app)
        if unknown_query == "redirect":
            app.before_request_funcs.setdefault(None, []).insert(0, _to_canonical_query)
        app.cli.add_command(edge_cli)
        if static and app.static_folder is not None and Path(app.static_folder).is_dir():
            build = Path(app.config["EDGE_BUILD"] or Path(app.instance_path, "edge-build"))
            Static(Path(app.static_folder), Shelf(build)).install(app)
        app.wsgi_app = Seal(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this

    def mark(self, thing: Any, policy: Policy, **declared: Any) -> Any:
        """Mark a view or a blueprint, as `cached` does, where a decorator has no place."""
        return cached(policy, **declared)(thing)


def _switched_on(setting: object) -> bool:
    if isinstance(setting, bool):
        return setting
    if str(setting).lower() not in {"on", "off"}:
        raise PolicyError(f"EDGE_GATEWAY is {setting!r}: say on or off.")
    return str(setting).lower() == "on"


def _gateway(_app: Flask) -> object | None:
    """Build the gateway in front of the app, where there is one."""
    return None


def _tracked(request_class: type) -> type[Any]:
    if issubclass(request_class, TrackedRequest):
        return request_class
    return type("EdgeRequest", (TrackedRequest, request_class), {})


def _tidy_query(route: Promise) -> None:
    """Show the view the declared parameters alone, and note where the tidy URL is."""
    sent = request.environ.get("QUERY_STRING", "")
    if not sent or not isinstance(request, TrackedRequest):
        return
    tidy = canonical(sent, route.query)
    request.show_query(tidy)
    if not is_canonical(sent, route.query):
        # One slash, or the path could name another host.
        path = "/" + quote(request.root_path + request.path, safe=_IN_PATHS).lstrip("/")
        g.edge_tidy_url = f"{path}?{tidy}" if tidy else path


def _to_canonical_query() -> BaseResponse | None:
    """Send the reader to the tidy URL; the redirect has no policy, so nothing stores it."""
    tidy = g.pop("edge_tidy_url", None)
    return None if tidy is None else current_app.redirect(tidy, code=301)


def _look_at_session(response: Response) -> Response:
    """Note, before any other after_request function runs, whether the view used the session."""
    session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
    reads = reads_of(request)
    if session is not None and session.accessed:
        reads.touch("session-read")
    if "cookie" in response.vary:
        reads.touch("vary-cookie")
    return response


def _facts(said: Promise, route: Promise, response: Response) -> Facts:
    reads = reads_of(request)
    reads.on = False
    touched = reads.touched | set(_touched_by_extensions()) | set(_touched_in_session(reads))
    vary = {name.lower() for name in response.vary}
    if "session-seen" in touched:
        # Flask says Vary: Cookie since a function after the view looked at an empty session.
        vary.discard("cookie")
    return Facts(
        view=request.endpoint or f"The answer to {request.path}",
        policy=said.policy,
        marked=said.source != "none",
        method=request.method,
        status=response.status_code,
        touched=frozenset(touched),
        cookies_set=tuple(_cookie_names(response)),
        vary=frozenset(vary),
        query_read=frozenset(reads.query),
        query_declared=route.query,
        headers_read=frozenset(reads.headers),
        streamed=response.is_streamed and not response.direct_passthrough,
    )


def _cookie_names(response: Response) -> Iterator[str]:
    for line in response.headers.getlist("Set-Cookie"):
        yield line.partition("=")[0].strip()


def _touched_in_session(reads: Reads) -> Iterator[str]:
    session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
    if session is None:
        return
    if session.modified:
        yield "session-changed"
    elif session.accessed and "session-read" not in reads.touched:
        yield "session-read-late" if session else "session-seen"


def _touched_by_extensions() -> Iterator[str]:
    # Flask-Login and Flask-WTF keep what they made on flask.g, under these names.
    if "_login_user" in g:
        yield "user-read"
    if current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token") in g:
        yield "csrf-token"
