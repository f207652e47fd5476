"""The watchman: notices soon, and cheaply, that the triggers can no longer be trusted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from .install import drift
from .watched import Watched

_log = logging.getLogger(__name__)

OFTEN = timedelta(seconds=2)
"""A process asks the database no more often than this."""

_VERSION = {
    "sqlite": "PRAGMA schema_version",
    # Whatever alters a row of a catalogue gives it a new xmin.
    "postgresql": """
        SELECT md5(string_agg(concat_ws(' ', place, oid, xmin), ',' ORDER BY place, oid, xmin))
        FROM (
            SELECT 't' AS place, oid::text, xmin::text FROM pg_trigger
            WHERE NOT tgisinternal AND starts_with(tgname, 'edge_')
            UNION ALL
            SELECT 'f', oid::text, xmin::text FROM pg_proc WHERE starts_with(proname, 'edge_')
            UNION ALL
            SELECT 'c', attrelid::text || '.' || attnum, xmin::text FROM pg_attribute
            WHERE attnum > 0 AND attrelid IN (
                SELECT tgrelid FROM pg_trigger
                WHERE NOT tgisinternal AND starts_with(tgname, 'edge_')
            )
            UNION ALL
            SELECT 'r', pg_class.oid::text, pg_class.xmin::text FROM pg_class
            WHERE pg_class.oid IN (
                SELECT tgrelid FROM pg_trigger
                WHERE NOT tgisinternal AND starts_with(tgname, 'edge_')
            ) AND (relhassubclass OR relrowsecurity OR relispartition)
        ) AS found(place, oid, xmin)
    """,
}
"""The query whose answer moves when a table or a trigger is altered, by database."""


_UNREADABLE = "the database could not be asked about its triggers"
_AWAY = "the database is away, so it could not be asked about its triggers"
_UNPURGED = "what was stored before the triggers failed could not be purged"
_UNTOLD = {None, _AWAY}


class Watchman:
    """Tells whether changes of the watched tables are logged as they should be.

    `on_trouble` is called when they no longer are: what was kept before may be stale by then. So
    it may be when somebody altered them and put them back: what was written meanwhile is unknown.
    """

    def __init__(
        self,
        engine: Engine,
        watched: Sequence[Watched],
        *,
        on_trouble: Callable[[], object] | None = None,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_trouble = on_trouble
        self._engine = engine.execution_options(edge_internal=True)
        self._watched = tuple(watched)
        self._ticks = ticks
        self._lock = Lock()
        self._due: float | None = None
        self._version: object = None
        self._sound: object = None
        self._trouble: str | None = None
        self._untold = False

    def trouble(self) -> str | None:
        """Why nothing must be shared just now, as of a moment ago; None when all is well."""
        if self._due is not None and self._ticks() < self._due:
            return self._trouble
        return self.look()

    def look(self) -> str | None:
        """The same as of this moment."""
        with self._lock:
            sound, before, self._trouble = self._sound, self._trouble, self._found()
            mended = sound not in {None, self._sound}
            self._due = self._ticks() + OFTEN.total_seconds()
            found = self._trouble
        # A database that is away is written by nobody; what was kept is as good as it was.
        worse = before in _UNTOLD and (found not in _UNTOLD or (found is None and mended))
        self._untold = self._untold or worse
        if self._untold:
            found = self._trouble = self._tell() or found
        return found

    def _tell(self) -> str | None:
        """Call `on_trouble`; whoever asks is a request or a relay, which no failure must reach."""
        self._untold = False
        try:
            if self.on_trouble is not None:
                self.on_trouble()
        except Exception:  # noqa: BLE001 - as the docstring says
            self._untold = True
            _log.exception("edge.not_told: pages from before the triggers failed can't be purged")
            return _UNPURGED
        return None

    def watch(self, now: datetime) -> datetime:
        """Look, for a relay; return when to look again."""
        self.trouble()
        return now + OFTEN

    def _found(self) -> str | None:
        try:
            with self._connected() as connection:
                version = connection.exec_driver_sql(_VERSION[connection.dialect.name]).scalar()
                if version == self._version and self._trouble is None:
                    return None
                found = drift(connection, self._watched)
                self._version = version
                if found is None:
                    self._sound = version
                return found
        except DBAPIError as error:
            self._version = None
            return _AWAY if error.connection_invalidated else _UNREADABLE
        except Exception as error:  # noqa: BLE001 - a request asks; the reason is told
            self._version = None
            _log.exception("edge.triggers_not_checked: nothing is shared until they are")
            return f"the triggers could not be checked ({type(error).__name__}: {error})"

    def _connected(self) -> Connection:
        """A connection; that there is none means that the database is away."""
        try:
            return self._engine.connect()
        except DBAPIError as error:
            error.connection_invalidated = True
            raise
