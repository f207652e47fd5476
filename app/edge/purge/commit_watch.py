"""Detect commits of other processes, cheaply enough to check many times a second."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import Any, Protocol

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ..changes import outage
from .outbox import NOTIFY_CHANNEL

logger = logging.getLogger(__name__)

SQLITE_POLL_INTERVAL = timedelta(milliseconds=50)
"""The interval for SQLite, where a check costs microseconds."""

POLL_INTERVAL = timedelta(milliseconds=500)
"""The maximum delay for commits of processes that send no notification."""


_LISTEN_SLICE = timedelta(milliseconds=50)
"""How long a listener waits for notifications before it checks the event of its process."""


class CommitWatcher(Protocol):
    """Waits for a commit."""

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Wait for a possible commit or until `woken` is set; return False after `longest`."""

    def close(self) -> None:
        """Close the connection."""


class SQLiteCommitWatcher:
    """Polls SQLite for commits of other connections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._version: int | None = None

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Poll until another connection has committed."""
        remaining = longest
        while remaining > timedelta(0):
            if (
                woken.wait(min(remaining, SQLITE_POLL_INTERVAL).total_seconds())
                or self._has_new_commit()
            ):
                return True
            remaining -= SQLITE_POLL_INTERVAL
        return False

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _has_new_commit(self) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
        raw: Any = self._connection.connection.dbapi_connection
        version = raw.execute("PRAGMA data_version").fetchone()[0]
        has_changed = bool(version != self._version)
        self._version = version
        return has_changed


class PostgresCommitWatcher:
    """Listens for notifications of committing processes, and times out to poll."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Listen for at most `longest`; a lost connection is opened again at the next call."""
        remaining = min(longest, POLL_INTERVAL)
        try:
            while remaining > timedelta(0):
                if woken.is_set() or self._has_notification(min(remaining, _LISTEN_SLICE)):
                    return True
                remaining -= _LISTEN_SLICE
        except Exception as error:  # on any error of the database driver, poll instead
            if not outage.is_logged(error) and not self._report_outage(error):
                logger.warning(
                    "relay.deaf: listening for notifications failed; the relay polls instead",
                    exc_info=True,
                )
            self.close()
            return woken.wait(POLL_INTERVAL.total_seconds()) or longest >= POLL_INTERVAL
        return longest >= POLL_INTERVAL

    def _report_outage(self, error: Exception) -> bool:
        return self._connection is not None and outage.report_driver_error(self._connection, error)

    def close(self) -> None:
        """Close the connection; a listening connection must not return to the pool."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()
            connection.close()

    def _has_notification(self, span: timedelta) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.exec_driver_sql(f"LISTEN {NOTIFY_CHANNEL}")
            return True  # notifications sent before LISTEN are lost
        raw: Any = self._connection.connection.dbapi_connection
        return any(True for _ in raw.notifies(timeout=span.total_seconds(), stop_after=1))


def create_commit_watcher(engine: Engine) -> CommitWatcher:
    """Return the commit watcher for the database of the engine."""
    return (
        PostgresCommitWatcher(engine)
        if engine.dialect.name == "postgresql"
        else SQLiteCommitWatcher(engine)
    )
