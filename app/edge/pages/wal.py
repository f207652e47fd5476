"""SQLite's write-ahead log: keep it small while readers and writers never pause.

SQLite checkpoints by itself, but starts the log again only when no reader uses it. Under steady
traffic there is always one, so the log would grow for as long as the traffic lasts.
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
"""A larger log is emptied; SQLite starts to checkpoint at a quarter of this."""

PATIENCE = timedelta(milliseconds=200)
"""How long to wait for readers that began before; writers wait meanwhile."""


def log_size(engine: Engine) -> int:
    """The bytes of the write-ahead log; zero where there is none."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path:
        return 0
    try:
        return Path(f"{path}-wal").stat().st_size
    except OSError:
        return 0


def empty_large_log(engine: Engine, most: int = MAX_BYTES) -> bool:
    """Write a large log into the database and truncate it; False when a reader was in the way.

    Call it outside of any transaction of this thread.
    """
    if log_size(engine) <= most:
        return True
    with engine.connect() as connection:
        try:
            return _truncated(connection)
        except DBAPIError as error:
            logger.info("index.checkpoint: %s", error.orig, extra={"reason": str(error.orig)})
            return False


def _truncated(connection: Connection) -> bool:
    raw: Any = connection.connection.dbapi_connection
    with busy_timeout(connection, PATIENCE // timedelta(milliseconds=1)):
        try:
            (blocked, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except connection.dialect.loaded_dbapi.OperationalError:
            return False  # another writer or another checkpoint was faster
    return not blocked
