"""Copies of a SQLite database, and its write-ahead log at a clean stop."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from .copy_errors import BackupError, KnowsRevision, check_revisions

_log = logging.getLogger(__name__)

_PATIENCE = timedelta(seconds=1)
"""How long a lock is waited for that an idle process gives back at once."""

_IN_USE = (
    "A process has the database open: stop the site, its relay and every `flask` command, "
    "then restore again. Nothing was changed."
)


def save(database: Path, file: Path) -> None:
    """Copy a database into a single file without a log; other processes may keep writing."""
    try:
        with (
            closing(_open(database, mode="ro")) as source,
            closing(sqlite3.connect(file, isolation_level=None)) as copy,
        ):
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            _check(copy, file)
    except sqlite3.Error as error:
        raise BackupError(f"{database} could not be copied: {error}.") from None


def load(database: Path, file: Path, *, knows: KnowsRevision) -> None:
    """Replace a database's content in one transaction, while no other process has it open.

    The file itself stays, with its owner and its permissions. Its log is written back and removed
    before, so that no entry of it can come back.
    """
    try:
        with closing(_open(file, mode="ro")) as source:
            _check(source, file)
            check_revisions(_revisions(source), file, knows)
            with _alone(database) as target:
                source.backup(target)
                _check(target, database)
    except sqlite3.Error as error:
        raise BackupError(f"{file} could not be restored: {error}.") from None


def remove_log(database: Path) -> None:
    """Write the write-ahead log back and remove it, as far as no other process needs it.

    A file that is copied over the database later would otherwise be overwritten from the log.
    """
    if not Path(f"{database}-wal").exists():
        return
    try:
        with closing(_open(database, mode="rw")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        _log.warning("database.log_not_removed: %s-wal is left behind (%s)", database, error)


def _open(database: Path, *, mode: str) -> sqlite3.Connection:
    address = f"{database.absolute().as_uri()}?mode={mode}"
    timeout = _PATIENCE.total_seconds()
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=timeout)


@contextmanager
def _alone(database: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that no other process has open, and lock it until the end."""
    with closing(_open(database, mode="rwc")) as connection:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        try:
            # SQLite leaves the log only where no other connection is there.
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise BackupError(_IN_USE) from None
        yield connection


def _revisions(connection: sqlite3.Connection) -> list[str]:
    tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
    if connection.execute(tables).fetchone() is None:
        return []
    return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version")]


def _check(connection: sqlite3.Connection, file: Path) -> None:
    """Refuse a database whose pages are damaged."""
    messages = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    if messages != ["ok"]:
        raise BackupError(f"{file} is damaged: {messages[0]}.")
