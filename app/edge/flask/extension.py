"""Edge: the caching library as a Flask extension, built with no app in sight."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from flask import Response, after_this_request, current_app, g, request
from flask.globals import request_ctx
from flask.signals import request_finished, request_started

from .. import cli
from ..changes.watchman import Watchman
from ..dialects import named
from ..front import Drivers, Front
from ..guard import SAFE, SUCCESSFUL, Facts, Finding, judge
from ..http.key import cleaned, ignoring
from ..index import Bound
from ..marks import cached
from ..policy import Policy, PolicyError
from ..query import TRACKERS, canonical, is_canonical
from ..settings import SETTINGS, choice, number
from ..shelf import Shelf
from ..sqlalchemy import Observer
from . import templates
from .awake import Awake
from .embedded import Embedded, embedded, switched_on
from .fronting import driven, from_settings, trusting
from .parts import Parts
from .promise import Promise, ShouldHandle, response_promise, route_promise, successful_get
from .releasing import forget_everything
from .requests import Reads, TrackedRequest, reads_of
from .responses import (
    POLICY_KEY,
    PURGED_KEY,
    header_names,
    promise,
    stamp,
    tag,
    validate,
    withhold,
)
from .sampling import degraded, sampling
from .seal import RECORDED, Seal
from .static import Static
from .tagging import PageTags
from .tracking import Tracker, Version
from .upkeep import Upkeep

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask, Request
    from sqlalchemy.engine import Engine
    from werkzeug.wrappers import Response as BaseResponse

    from ..changes import Watched
    from ..purge.relay import Hook
    from ..reads import Schema
    from ..verify import Ours

_IN_PATHS = "/:@!$&'()*+,;=~-._"
_TRACKERS = ignoring(TRACKERS)
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, kw_only=True, weakref_slot=True)
class State:
    """What the edge knows of one app."""

    default: Policy | None
    should_handle: ShouldHandle
    clock: Clock
    front: Front
    strict: bool | None
    trust: Callable[[], int] | None = None
    embedded: Embedded | None = None
    tracker: Tracker | None = None
    upkeep: Upkeep | None = None
    awake: Awake | None = None
    ours: Ours | None = None
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

    def doubt(self, misspelt: bool) -> str:  # noqa: FBT001 - as the gateway asks it
        """Say how many edges can be purged of a page, unless all can that ever could."""
        trusted = self._trusted(misspelt=misspelt)
        return "" if trusted == self.front.trusted else str(trusted)

    def _trusted(self, *, misspelt: bool) -> int:
        trusted = self.front.trusted if self.trust is None else self.trust()
        return min(trusted, self.front.by_any_url) if misspelt else trusted

    def begin(self, sender: Flask, **_: Any) -> None:
        """Start to record what is read of the request."""
        asked = request_ctx.request
        route = self.route(sender, asked.endpoint)
        if asked.environ.get("QUERY_STRING") and route.query_holds and asked.method in SAFE:
            _tidy_query(route, asked)
        reads_of(asked).on = True
        if RECORDED not in asked.environ:
            self.record()
        after_this_request(_look_at_session)

    def record(self) -> None:
        """Record what is read of the database from now on."""
        if self.tracker is not None:
            self.tracker.begin()

    def finish(self, sender: Flask, response: Response, **_: Any) -> None:
        """Judge the finished response and write its headers."""
        now = self.clock()
        asked = request_ctx.request
        environ = asked.environ
        route = self.route(sender, asked.endpoint)
        said = response_promise(route, asked, response, self.should_handle, now)
        etag = "" if said.policy.no_store else stamp(response, environ)
        facts = _facts(said, route, asked, response)
        failed = facts.status not in SUCCESSFUL
        version = Version(variant=_variant(asked, facts), etag=etag, failed=failed)
        url = _registered_as(asked) if said.policy.shared else ""
        finding = judge(facts) or self._registered(facts, url, version, now)
        environ[POLICY_KEY] = said.policy.name
        environ[PURGED_KEY] = said.policy.shared and said.policy.purged and finding is None
        if finding is not None:
            withhold(response, finding, environ, strict=self.is_strict(sender))
            return
        if said.policy.shared and "cookie" in (vary := response.vary):
            vary.discard("cookie")
        trusted = None
        if self.embedded is None:
            sent = asked.environ.get("QUERY_STRING", "")
            trusted = self._trusted(misspelt=cleaned(sent, _TRACKERS) != sent)
        promise(response, said.policy, self.front, trusted=trusted, now=now)
        if self.tracker is not None and said.policy.shared and self.front.tiers:
            tag(response, self.front.tags(self.tracker.tag(url)))
        if not said.policy.no_store:
            validate(response, environ)

    def _registered(
        self, facts: Facts, url: str, version: Version, now: datetime
    ) -> Finding | None:
        """Put a page that shared caches may keep into the index, where there is one."""
        policy = facts.policy
        if self.tracker is None or not policy.shared or policy.immutable:
            return None
        return self.tracker.settle(facts.view, url, version, policy, now)


class Edge:
    """The edge of a Flask app: policies become headers, the guard looks at each response."""

    def init_app(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        app: Flask,
        *,
        default: Policy | None = None,
        should_handle: ShouldHandle = successful_get,
        unknown_query: Literal["redirect", "ignore"] = "redirect",
        static: bool = True,
        gateway: Mapping[str, Any] | None = None,
        clock: Clock = _now,
    ) -> None:
        """Register with an app; `default` holds for the responses that `should_handle` picks.

        A query parameter that a public route does not declare is hidden from the view, after a
        redirect to the URL without it unless `unknown_query` is "ignore". `static` stamps the
        files of the app's static folder, `gateway` changes options of the embedded one.
        """
        if "edge" in app.extensions:
            raise PolicyError("This app has an edge already: call init_app() once.")
        for setting in SETTINGS:
            app.config.setdefault(setting.name, setting.default)
        dialects = named(app.config["EDGE"])
        gated = switched_on(app)
        cap = timedelta(seconds=number(app.config, "EDGE_TTL_CAP"))
        state = State(
            default=default,
            should_handle=should_handle,
            clock=clock,
            front=Front.of(dialects, named("broadsheet" if gated else ""), cap=cap),
            strict=choice(app.config, "EDGE_STRICT"),
        )
        app.extensions["edge"] = state
        app.request_class = _tracked(app.request_class)
        templates.install(app)
        app.cli.add_command(cli.edge_cli)
        if unknown_query == "redirect":
            app.before_request_funcs.setdefault(None, []).insert(0, _to_canonical_query)
        if static and app.static_folder is not None and Path(app.static_folder).is_dir():
            build = Path(app.instance_path, app.config["EDGE_BUILD"] or "edge-build")
            Static(Path(app.static_folder), Shelf(build)).install(app)
        request_started.connect(state.begin, app)
        request_finished.connect(state.finish, app)
        app.wsgi_app = Seal(app.wsgi_app, state.record)  # type: ignore[method-assign]  # Flask documents this
        if gated:
            state.embedded = embedded(app, dialects, clock, state.doubt, gateway or {})
            app.wsgi_app = state.embedded.gateway  # type: ignore[method-assign]  # as above

    def track(  # noqa: PLR0913 - as init_app
        self,
        app: Flask,
        engine: Engine,
        watched: Sequence[Watched],
        schema: Schema,
        *,
        site: str,
        settings: Sequence[str] = (),
        hooks: Sequence[Hook] = (),
        drivers: Drivers | None = None,
        unavailable: WSGIApplication | None = None,
    ) -> None:
        """Follow what responses read from this engine, and purge them when that changes.

        `watched` tables have triggers (`changes.install`); `schema` says what pages may read.
        `settings` are those that pages show. The relay calls the `hooks`, which do what is due
        and say when they want to be called. `drivers` gives the driver of an edge by its name,
        in place of those that the app's settings ask for. `unavailable` answers with a 503 while
        the database is away from the start.
        """
        state = _state(app)
        state.front = driven(app, state.front, drivers or from_settings(app, site))
        state.trust = trusting(engine, state.front, state.clock)
        bound = Bound(pages=number(app.config, "EDGE_INDEX_PAGES"))
        watchman = Watchman(engine, watched, on_trouble=lambda: forget_everything(app))
        state.tracker = Tracker(
            engine=engine,
            watched=tuple(watched),
            schema=schema,
            site=site,
            tags=PageTags(engine, site),
            front=state.front,
            parts=Parts(app, settings),
            watchman=watchman,
            demands_release=not app.debug,
            bound=bound,
        )
        hooks = (*hooks, *sampling(app, state.tracker))
        state.upkeep = Upkeep(
            engine, state.embedded, state.clock, hooks, watchman, state.front, bound=bound
        )
        Observer(schema, on_write=state.upkeep.after_write).listen(engine)
        relay = bool(app.config["EDGE_RELAY"])
        state.awake = Awake(app.wsgi_app, state.upkeep, relay=relay, unavailable=unavailable)
        app.wsgi_app = state.awake  # type: ignore[method-assign]  # as above

    def rouse(self, app: Flask) -> None:
        """Begin to relay behind everybody's back; the first request would do it as well.

        To be called once a process has been forked; it neither waits nor fails.
        """
        awake = _state(app).awake
        if awake is not None:
            awake.rouse()

    def describe(self, app: Flask, ours: Ours) -> None:
        """Say what an audit from outside (`flask edge check`) may expect of this app's site."""
        _state(app).ours = ours

    def purge(self, app: Flask, url: str) -> int:
        """Let the gateway forget every variant of a URL; return how many it had.

        To be called once the change is committed: a page read before that must not come back.
        """
        found = _state(app).embedded
        return 0 if found is None else found.gateway.purge(url)

    def purge_all(self, app: Flask) -> int:
        """Let the gateway forget everything; return how many responses it had."""
        found = _state(app).embedded
        return 0 if found is None else found.gateway.purge_all()

    def degraded(self, app: Flask) -> str | None:
        """What readers may see amiss just now, in a sentence; None when all is well."""
        return degraded(app)

    def trouble(self, app: Flask) -> str | None:
        """Why nothing can be shared just now, in a sentence; None when all is well."""
        tracker = _state(app).tracker
        found = None if tracker is None else tracker.watchman.look()
        return None if found is None else f"Nothing is shared: {found}."

    @staticmethod
    def mark(thing: Any, policy: Policy, **declared: Any) -> Any:
        """Mark a view or a blueprint, as `cached` does, where a decorator has no place."""
        return cached(policy, **declared)(thing)


