"""Edge: the caching library as a Flask extension, built with no app in sight."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flask.signals import request_finished, request_started

from .. import cli
from ..changes.install import log_everything
from ..changes.watchman import Watchman
from ..dialects import named, purgeable, varying
from ..front import Drivers, Front
from ..gateway.compression import Compression
from ..index import Bound
from ..index.register import begin_build
from ..marks import Directed, cached, policy_from
from ..policy import Policy, PolicyError
from ..settings import SETTINGS, choice, number, varied_fields
from ..shelf import Shelf
from ..sqlalchemy import Observer
from . import asking, send_file, templates
from .address import to_canonical_query
from .awake import Awake
from .condition import degraded, other_build
from .embedded import Embedded, embedded, switched_on
from .fallback import Fallback
from .fronting import driven, from_settings, trusting
from .parts import Parts
from .promise import ShouldHandle, successful_get
from .releasing import forget_everything
from .requests import tracked
from .sampling import sampling
from .seal import Seal
from .state import Clock, State, state_of
from .static import Static
from .tagging import PageTags
from .tracking import Tracker
from .untracked import CurrentCode
from .upkeep import Upkeep

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask, Request, Response
    from sqlalchemy.engine import Connection, Engine

    from ..changes import Watched
    from ..purge.relay import Hook
    from ..reads import Schema
    from ..verify import Ours


_log = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


class Edge:
    """The edge of a Flask app: policies become headers, the guard looks at each response.

    A subclass may set `default` and override `should_handle`, as arguments of `init_app` do.
    """

    default: Directed | None = None

    def should_handle(self, request: Request, response: Response) -> bool:
        """Tell whether the default holds for a response: it does for a GET answered with 200."""
        return successful_get(request, response)

    def init_app(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        app: Flask,
        *,
        default: Directed | None = None,
        should_handle: ShouldHandle | None = None,
        unknown_query: Literal["redirect", "ignore"] = "redirect",
        static: bool = True,
        gateway: Mapping[str, Any] | None = None,
        clock: Clock = _now,
    ) -> None:
        """Register with an app; `default` holds for the responses that `should_handle` picks.

        `default` is a policy, `cache_control(…)`, or the directives themselves: a mapping such as
        `{"max_age": 300}` or the text of a Cache-Control header. PolicyError for anything else.

        A query parameter that a public route does not declare is hidden from the view, after a
        redirect to the URL without it unless `unknown_query` is "ignore". `static` stamps the
        files of the app's static folder, `gateway` changes options of the embedded one.
        """
        if "edge" in app.extensions:
            raise PolicyError("This app has an edge already: call init_app() once.")
        for setting in SETTINGS:
            app.config.setdefault(setting.name, setting.default)
        dialects = varying(named(app.config["EDGE"]), varied_fields(app.config))
        gated = switched_on(app)
        cap = timedelta(seconds=number(app.config, "EDGE_TTL_CAP"))
        state = State(
            default=_default_policy(self.default if default is None else default),
            should_handle=_checked(self.should_handle if should_handle is None else should_handle),
            clock=clock,
            front=Front.of(dialects, purgeable(named("broadsheet" if gated else ""), ()), cap=cap),
            strict=choice(app.config, "EDGE_STRICT"),
        )
        app.extensions["edge"] = state
        app.request_class = tracked(app.request_class)
        templates.install(app)
        send_file.install(app, lambda endpoint: state.route(app, endpoint).source != "none")
        app.cli.add_command(cli.edge_cli)
        if unknown_query == "redirect":
            app.before_request_funcs.setdefault(None, []).insert(0, to_canonical_query)
        if static:
            _stamp_static(app)
        request_started.connect(state.begin, app)
        request_finished.connect(state.finish, app)
        state.sealed = Seal(app.wsgi_app, state.record)
        app.wsgi_app = state.sealed  # type: ignore[method-assign]  # Flask documents this
        if gated:
            state.embedded = embedded(app, dialects, clock, state.doubt, gateway or {})
            state.code = CurrentCode(state.embedded.gateway, app, state.embedded)
            app.wsgi_app = _fenced(app, state.code)  # type: ignore[method-assign]  # as above
        else:
            app.wsgi_app = Compression(app.wsgi_app)  # type: ignore[method-assign]  # as above

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
        the database is away from the start. `site` is where readers find the app, and the one
        that the gateway speaks for: 'https://example.org'.
        """
        state = state_of(app)
        if state.embedded is not None:
            _settle(state.embedded, site)
            state.front = replace(state.front, gateway=named("broadsheet"))
        if state.code is not None:
            state.code.tracked = True  # the page index knows which release made a page
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
        state.upkeep = _follow(app, state, state.tracker, hooks)
        relay = bool(app.config["EDGE_RELAY"])
        state.awake = Awake(
            app.wsgi_app,
            state.upkeep,
            relay=relay,
            stands_by=not app.testing,  # a test that asks for no relay gets none
            unavailable=unavailable,
        )
        app.wsgi_app = _fenced(app, state.awake)  # type: ignore[method-assign]  # as above

    def rouse(self, app: Flask) -> None:
        """Begin to relay behind everybody's back; the first request would do it as well.

        To be called once a process has been forked; it neither waits nor fails.
        """
        awake = state_of(app).awake
        if awake is not None:
            awake.rouse()

    def describe(self, app: Flask, ours: Ours) -> None:
        """Say what an audit from outside (`flask edge check`) may expect of this app's site."""
        state_of(app).ours = ours

    def purge(self, app: Flask, url: str) -> int:
        """Purge every variant of a URL at every tier, as `flask edge purge --url` does.

        Call it once the change is committed: a page read before that must not come back. Without
        `track()` there is no tier but the gateway. Returns how many responses the gateway of this
        process had; raises PolicyError for a URL of another site.
        """
        state = state_of(app)
        count = 0 if state.embedded is None else state.embedded.gateway.purge(url)
        if state.tracker is not None:
            asking.purge(app, url=url)
        return count

    def purge_all(self, app: Flask) -> int:
        """Purge everything at every tier, as `flask edge purge --all` does.

        Returns how many responses the gateway of this process had.
        """
        state = state_of(app)
        count = 0 if state.embedded is None else state.embedded.gateway.purge_all()
        if state.tracker is not None:
            asking.purge(app)
        return count

    def degraded(self, app: Flask) -> str | None:
        """What readers may see amiss just now, in a sentence; None when all is well."""
        return degraded(app)

    def trouble(self, app: Flask) -> str | None:
        """Why nothing can be shared just now, in a sentence; None when all is well."""
        tracker = state_of(app).tracker
        found = None if tracker is None else tracker.watchman.look()
        return None if found is None else f"Nothing is shared: {found}."

    @staticmethod
    def mark(thing: Any, policy: Policy, **declared: Any) -> Any:
        """Mark a view or a blueprint, as `cached` does, where a decorator has no place."""
        return cached(policy, **declared)(thing)


