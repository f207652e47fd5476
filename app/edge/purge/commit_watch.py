"""Noticing that somebody committed: cheap enough to ask many times a second."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from threading import Event
from typing import Any, Protocol

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from .outbox import NOTIFY_CHANNEL

logger = logging.getLogger(__name__)

SQLITE_POLL_INTERVAL = timedelta(milliseconds=50)
"""Asking SQLite costs microseconds."""

POLL_INTERVAL = timedelta(milliseconds=500)
"""Writers outside that tell nobody are noticed this soon."""


_LISTEN_SLICE = timedelta(milliseconds=50)
"""How long a listener is deaf to its own process."""


class CommitWatcher(Protocol):
    """Waits for a commit."""

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Wait until somebody may have committed or `woken` is set; False after `longest`."""

    def close(self) -> None:
        """Give the connection back."""


class SQLiteCommitWatcher:
    """Asks SQLite whether another connection has committed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._version: int | None = None

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Ask every so often, until something was committed."""
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
    """Listens for what committing processes say, and gives up in time to look for itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._connection: Connection | None = None

    def wait(self, woken: Event, longest: timedelta) -> bool:
        """Listen for so long at most; a lost connection is opened again the next time."""
        remaining = min(longest, POLL_INTERVAL)
        try:
            while remaining > timedelta(0):
                if woken.is_set() or self._has_notification(min(remaining, _LISTEN_SLICE)):
                    return True
                remaining -= _LISTEN_SLICE
        except Exception:  # whatever the database's driver raises, we poll instead
            logger.warning("relay.deaf", exc_info=True)
            self.close()
            return woken.wait(POLL_INTERVAL.total_seconds()) or longest >= POLL_INTERVAL
        return longest >= POLL_INTERVAL

    def close(self) -> None:
        """Close the connection; a listening one is never lent again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()
            connection.close()

    def _has_notification(self, span: timedelta) -> bool:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.exec_driver_sql(f"LISTEN {NOTIFY_CHANNEL}")
            return True  # what was said before we listened was not heard
        raw: Any = self._connection.connection.dbapi_connection
        return any(True for _ in raw.notifies(timeout=span.total_seconds(), stop_after=1))


def create_commit_watcher(engine: Engine) -> CommitWatcher:
    """The watch that suits a database."""
    return (
        PostgresCommitWatcher(engine)
        if engine.dialect.name == "postgresql"
        else SQLiteCommitWatcher(engine)
    )
