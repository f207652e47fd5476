"""Registering and resolving exclude one another: that, and no more, closes the fill race.

On SQLite the one write lock does it. On PostgreSQL an advisory lock does, taken by the first
statement of a READ COMMITTED transaction, so that the next statement's snapshot is newer than
the lock; writers of content never wait for it.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

KEY = 0x42524F42

_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
"""Said with the lock, since a database may have another default."""


def share(connection: Connection) -> None:
    """Wait until nobody resolves; several may register at a time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"{_COMMITTED}; SELECT pg_advisory_xact_lock_shared({KEY})")


def exclude(connection: Connection) -> None:
    """Wait until nobody registers or resolves."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"{_COMMITTED}; SELECT pg_advisory_xact_lock({KEY})")
