"""The Flask extension `Edge`: created without an app, registered with `init_app`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flask import current_app
from flask.signals import request_finished, request_started

from ..name import NAME
from ..policy.cdn_headers import parse_dialects, with_configured_variants, with_purgeable
from ..policy.decorators import Directed, View, cached, policy_from
from ..policy.policy import Policy, PolicyError
from ..purge.edge_chain import DriverFactory, EdgeChain
from ..settings import SETTINGS, read_folder, read_number, read_optional_bool, varied_fields
from ..static.build_cache import BuildCache
from . import send_file, templates
from .cli import edge_cli
from .effective_policy import ShouldHandle, successful_get
from .fail_closed import FailClosedMiddleware
from .page_url import redirect_to_canonical_query
from .request import track_request_class
from .requirements import Extra, find_missing, is_gateway_enabled, require
from .state import Clock, EdgeState, state_of
from .static import StaticFiles

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask, Request, Response
    from flask_sqlalchemy import SQLAlchemy
    from sqlalchemy.engine import Engine

    from ..audit import SiteProfile
    from ..changes import WatchedTable
    from ..dependencies import PublicSchema
    from ..policy.cdn_headers import Dialect
    from ..purge.relay import RelayHook


def _now() -> datetime:
    return datetime.now(UTC)


class Edge:
    """The Flask extension: writes policies into headers, and checks each response with the guard.

    A subclass may set `default` and override `should_handle` instead of passing them to `init_app`.
    """

    default: Directed | None = None

    def should_handle(self, request: Request, response: Response) -> bool:
        """Return whether the default policy applies: yes for a GET with status 200."""
        return successful_get(request, response)

    def init_app(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        app: Flask,
        *,
        db: SQLAlchemy | None = None,
        site: str = "",
        default: Directed | None = None,
        should_handle: ShouldHandle | None = None,
        unknown_query: Literal["redirect", "ignore"] = "redirect",
        static: bool = True,
        static_overrides: Sequence[Path] = (),
        gateway: Mapping[str, Any] | None = None,
        clock: Clock = _now,
    ) -> None:
        """Register the extension with an app.

        Args:
            app: the app.
            db: the app's Flask-SQLAlchemy extension: pages are purged when rows of its models
                change. Call `db.init_app(app)` first. `track` takes more options instead.
            site: with `db`, the URL under which readers reach the app; by default
                SERVER_NAME with PREFERRED_URL_SCHEME, and http://localhost while testing.
            default: the policy of responses without one: a policy, `cache_control(…)`, a mapping of
                directives such as `{"max_age": 300}`, or the text of a Cache-Control header.
            should_handle: returns whether the default applies to a response.
            unknown_query: what to do with a query parameter that a public route does not declare:
                redirect to the URL without it, or only hide it from the view.
            static: add fingerprints to the URLs of the app's static files.
            static_overrides: folders whose files replace static files with the same path.
            gateway: options of the embedded gateway that differ from the defaults.
            clock: returns the current time.

        Raises:
            PolicyError: an argument or a setting is invalid.
        """
        if "edge" in app.extensions:
            raise PolicyError("The edge is already registered with this app: call init_app() once.")
        for setting in SETTINGS:
            app.config.setdefault(setting.name, setting.default)
        dialects = with_configured_variants(
            parse_dialects(app.config["EDGE"]), varied_fields(app.config)
        )
        has_gateway = is_gateway_enabled(app.config)
        cap = timedelta(seconds=read_number(app.config, "EDGE_TTL_CAP"))
        state = EdgeState(
            default=_default_policy(self.default if default is None else default),
            should_handle=_check_should_handle(
                self.should_handle if should_handle is None else should_handle
            ),
            clock=clock,
            edge_chain=EdgeChain.from_dialects(
                dialects,
                with_purgeable(parse_dialects(NAME if has_gateway else ""), ()),
                cap=cap,
            ),
            strict=read_optional_bool(app.config, "EDGE_STRICT"),
        )
        app.extensions["edge"] = state
        app.request_class = track_request_class(app.request_class)
        templates.install(app)
        send_file.install(
            app, lambda endpoint: state.policy_for_endpoint(app, endpoint).source != "none"
        )
        app.cli.add_command(edge_cli)
        if unknown_query == "redirect":
            app.before_request_funcs.setdefault(None, []).insert(0, redirect_to_canonical_query)
        if static:
            _install_static(app, static_overrides)
        request_started.connect(state.on_request_started, app)
        request_finished.connect(state.on_request_finished, app)
        state.fail_closed = FailClosedMiddleware(app.wsgi_app, state.start_recording)
        app.wsgi_app = state.fail_closed  # type: ignore[method-assign]  # Flask documents this
        if has_gateway:
            _install_gateway(app, state, dialects, gateway or {})
        elif not find_missing(Extra.GATEWAY):
            _install_compression(app)
        if db is not None:
            _connect(app, db, site)

    def track(  # noqa: PLR0913 - as init_app
        self,
        app: Flask,
        engine: Engine,
        watched: Sequence[WatchedTable],
        schema: PublicSchema,
        *,
        site: str,
        settings: Sequence[str] = (),
        hooks: Sequence[RelayHook] = (),
        drivers: DriverFactory | None = None,
        unavailable: WSGIApplication | None = None,
    ) -> None:
        """Record what responses read through this engine, and purge them when it changes.

        Args:
            app: the app.
            engine: the engine of the database that pages are built from.
            watched: the tables with triggers (`changes.install_triggers`).
            schema: the tables and columns that shared pages may read.
            site: the URL under which readers reach the app, such as 'https://example.org'. The
                gateway stores pages of this site only.
            settings: names of the settings that pages show.
            hooks: functions that the relay calls; each returns when it wants to be called again.
            drivers: returns the driver of an edge by its name, instead of the app's settings.
            unavailable: WSGI app that answers 503 while the database is unavailable at the start.
        """
        require(Extra.SQLALCHEMY, "edge.track(…)")
        from .database import (  # noqa: PLC0415 - with the level [sqlalchemy]
            TrackedDatabase,
            connect_database,
        )

        database = TrackedDatabase(
            engine=engine,
            watched_tables=watched,
            schema=schema,
            site=site,
            settings=settings,
            hooks=hooks,
            drivers=drivers,
            unavailable=unavailable,
        )
        connect_database(app, database)

    def rouse(self, app: Flask) -> None:
        """Start the relay of this process in the background, without waiting for a request.

        Call it after the process was forked. It returns at once and never raises.
        """
        gate = state_of(app).startup_gate
        if gate is not None:
            gate.start_in_background()

    def add_resources(self, app: Flask, digests: Mapping[str, str]) -> None:
        """Add files that the app reads at its start and shows in pages, such as translations.

        Args:
            app: the app.
            digests: the digest of each file's content, by a name such as 'catalogue de'.

        A view that shows one calls `record_resource(name)`. `flask edge release` then purges the
        pages of each resource that was changed, added or removed since the last release.
        """
        state = state_of(app)
        state.resources.update(digests)
        if state.tracker is not None:
            state.tracker.parts.reset()

    @staticmethod
    def record_resource(name: str) -> None:
        """Record that the current response shows a resource, or depends on its absence."""
        tracker = state_of(current_app).tracker
        if tracker is not None:
            templates.record_part(tracker.parts.resource(name))

    def describe(
        self,
        app: Flask,
        ours: SiteProfile,
        *,
        find_problems: Callable[[], tuple[str, ...]] | None = None,
    ) -> None:
        """Set what an audit from outside (`flask edge check`) expects of this app's site.

        `find_problems` returns a sentence for each file of the app that has an error.
        """
        state_of(app).site_profile = ours
        state_of(app).find_problems = find_problems

    def purge(self, app: Flask, url: str) -> int:
        """Purge every variant of a URL at every tier, as `flask edge purge --url` does.

        Call it after the change is committed, so that no page from before it is stored again.
        Without `track()` only the gateway is purged. Returns the number of responses that were
        purged from the gateway of this process; raises PolicyError for a URL of another site.
        """
        state = state_of(app)
        count = 0 if state.embedded_gateway is None else state.embedded_gateway.gateway.purge(url)
        if state.tracker is not None:
            from .explain import purge  # noqa: PLC0415 - with the level [sqlalchemy]

            purge(app, url=url)
        return count

    def purge_all(self, app: Flask) -> int:
        """Purge everything at every tier, as `flask edge purge --all` does.

        Returns the number of responses that were purged from the gateway of this process.
        """
        state = state_of(app)
        count = 0 if state.embedded_gateway is None else state.embedded_gateway.gateway.purge_all()
        if state.tracker is not None:
            from .explain import purge  # noqa: PLC0415 - with the level [sqlalchemy]

            purge(app)
        return count

    def degraded(self, app: Flask) -> str | None:
        """Return a sentence on a fault that readers may notice now, or None."""
        if state_of(app).tracker is None:
            return None
        from .condition import degraded  # noqa: PLC0415 - with the level [sqlalchemy]

        return degraded(app)

    def trouble(self, app: Flask) -> str | None:
        """Return a sentence on why no page can be shared now, or None."""
        tracker = state_of(app).tracker
        problem = None if tracker is None else tracker.drift_monitor.check_now()
        return None if problem is None else f"Nothing is shared: {problem}."

    @staticmethod
    def mark(
        thing: View,
        policy: Policy,
        *,
        query: Iterable[str] = (),
        headers: Iterable[str] = (),
        languages: Iterable[str] = (),
        reads: Iterable[str] | None = None,
    ) -> View:
        """Set the policy of a view or a blueprint without writing a decorator."""
        return cached(policy, query=query, headers=headers, languages=languages, reads=reads)(thing)


def _default_policy(default: Directed | None) -> Policy | None:
    return None if default is None else policy_from(default, argument="init_app(default=…)")


def _check_should_handle(should_handle: ShouldHandle) -> ShouldHandle:
    if not callable(should_handle):
        raise PolicyError(
            "init_app(should_handle=…) takes a function of request and response, "
            f"not {should_handle!r}."
        )
    return should_handle


def _connect(app: Flask, db: SQLAlchemy, site: str) -> None:
    """Connect the edge with the database of a Flask-SQLAlchemy extension when it is first used."""
    require(Extra.SQLALCHEMY, "edge.init_app(db=…)")
    from .first_use import connect_at_first_use  # noqa: PLC0415 - with the level [sqlalchemy]

    if "sqlalchemy" not in app.extensions:
        raise PolicyError("The database is not registered: call db.init_app(app) first.")
    connect_at_first_use(app, db, site or _configured_site(app))


def _configured_site(app: Flask) -> str:
    """Return the site's URL from Flask's own settings."""
    if name := app.config["SERVER_NAME"]:
        return f"{app.config['PREFERRED_URL_SCHEME']}://{name}"
    if app.testing or app.debug:
        return "http://localhost"
    raise PolicyError(
        "The edge does not know the site's URL, under which it purges pages: call "
        'edge.init_app(app, db=db, site="https://example.org").'
    )


def _install_gateway(
    app: Flask, state: EdgeState, dialects: Sequence[Dialect], changes: Mapping[str, Any]
) -> None:
    """Wrap the app in the gateway that is built from its settings."""
    from .embedded_gateway import build_gateway  # noqa: PLC0415 - with the level [gateway]
    from .untracked import CurrentCode  # noqa: PLC0415 - as above

    embedded = build_gateway(app, dialects, state.clock, state.cap_level, changes)
    state.embedded_gateway = embedded
    state.code = CurrentCode(embedded.gateway, app, embedded)
    app.wsgi_app = state.with_fallback(app, state.code)  # type: ignore[method-assign]  # Flask documents this


def _install_compression(app: Flask) -> None:
    from ..gateway.compression import Compression  # noqa: PLC0415 - with the level [gateway]

    app.wsgi_app = Compression(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this


def _install_static(app: Flask, overrides: Sequence[Path]) -> None:
    """Add fingerprints to the URLs of the app's static folder, if it has one."""
    if app.static_folder is not None and Path(app.static_folder).is_dir():
        build = read_folder(app.config, "EDGE_BUILD", parent=app.instance_path)
        StaticFiles(Path(app.static_folder), BuildCache(build), overrides).install(app)
