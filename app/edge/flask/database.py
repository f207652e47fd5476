"""Connect an app's edge with the database from which its pages are built (`Edge.track`).

This is the only module through which the extension imports SQLAlchemy.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from ..changes.drift_monitor import DriftMonitor
from ..changes.triggers import log_everything_changed
from ..dependencies.engine_events import EngineListener
from ..name import NAME
from ..pages import IndexCapacity
from ..pages.page_tags import PageTags
from ..pages.register import begin_build
from ..pages.resolver_lock import read_committed
from ..policy.cdn_headers import parse_dialects
from ..policy.policy import PolicyError
from ..settings import read_number
from .build import AppBuild
from .condition import other_build
from .deploy import purge_everything
from .edge_drivers import build_purgeable_counter, drivers_from_settings, with_drivers
from .models import find_missing_tables
from .sampling import sampling_hooks
from .startup import StartupGate
from .state import EdgeState, state_of
from .tracking import Tracker
from .worker import PurgeWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask
    from sqlalchemy.engine import Connection, Engine

    from ..changes import WatchedTable
    from ..dependencies import PublicSchema
    from ..purge.edge_chain import DriverFactory
    from ..purge.relay import RelayHook
    from .embedded_gateway import EmbeddedGateway

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedDatabase:
    """The arguments of `Edge.track`, which describes them."""

    engine: Engine
    watched_tables: Sequence[WatchedTable]
    schema: PublicSchema
    site: str
    settings: Sequence[str] = ()
    hooks: Sequence[RelayHook] = ()
    drivers: DriverFactory | None = None
    unavailable: WSGIApplication | None = None


def connect_database(app: Flask, database: TrackedDatabase) -> None:
    """Record what responses read from the database, and purge them when it changes."""
    state = state_of(app)
    if state.embedded_gateway is not None:
        _bind_site(state.embedded_gateway, database.site)
        state.edge_chain = replace(state.edge_chain, gateway=parse_dialects(NAME))
    if state.code is not None:
        state.code.tracked = True  # the page index records the build of each page
    state.edge_chain = with_drivers(
        app, state.edge_chain, database.drivers or drivers_from_settings(app, database.site)
    )
    state.tracker = _build_tracker(app, state, database)
    state.purgeable_counter = build_purgeable_counter(
        state.tracker.engine, state.edge_chain, state.clock
    )
    state.worker = _build_worker(app, state, state.tracker, database)
    state.startup_gate = StartupGate(
        app.wsgi_app,
        state.worker,
        relay=bool(app.config["EDGE_RELAY"]),
        stands_by=not app.testing,  # tests start a relay only if EDGE_RELAY is true
        unavailable=database.unavailable,
        find_fault=partial(find_missing_tables, state.tracker.engine),
    )
    gate = state.startup_gate
    state.tracker.drift_monitor.find_setup_fault = lambda: gate.fault
    app.wsgi_app = state.with_fallback(app, gate)  # type: ignore[method-assign]  # Flask documents this


def _build_tracker(app: Flask, state: EdgeState, database: TrackedDatabase) -> Tracker:
    engine, tables = read_committed(database.engine), tuple(database.watched_tables)
    return Tracker(
        engine=engine,
        watched_tables=tables,
        schema=database.schema,
        site=database.site,
        tags=PageTags(engine, database.site),
        front=state.edge_chain,
        parts=AppBuild(app, database.settings),
        drift_monitor=DriftMonitor(engine, tables, on_problem=lambda: purge_everything(app)),
        requires_current_build=not app.debug,
        capacity=IndexCapacity(max_pages=read_number(app.config, "EDGE_INDEX_PAGES")),
    )


def _bind_site(gateway: EmbeddedGateway, site: str) -> None:
    """Store pages under the site's URL, by which they are purged."""
    try:
        gateway.gateway.bind_site(site)
    except ValueError as error:
        raise PolicyError(f"track(site={site!r}) is invalid: {error}") from None


def _begin_build(tracker: Tracker, connection: Connection) -> None:
    """Compare this process's build with the current release when the process starts."""
    if not tracker.requires_current_build:
        return
    if begin_build(connection, tracker.parts.build_id):
        log_everything_changed(connection)
    elif trouble := other_build(tracker, connection):
        _log.warning("edge.other_build: %s", trouble, extra={"build": tracker.parts.build_id})


def _build_worker(
    app: Flask, state: EdgeState, tracker: Tracker, database: TrackedDatabase
) -> PurgeWorker:
    """Build the worker that purges pages after writes, and call it after each commit."""
    worker = PurgeWorker(
        tracker.engine,
        state.embedded_gateway,
        state.clock,
        (*database.hooks, *sampling_hooks(app, tracker)),
        tracker.drift_monitor,
        state.edge_chain,
        capacity=tracker.capacity,
        begin_build=partial(_begin_build, tracker),
    )
    EngineListener(tracker.schema, on_write=worker.after_write).attach(database.engine)
    return worker
