"""Leader election: one relay among many processes works; leadership ends with its process.

The election only saves work: claims and quotas are correct with any number of relays.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from .file_leader import FileLeader, Leader, SoleLeader

LEADER_LOCK_KEY = 0x42524F43


class PostgresLeader:
    """Holds an advisory lock for as long as its connection is open.

    The engine must connect to the server directly: a pooler that shares connections by transaction
    would not keep the lock for this process.
    """

    def __init__(self, engine: Engine, *, key: int = LEADER_LOCK_KEY) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._key = key
        self._connection: Connection | None = None

    def try_lead(self) -> bool:
        """Return whether this process holds the lock; take it if it is free."""
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            return self._try()
        except DBAPIError:
            self._drop()
            return False

    def resign(self) -> None:
        """Release the lock."""
        self._drop()

    def _try(self) -> bool:
        connection = self._engine.connect()
        try:
            if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({self._key})").scalar():
                connection.detach()  # must not return to the pool while it holds the lock
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):  # a stopped server holds no lock
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({self._key})")
            connection.close()


def create_leader(engine: Engine, *, deputy: bool = False) -> Leader:
    """Return the leader election for a database; the deputy has a separate one."""
    if engine.dialect.name == "postgresql":
        return PostgresLeader(engine, key=LEADER_LOCK_KEY + deputy)
    path, ending = engine.url.database, "-deputy" if deputy else "-relay"
    return FileLeader(Path(f"{path}{ending}")) if path and path != ":memory:" else SoleLeader()
