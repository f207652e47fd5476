"""Keep SQLite's write-ahead log small under constant traffic.

SQLite runs checkpoints automatically, but restarts the log only when no reader uses it. Under
constant traffic there is always a reader, so the log would grow as long as the traffic lasts.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from .resolver_lock import busy_timeout

logger = logging.getLogger(__name__)

MAX_BYTES = 16 * 1024 * 1024
"""A larger log is truncated; SQLite starts to checkpoint at a quarter of this."""

PATIENCE = timedelta(milliseconds=200)
"""How long to wait for earlier readers; writers are blocked during this time."""


def log_size(engine: Engine) -> int:
    """Return the size of the write-ahead log in bytes; zero if there is none."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path:
        return 0
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def empty_large_log(engine: Engine, most: int = MAX_BYTES) -> bool:
    """Write a large log into the database and truncate it; return False if a reader blocked it.

    Call it outside of any transaction of this thread.
    """
    if log_size(engine) <= most:
        return True
    with engine.connect() as connection:
        try:
            return _truncated(connection)
        except DBAPIError as error:
            logger.info(
                "index.checkpoint: the write-ahead log could not be truncated: %s",
                error.orig,
                extra={"reason": str(error.orig)},
            )
            return False


def _truncated(connection: Connection) -> bool:
    raw: Any = connection.connection.dbapi_connection
    with busy_timeout(connection, PATIENCE // timedelta(milliseconds=1)):
        try:
            (blocked, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except connection.dialect.loaded_dbapi.OperationalError:
            return False  # another writer or another checkpoint holds the lock
    return not blocked