def _state(app: Flask) -> State:
    state = app.extensions.get("edge")
    if not isinstance(state, State):
        raise PolicyError("This app has no edge: call edge.init_app(app) first.")
    return state


def touch(code: str = "private-read") -> None:
    """Tell the guard that something of one reader, or something private, is read just now."""
    reads_of(request).touch(code)


def _tracked(request_class: type) -> type[Any]:
    if issubclass(request_class, TrackedRequest):
        return request_class
    return type("EdgeRequest", (TrackedRequest, request_class), {})


def _tidy_query(route: Promise, asked: Request) -> None:
    """Show the view the declared parameters alone, and note where the tidy URL is."""
    sent = asked.environ["QUERY_STRING"]
    if not isinstance(asked, TrackedRequest):
        return
    tidy = canonical(sent, route.query)
    asked.show_query(tidy)
    if not is_canonical(sent, route.query):
        g.edge_tidy_url = f"{_path(asked)}?{tidy}" if tidy else _path(asked)


def _path(asked: Request) -> str:
    """The path of a request as a URL spells it; with one slash, or it could name a host."""
    return "/" + quote(asked.root_path + asked.path, safe=_IN_PATHS).lstrip("/")


def _registered_as(asked: Request) -> str:
    """The URL of a page, as the gateway keys it, also where no route matched."""
    query = cleaned(asked.environ.get("QUERY_STRING", ""), _TRACKERS)
    return f"{_path(asked)}?{query}" if query else _path(asked)


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
    if "vary" in header_names(response) and "cookie" in response.vary:
        reads.touch("vary-cookie")
    return response


