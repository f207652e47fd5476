"""Backups: the whole database in one file, of either kind of database."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import URL, Engine

from . import postgresql_copy, sqlite_copy
from .copy_errors import BackupError, KnowsRevision


def save(url: URL, file: Path) -> None:
    """Write a consistent copy of a database that may be in use to a new file.

    Raises:
        BackupError: the file exists, or the copy can't be made; no file is left then.
    """
    with new_file(file) as partial:
        if _is_sqlite(url):
            sqlite_copy.save(_path(url), partial)
        else:
            postgresql_copy.save(url, partial)


def remove_log(url: URL) -> None:
    """Write SQLite's write-ahead log back and remove it, at a clean stop; PostgreSQL has none."""
    if _is_sqlite(url):
        sqlite_copy.remove_log(_path(url))


def remove_log_at_exit(engine: Engine) -> None:
    """Do so when this process ends: SQLite removes the log with the last connection to its file."""

    def close() -> None:
        engine.dispose()
        remove_log(engine.url)

    atexit.register(close)


def load(url: URL, file: Path, *, knows: KnowsRevision, tables: Sequence[str]) -> None:
    """Replace the content of a database by that of a backup, whole or not at all.

    Args:
        url: the address of the database.
        file: what `save` wrote.
        knows: tells whether the code knows a migration.
        tables: the tables that the code's models have; they are dropped on PostgreSQL.

    Raises:
        BackupError: a process uses the database, or the file can't be restored; nothing changed.
    """
    if not file.is_file():
        raise BackupError(f"{file} is no file: name a backup that `flask db backup` wrote.")
    if _is_sqlite(url):
        sqlite_copy.load(_path(url), file, knows=knows)
    else:
        postgresql_copy.load(url, file, knows=knows, tables=tables)


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """A path to write to; the file has its name once it is whole and on disk, and never before.

    Raises:
        BackupError: the file exists, or its folder can't be written.
    """
    if file.exists() or file.is_symlink():
        raise BackupError(f"{file} exists: remove it, or choose another name.")
    try:
        number, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise BackupError(f"{file.parent} can't be written: {error.strerror}.") from None
    os.close(number)
    partial = Path(name)
    try:
        yield partial
        _to_disk(partial)
        os.link(partial, file)  # unlike a rename, it fails if the file exists by now
        _to_disk(file.parent)
    except FileExistsError:
        raise BackupError(f"{file} exists: remove it, or choose another name.") from None
    except OSError as error:
        raise BackupError(f"{file} can't be written: {error.strerror or error}.") from None
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


def _to_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _path(url: URL) -> Path:
    """The database's file; Flask-SQLAlchemy has made the path absolute."""
    return Path(url.database or "")
