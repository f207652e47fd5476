"""How connections are opened and transactions begun, so that many processes can write safely."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url

from . import errors

WRITING = {"sqlite_begin": "IMMEDIATE"}
"""Execution options of a transaction that will write: it takes SQLite's write lock at once."""

PATIENCE = timedelta(seconds=5)
"""How long a connection waits for another writer, or for a server that does not answer."""


MOST_LOG_BYTES = 16 * 1024 * 1024
"""SQLite truncates its write-ahead log to this when it starts the log again."""


def engine_options(url: str) -> dict[str, Any]:
    """Return the options of `create_engine` for this database."""
    if make_url(url).get_backend_name() == "sqlite":
        return {
            "connect_args": {"timeout": PATIENCE.total_seconds(), "check_same_thread": False},
            # A thread that renders and one that registers need a connection each; the number of
            # threads is the bound.
            "max_overflow": -1,
        }
    return {
        "pool_pre_ping": True,
        "pool_timeout": PATIENCE.total_seconds(),
        "connect_args": {"connect_timeout": int(PATIENCE.total_seconds())},
    }


def listen(engine: Engine) -> None:
    """Configure the engine: readable errors, and on SQLite WAL and real transactions."""
    errors.listen(engine)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # _on_begin begins transactions, not the driver
    _to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA journal_size_limit={MOST_LOG_BYTES}")


def _to_wal(connection: Any) -> None:
    """Change to WAL, with retries: SQLite's busy timeout does not cover this statement."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except connection.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _on_begin(connection: Connection) -> None:
    begin = f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}"
    raw: Any = connection.connection.driver_connection
    try:
        raw.execute(begin)  # exec_driver_sql would take longer than SQLite itself
    except connection.dialect.loaded_dbapi.Error as error:
        raise errors.translate_driver_error(error, begin, connection) from error