def _default_policy(default: Directed | None) -> Policy | None:
    return None if default is None else policy_from(default, argument="init_app(default=…)")


def _checked(should_handle: ShouldHandle) -> ShouldHandle:
    if not callable(should_handle):
        raise PolicyError(
            "init_app(should_handle=…) takes a function of request and response, "
            f"not {should_handle!r}."
        )
    return should_handle


def _fenced(app: Flask, layer: WSGIApplication) -> Fallback:
    """Put a layer in front of an app that answers by itself where the layer fails."""
    state = state_of(app)
    assert state.sealed is not None
    return Fallback(layer, state.sealed, strict=lambda: state.is_strict(app))


def _settle(embedded: Embedded, site: str) -> None:
    """Let pages be kept under the address that they are purged by."""
    try:
        embedded.gateway.speak_for(site)
    except ValueError as error:
        raise PolicyError(f"track() was told site={site!r}: {error}") from None


def _stamp_static(app: Flask) -> None:
    """Stamp the files of the app's static folder, where there is one."""
    if app.static_folder is not None and Path(app.static_folder).is_dir():
        build = Path(app.instance_path, app.config["EDGE_BUILD"] or "edge-build")
        Static(Path(app.static_folder), Shelf(build)).install(app)


def _begin_build(tracker: Tracker, connection: Connection) -> None:
    """Compare the build of this process with the current one as the process starts."""
    if not tracker.demands_release:
        return
    if begin_build(connection, tracker.parts.build):
        log_everything(connection)
    elif trouble := other_build(tracker, connection):
        _log.warning("edge.other_build: %s", trouble, extra={"build": tracker.parts.build})


def _follow(app: Flask, state: State, tracker: Tracker, hooks: Sequence[Hook]) -> Upkeep:
    """Let the pages that the tracker registers follow what the app writes."""
    upkeep = Upkeep(
        tracker.engine,
        state.embedded,
        state.clock,
        (*hooks, *sampling(app, tracker)),
        tracker.watchman,
        state.front,
        bound=tracker.bound,
        begin_build=partial(_begin_build, tracker),
    )
    Observer(tracker.schema, on_write=upkeep.after_write).listen(tracker.engine)
    return upkeep
