"""Registering and resolving exclude one another: that, and no more, closes the fill race.

On SQLite the one write lock does it. On PostgreSQL an advisory lock does, taken by the first
statement of a READ COMMITTED transaction, so that the next statement's snapshot is newer than
the lock; writers of content never wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine

KEY = 0x42524F42

PATIENCE = timedelta(milliseconds=200)
"""How long a response waits for another writer; a reader's answer is worth more than a HIT."""

WRITING = {"sqlite_begin": "IMMEDIATE", "edge_writes": True}
"""Execution options of what writes: SQLite takes its write lock at once, whoever begins."""

_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
"""Said with the lock, since a database may have another default."""

_DURABLE = "SET LOCAL synchronous_commit = on"
"""What a power cut takes back must not be at an edge; a server may be set to be less careful."""


def share(connection: Connection) -> None:
    """Wait until nobody resolves; several may register at a time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"{_COMMITTED}; SELECT pg_advisory_xact_lock_shared({KEY})")


def exclude(connection: Connection) -> None:
    """Wait until nobody registers or resolves."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"{_COMMITTED}; SELECT pg_advisory_xact_lock({KEY})")


@contextmanager
def promptly(engine: Engine, patience: timedelta = PATIENCE) -> Iterator[Connection]:
    """A transaction of the edge's own that writes; raises when it would wait longer for a lock."""
    with engine.connect() as connection:
        connection = connection.execution_options(**WRITING, edge_internal=True)  # noqa: PLW2901 - the same one
        wait = patience // timedelta(milliseconds=1)
        with busy_timeout(connection, wait), connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {wait}; {_DURABLE}")
            yield connection


@contextmanager
def busy_timeout(connection: Connection, wait: int) -> Iterator[None]:
    """SQLite's way to wait for a lock; the connection is as before afterwards."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    before = raw.execute("PRAGMA busy_timeout").fetchone()[0]
    raw.execute(f"PRAGMA busy_timeout={wait}")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={before}")
