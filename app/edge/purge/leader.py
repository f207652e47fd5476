"""One relay among many processes: leadership ends with the process, however that ends.

It spares work and is no condition of soundness: claims and quotas hold with any number of relays.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

KEY = 0x42524F43


class Leader(Protocol):
    """An election."""

    def leads(self) -> bool:
        """Tell whether this process leads now, and try to when nobody does."""

    def resign(self) -> None:
        """Let another lead."""


class Alone:
    """The election of a process that knows no others."""

    def leads(self) -> bool:
        """Yes."""
        return True

    def resign(self) -> None:
        """Nobody takes over."""


class FileLeader:
    """Holds a lock on a file beside SQLite's database; the system lets go of it at our end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._owner = 0

    def leads(self) -> bool:
        """Tell whether the lock is ours, and take it when it is free."""
        if self._handle is not None and self._owner == os.getpid():
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle, self._owner = handle, os.getpid()
        return True

    def resign(self) -> None:
        """Let go of the lock."""
        if self._handle is not None and self._owner == os.getpid():
            os.close(self._handle)
        self._handle = None


class PostgresLeader:
    """Holds an advisory lock for as long as its connection lives.

    The engine must reach the server itself: a pooler that lends connections by transaction would
    hold the lock for nobody.
    """

    def __init__(self, engine: Engine, *, key: int = KEY) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._key = key
        self._connection: Connection | None = None

    def leads(self) -> bool:
        """Tell whether the lock is ours, and take it when it is free."""
        try:
            if self._connection is not None:
                self._connection.exec_driver_sql("SELECT 1")
                return True
            return self._try()
        except DBAPIError:
            self._drop()
            return False

    def resign(self) -> None:
        """Let go of the lock."""
        self._drop()

    def _try(self) -> bool:
        connection = self._engine.connect()
        try:
            if connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({self._key})").scalar():
                connection.detach()  # it is not lent to anybody else while it holds the lock
                self._connection = connection
                return True
        finally:
            if self._connection is not connection:
                connection.close()
        return False

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):  # a server that is gone holds no lock
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({self._key})")
            connection.close()


def leader(engine: Engine, *, deputy: bool = False) -> Leader:
    """The election that suits a database; that of a deputy is apart."""
    if engine.dialect.name == "postgresql":
        return PostgresLeader(engine, key=KEY + deputy)
    path, ending = engine.url.database, "-deputy" if deputy else "-relay"
    return FileLeader(Path(f"{path}{ending}")) if path and path != ":memory:" else Alone()