def _facts(said: Promise, route: Promise, asked: Request, response: Response) -> Facts:
    reads = reads_of(asked)
    reads.on = False
    touched = reads.touched | set(_touched_by_extensions()) | set(_touched_in_session(reads))
    cookies = set(_cookie_names(response))
    if cookies and "session-changed" not in touched:
        # A permanent session is sent anew with each response: the view did nothing.
        refreshed = current_app.session_interface.get_cookie_name(current_app)
        if refreshed in cookies:
            cookies.remove(refreshed)
            touched.add("session-read-late")
    varies = "vary" in header_names(response)
    vary = {name.lower() for name in response.vary} if varies else set()
    if touched & {"session-seen", "session-read-late"}:
        # Flask says Vary: Cookie since a function after the view looked at the session.
        vary.discard("cookie")
    return Facts(
        view=asked.endpoint or f"The answer to {asked.path}",
        policy=said.policy,
        marked=said.source != "none",
        method=asked.method,
        status=response.status_code,
        touched=frozenset(touched),
        cookies_set=tuple(sorted(cookies)),
        vary=frozenset(vary),
        query_read=frozenset(reads.query),
        query_declared=route.query,
        headers_read=frozenset(reads.headers),
        streamed=response.is_streamed and not response.direct_passthrough,
    )


def _variant(asked: Request, facts: Facts) -> str:
    """Which of a URL's responses this is; others may be built from something else."""
    vary = facts.vary.union(name.lower() for name in facts.policy.vary)
    said = [f"{name}: {asked.environ.get(_variable(name), '')}" for name in sorted(vary)]
    if asked.method != "GET":
        said.append(asked.method)
    return hashlib.blake2b("\n".join(said).encode(), digest_size=8).hexdigest() if said else ""


def _variable(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


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
