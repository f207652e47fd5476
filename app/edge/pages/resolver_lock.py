"""The resolver lock: registering and resolving exclude one another, which closes the fill race.

On SQLite this is the single write lock. On PostgreSQL it is an advisory lock, taken by the first
statement of a READ COMMITTED transaction, so that the snapshot of the next statement is newer than
the lock. Writers of content never wait for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection, Engine

RESOLVER_LOCK_KEY = 0x42524F42

LOCK_TIMEOUT = timedelta(milliseconds=200)
"""How long a response waits for another writer: a fast response matters more than a later HIT."""

WRITE_OPTIONS = {"sqlite_begin": "IMMEDIATE", "edge_writes": True}
"""Execution options of writing connections: SQLite takes its write lock when they begin."""

_SET_READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
"""Set together with the lock, because a database may have another default."""

_SET_SYNCHRONOUS_COMMIT = "SET LOCAL synchronous_commit = on"
"""An edge must not hold pages of a commit that a power cut loses; a server may default to `off`."""


def read_committed(engine: Engine) -> Engine:
    """Return a copy of the engine for the transactions of this library.

    The app's engine may use another isolation level. With REPEATABLE READ or SERIALIZABLE, a
    PostgreSQL transaction that waited for a row fails; with AUTOCOMMIT there are no transactions.
    """
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


def acquire_shared_lock(connection: Connection) -> None:
    """Take the lock in shared mode: several registrations may run at a time, but no resolving."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"{_SET_READ_COMMITTED}; SELECT pg_advisory_xact_lock_shared({RESOLVER_LOCK_KEY})"
        )


def acquire_resolver_lock(connection: Connection) -> None:
    """Take the lock exclusively: no registration and no other resolving runs."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"{_SET_READ_COMMITTED}; SELECT pg_advisory_xact_lock({RESOLVER_LOCK_KEY})"
        )


@contextmanager
def promptly(engine: Engine, patience: timedelta = LOCK_TIMEOUT) -> Iterator[Connection]:
    """Open a writing transaction of the edge; raise if a lock is not free within `patience`."""
    with engine.connect() as connection:
        connection = connection.execution_options(**WRITE_OPTIONS, edge_internal=True)  # noqa: PLW2901 - the same one
        wait = patience // timedelta(milliseconds=1)
        with busy_timeout(connection, wait), connection.begin():
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(
                    f"SET LOCAL lock_timeout = {wait}; {_SET_SYNCHRONOUS_COMMIT}"
                )
            yield connection


@contextmanager
def busy_timeout(connection: Connection, wait: int) -> Iterator[None]:
    """Set how many milliseconds SQLite waits for a lock; restore the old value afterwards."""
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
