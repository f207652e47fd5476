"""How the two databases are spoken to: the declarative base, instants, transactions, migrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
import sqlalchemy as sa
from flask import Flask
from flask_alembic import Alembic
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase

WRITING = {"sqlite_begin": "IMMEDIATE"}
"""Execution options of a transaction that will write: it takes SQLite's write lock at once."""

MIGRATING = 0x42524F41
"""The key of PostgreSQL's advisory lock around migrations."""


class Base(DeclarativeBase):
    """The base of every model; constraints get the same name on every database."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )


class Instant(sa.TypeDecorator[datetime]):
    """An aware instant in UTC; SQLite has no time zones, so it keeps UTC without saying so."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a naive datetime: nobody knows which instant it means."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the instant back in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


def engine_options(url: str) -> dict[str, Any]:
    """What `create_engine` needs for this database."""
    if make_url(url).get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 5.0, "check_same_thread": False}}
    return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}


def listen(engine: Engine) -> None:
    """Make a SQLite engine safe for many processes: WAL, real transactions, foreign keys."""
    if engine.dialect.name != "sqlite":
        return
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing; _on_begin does
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _on_begin(connection: Connection) -> None:
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {kind}")


class NewerDatabase(click.ClickException):
    """The database knows a migration that this code does not."""


class Migrations(Alembic):
    """Flask-Alembic, safe when processes upgrade at once and when SQLite rebuilds a table."""

    def init_app(self, app: Flask) -> None:
        """Register the `flask db` commands."""
        app.config["ALEMBIC"] = {"script_location": "../migrations"}
        app.config["ALEMBIC_CONTEXT"] = {
            "render_as_batch": True,
            "transactional_ddl": True,
            "compare_type": True,
            "include_object": _ours,
        }
        super().init_app(app)

    def run_migrations(self, fn: Callable[..., Any], **kwargs: Any) -> None:
        """Run migrations in one transaction that no other upgrade can enter."""
        connection = self.migration_context.connection
        if connection is None:  # pragma: no cover - Flask-Alembic always connects
            raise RuntimeError("migrations need a connection")
        with _alone(connection):
            super().run_migrations(self._known(fn), **kwargs)

    def _known(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """`fn`, but a database that is newer than the code is refused in one sentence."""

        def steps(revision: Any, context: Any) -> Any:
            known = {script.revision for script in self.script_directory.walk_revisions()}
            strangers = [r for r in revision or () if r not in known]
            if strangers:
                raise NewerDatabase(
                    f"The database is at migration {strangers[0]}, which this code does not know: "
                    "it was upgraded by a newer release. Deploy that release, or restore a backup.",
                )
            return fn(revision, context)

        return steps


def _ours(_object: object, name: str | None, kind: str, _reflected: bool, _compare: object) -> bool:  # noqa: FBT001 - Alembic calls it so
    """Tell whether autogenerate looks at a table: search indexes are made by hand in migrations."""
    return not (kind == "table" and name is not None and name.startswith("post_search"))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    if connection.in_transaction():
        connection.rollback()
    if connection.dialect.name != "sqlite":
        event.listen(connection, "begin", _lock_migrations)
        yield
        return
    connection.execution_options(**WRITING)
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA busy_timeout=60000")
    # Rebuilding a table drops it; with foreign keys on, its children's rows would go with it.
    raw.execute("PRAGMA foreign_keys=OFF")
    event.listen(connection, "commit", _check_foreign_keys)
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")
        raw.execute("PRAGMA busy_timeout=5000")
        connection.execution_options(sqlite_begin="DEFERRED")


def _lock_migrations(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if broken:
        raise RuntimeError(f"the migration would leave rows without their parent: {broken[:5]}")


def reason(error: OperationalError) -> str:
    """The database's own first line about a failed connection."""
    return str(error.orig).strip().splitlines()[0] if error.orig else str(error)
