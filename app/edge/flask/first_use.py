"""Connect the edge with the app's database at the first request or command.

Models may be imported after `init_app`, and the tables may be created later still. Until the edge
is connected, no page is shared.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from ..changes import find_drift, install_triggers
from ..changes.declaration import NotWatchableError
from ..dependencies import PublicSchema
from ..dependencies.engine_events import INTERNAL_OPTIONS
from ..pages.resolver_lock import WRITE_OPTIONS, read_committed
from .database import TrackedDatabase, connect_database
from .models import define_edge_tables, watch_models
from .startup import RETRY_INTERVAL
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from flask_sqlalchemy import SQLAlchemy
    from sqlalchemy.engine import Engine

    from ..changes import WatchedTable

_log = logging.getLogger(__name__)


class FirstUse:
    """WSGI layer that connects the edge with the database before the first request.

    If that fails, the reason is logged once and the app answers without sharing anything.
    """

    def __init__(
        self,
        app: Flask,
        db: SQLAlchemy,
        site: str,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._db = db
        self._site = site
        self._wsgi = app.wsgi_app
        self._monotonic = monotonic
        self._lock = Lock()
        self._retry_at = 0.0
        self._is_connected = False
        self._reason = ""
        self._own_tables = define_edge_tables(db.metadata)

    @property
    def reason(self) -> str:
        """Why nothing is shared yet, without a full stop; empty if it is connected."""
        return "" if self._is_connected else self._reason or "the database is not connected yet"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Connect if necessary, and call the app through the layers that this adds."""
        if self._is_connected or not self.connect():
            return self._wsgi(environ, start_response)
        return self._app.wsgi_app(environ, start_response)

    def connect(self, *, installs_triggers: bool = True) -> bool:
        """Connect once and return whether this call did; log the reason if it is not possible.

        Without `installs_triggers` nothing is written, and the pages of this process are not
        shared if triggers are missing.
        """
        with self._lock:
            if self._is_connected or self._monotonic() < self._retry_at:
                return False
            try:
                self._reason = self._try(installs_triggers=installs_triggers)
            except (DBAPIError, NotWatchableError) as error:
                self._reason = str(error).partition("\n")[0]
            self._is_connected = not self._reason
            if self._reason:
                if not self._retry_at:
                    _log.warning("edge.not_connected: nothing is shared: %s", self._reason)
                self._retry_at = self._monotonic() + RETRY_INTERVAL.total_seconds()
            return self._is_connected

    def _try(self, *, installs_triggers: bool) -> str:
        """Connect; return why it is not possible, or an empty string."""
        with self._app.app_context():
            engine = self._db.engine
        watched = watch_models(self._db.metadata, exclude=self._own_tables)
        if not watched:
            return "the app has no models yet: define them before the first request"
        if reason := self._prepare(engine, watched, installs_triggers=installs_triggers):
            return reason
        database = TrackedDatabase(
            engine=engine,
            watched_tables=watched,
            schema=PublicSchema.from_watched_tables(watched),
            site=self._site,
        )
        connect_database(self._app, database)
        return ""

    def _prepare(
        self, engine: Engine, watched: tuple[WatchedTable, ...], *, installs_triggers: bool
    ) -> str:
        """Install the triggers if they are missing or altered; return what else is missing."""
        options = {**WRITE_OPTIONS, **INTERNAL_OPTIONS}
        with read_committed(engine).execution_options(**options).begin() as connection:
            existing = set(sa.inspect(connection).get_table_names())
            if missing := sorted({*self._own_tables, *(t.table for t in watched)} - existing):
                return (
                    f"the database has no table {', '.join(missing)}: run `flask db upgrade` after "
                    "`flask db migrate`, or call db.create_all()"
                )
            if installs_triggers and find_drift(connection, watched) is not None:
                install_triggers(connection, watched)
        return ""


def connect_at_first_use(app: Flask, db: SQLAlchemy, site: str) -> None:
    """Add the layer that connects the edge with the database of `db`."""
    layer = FirstUse(app, db, site)
    state = state_of(app)
    state.first_use = layer
    app.wsgi_app = state.with_fallback(app, layer)  # type: ignore[method-assign]  # Flask documents this
