"""Databases that are put back to where a walk begins, under the same address."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg

from app.config.parsers import database_url
from tests.live.postgres import Postgres


class Database(Protocol):
    """One database; nobody is connected when it is kept or put back."""

    url: str

    def keep(self) -> None:
        """Let this be the beginning."""

    def put_back(self) -> None:
        """Begin again."""

    def outside(self) -> Any:
        """A connection of somebody who knows nothing of the app, to be entered; it commits."""


class SqliteFile:
    """A file, and a copy of it."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self._file = folder / "broadsheet.db"
        self._snapshot = folder / "kept.db"
        self.url = f"sqlite:///{self._file}"
        shutil.copy(migrated, self._file)

    def keep(self) -> None:
        """Let this be the beginning."""
        with closing(sqlite3.connect(self._file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        shutil.copy(self._file, self._snapshot)

    def put_back(self) -> None:
        """Begin again."""
        for beside in ("-wal", "-shm"):
            Path(f"{self._file}{beside}").unlink(missing_ok=True)
        shutil.copy(self._snapshot, self._file)

    @contextmanager
    def outside(self) -> Iterator[Any]:
        """A connection like the sqlite3 shell's."""
        with closing(sqlite3.connect(self._file, timeout=5)) as connection, connection:
            yield connection


class PostgresDatabase:
    """A database, and another one that it is made from."""

    def __init__(self, server: Postgres, migrated: str) -> None:
        self._server = server
        self._address = server.create(template=migrated)
        self._name = self._address.rpartition("/")[2]
        self.url = database_url(self._address)

    def keep(self) -> None:
        """Let this be the beginning."""
        self._server.execute(f'CREATE DATABASE "{self._name}_kept" TEMPLATE "{self._name}"')

    def put_back(self) -> None:
        """Begin again."""
        self._server.drop(self._address)
        self._server.execute(f'CREATE DATABASE "{self._name}" TEMPLATE "{self._name}_kept"')

    def close(self) -> None:
        """Remove both."""
        for address in (self._address, f"{self._address}_kept"):
            self._server.drop(address)

    @contextmanager
    def outside(self) -> Iterator[Any]:
        """A connection like psql's."""
        with psycopg.connect(self._address) as connection:
            yield connection
