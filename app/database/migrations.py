"""The migrations: one upgrade at a time, atomic, and without losing rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from alembic.migration import MigrationContext
from alembic.util import CommandError
from flask import Flask
from flask_alembic import Alembic
from sqlalchemy import event
from sqlalchemy.engine import Connection

from app.edge import changes
from app.edge.alembic import restore_triggers, without_triggers
from app.edge.changes import Watched

from .engine import PATIENCE, WRITING

MIGRATING = 0x42524F41
"""The key of PostgreSQL's advisory lock around migrations."""


class NewerDatabase(click.ClickException):
    """The database knows a migration that this code does not."""


class BrokenReferences(click.ClickException):
    """A migration would leave rows without their parent; nothing was changed."""


class Migrations(Alembic):
    """Flask-Alembic, safe when processes upgrade at once and when SQLite rebuilds a table.

    The triggers of the `watched` tables are removed before the migrations and installed after
    them, in the same transaction.
    """

    def __init__(self, *, watched: Sequence[Watched] = ()) -> None:
        super().__init__(run_mkdir=False)
        self.watched = watched

    def init_app(self, app: Flask) -> None:
        """Register the `flask db` commands."""
        app.config["ALEMBIC"] = {"script_location": "../migrations"}
        app.config["ALEMBIC_CONTEXT"] = {
            "render_as_batch": True,
            "transactional_ddl": True,
            "compare_type": True,
            "include_object": _ours,
        }
        logging.getLogger("alembic.runtime.migration").addFilter(_worth_saying)
        logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
        super().init_app(app)

    def rev_id(self) -> str:
        """Return the next number: migrations are read in the order of their names."""
        numbers = [script.revision for script in self.script_directory.walk_revisions()]
        return f"{max((int(name) for name in numbers if name.isdecimal()), default=0) + 1:04d}"

    def run_migrations(self, fn: Callable[..., Any], **kwargs: Any) -> None:
        """Run migrations in one transaction that no other upgrade can enter."""
        connection = self.migration_context.connection
        if connection is None:  # pragma: no cover - Flask-Alembic always connects
            raise RuntimeError("migrations need a connection")
        try:
            with _alone(connection):
                super().run_migrations(self._refuse_newer(fn), **kwargs)
        except CommandError as error:
            raise click.ClickException(f"{str(error).rstrip('.')}.") from None

    def trouble(self, connection: Connection) -> str | None:
        """Return why this code can't work with the database's schema, or None if it can."""
        current = MigrationContext.configure(connection).get_current_heads()
        if stranger := self._unknown_revision(current):
            return _newer(stranger)
        needed = self.script_directory.get_heads()
        if set(current) == set(needed):
            return None
        state = f"is at migration {', '.join(current)}" if current else "has no tables yet"
        return f"The database {state}, this code needs {', '.join(needed)}: run `flask db upgrade`."

    def _refuse_newer(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `fn`: raise NewerDatabase for a database that is newer than the code."""

        def steps(revision: Any, context: Any) -> Any:
            if stranger := self._unknown_revision(revision or ()):
                raise NewerDatabase(_newer(stranger))
            migration_steps = list(fn(revision, context))
            if migration_steps:
                yield from without_triggers(lambda *_: migration_steps, self.watched)(
                    revision, context
                )
            elif changes.drift(context.connection, self.watched) is not None:
                # Sound triggers are left alone: to install them would purge everything.
                restore_triggers(context, self.watched)

        return steps

    def knows(self, revision: str) -> bool:
        """Tell whether this code has a migration."""
        return self._unknown_revision((revision,)) is None

    def _unknown_revision(self, revisions: Sequence[str]) -> str | None:
        known_revisions = {script.revision for script in self.script_directory.walk_revisions()}
        return next((revision for revision in revisions if revision not in known_revisions), None)


def _newer(revision: str) -> str:
    return (
        f"The database is at migration {revision}, which this code does not know: "
        "it was upgraded by a newer release. Deploy that release, or restore a backup."
    )


def _worth_saying(record: logging.LogRecord) -> bool:
    """Tell whether a log line says what was done, not how."""
    return not record.getMessage().startswith(("Context impl", "Will assume"))


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare: object) -> bool:  # noqa: FBT001 - Alembic calls it so
    """Tell whether autogenerate compares a table: migrations create search indexes by hand."""
    return not (kind == "table" and name is not None and name.startswith("post_search"))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Give the next transaction of this connection the exclusive right to migrate."""
    if connection.in_transaction():
        connection.rollback()
    alone = _alone_on_sqlite if connection.dialect.name == "sqlite" else _alone_on_postgresql
    with alone(connection):
        yield


@contextmanager
def _alone_on_postgresql(connection: Connection) -> Iterator[None]:
    """Take the advisory lock first, so that no other upgrade can change the revision."""
    event.listen(connection, "begin", _lock_migrations)
    try:
        yield
    finally:
        event.remove(connection, "begin", _lock_migrations)


@contextmanager
def _alone_on_sqlite(connection: Connection) -> Iterator[None]:
    """Take the write lock, and keep the child rows of a table that is rebuilt.

    Rebuilding drops the table; with foreign keys on, its child rows would be deleted too.
    SQLite ignores the pragma inside a transaction, so it is executed before and after.
    """
    raw: Any = connection.connection.dbapi_connection
    connection.execution_options(**WRITING)
    raw.execute("PRAGMA busy_timeout=60000")
    raw.execute("PRAGMA foreign_keys=OFF")
    event.listen(connection, "commit", _check_foreign_keys)
    try:
        yield
    finally:
        event.remove(connection, "commit", _check_foreign_keys)
        raw.rollback()  # a refused commit leaves its transaction open
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute(f"PRAGMA busy_timeout={PATIENCE.total_seconds() * 1000:.0f}")
        connection.execution_options(sqlite_begin="DEFERRED")


def _lock_migrations(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        tables = ", ".join(sorted({f"{row[0]} (to {row[2]})" for row in broken}))
        raise BrokenReferences(
            f"The migration would leave {len(broken)} rows without their parent in {tables}: "
            "nothing was changed.",
        )
