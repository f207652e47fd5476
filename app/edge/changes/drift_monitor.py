"""The drift monitor: checks at a low cost that the triggers are as they were installed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from .triggers import find_drift
from .watched_table import WatchedTable

_log = logging.getLogger(__name__)

CHECK_INTERVAL = timedelta(seconds=2)
"""The minimum time between two checks of one process."""

_VERSION = {
    "sqlite": "PRAGMA schema_version",
    # Each update of a catalogue row gives the row a new xmin.
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
"""The query whose result changes when a table or a trigger is altered, by dialect name."""


_QUERY_FAILED = "the query that checks the triggers failed"
_DATABASE_UNREACHABLE = "the database can't be reached, so its triggers could not be checked"
_UNPURGED = "pages that were stored before the triggers failed could not be purged"
_NOT_ALARMING = {None, _DATABASE_UNREACHABLE}


class DriftMonitor:
    """Checks whether the triggers of the watched tables are in place and unaltered.

    `on_problem` is called when triggers are found missing or altered, also if they were altered
    and restored: writes in between were not logged, so stored pages may be stale.
    """

    def __init__(
        self,
        engine: Engine,
        watched: Sequence[WatchedTable],
        *,
        on_problem: Callable[[], object] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_problem = on_problem
        self.find_setup_fault: Callable[[], str] = str
        """Returns what the database lacks beside the triggers; empty if nothing."""
        self._engine = engine.execution_options(edge_internal=True)
        self._watched = tuple(watched)
        self._monotonic = monotonic
        self._lock = Lock()
        self._next_check: float | None = None
        self._version: object = None
        self._verified_version: object = None
        self._current_problem: str | None = None
        self._has_unreported_problem = False

    def current_problem(self) -> str | None:
        """Return why no response may be shared, or None. The result may be two seconds old."""
        if fault := self.find_setup_fault():
            return fault
        if self._next_check is not None and self._monotonic() < self._next_check:
            return self._current_problem
        return self.check_now()

    def check_now(self) -> str | None:
        """Check the triggers now; return why no response may be shared, or None."""
        with self._lock:
            verified_version, before, self._current_problem = (
                self._verified_version,
                self._current_problem,
                self._find_problem(),
            )
            was_repaired = verified_version not in {None, self._verified_version}
            self._next_check = self._monotonic() + CHECK_INTERVAL.total_seconds()
            problem = self._current_problem
        if problem not in _NOT_ALARMING and problem != before:  # an outage has its own log line
            _log.warning("edge.untrusted: nothing is shared: %s", problem)
        # While the database can't be reached, nothing is written, so stored pages stay correct.
        worse = before in _NOT_ALARMING and (
            problem not in _NOT_ALARMING or (problem is None and was_repaired)
        )
        self._has_unreported_problem = self._has_unreported_problem or worse
        if self._has_unreported_problem:
            problem = self._current_problem = self._report_problem() or problem
        return problem

    def _report_problem(self) -> str | None:
        """Call `on_problem`; an error is logged, because the caller is a request or the relay."""
        self._has_unreported_problem = False
        try:
            if self.on_problem is not None:
                self.on_problem()
        except Exception:  # noqa: BLE001 - as the docstring says
            self._has_unreported_problem = True
            _log.exception(
                "edge.not_told: pages that were stored before the triggers failed can't be purged"
            )
            return _UNPURGED
        return None

    def run(self, now: datetime) -> datetime:
        """Run as a hook of the relay: check, and return the time of the next check."""
        self.current_problem()
        return now + CHECK_INTERVAL

    def _find_problem(self) -> str | None:
        try:
            with self._connect() as connection:
                version = connection.exec_driver_sql(_VERSION[connection.dialect.name]).scalar()
                if version == self._version and self._current_problem is None:
                    return None
                problem = find_drift(connection, self._watched)
                self._version = version
                if problem is None:
                    self._verified_version = version
                return problem
        except DBAPIError as error:
            self._version = None
            return _DATABASE_UNREACHABLE if error.connection_invalidated else _QUERY_FAILED
        except Exception as error:  # noqa: BLE001 - the caller is a request; the reason is returned
            self._version = None
            _log.exception("edge.triggers_not_checked: no response is shared until the check works")
            return f"the triggers could not be checked ({type(error).__name__}: {error})"

    def _connect(self) -> Connection:
        """Return a connection; mark the error if the database can't be reached."""
        try:
            return self._engine.connect()
        except DBAPIError as error:
            error.connection_invalidated = True
            raise
