"""A small watched schema: posts, authors, topics and links, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Engine, make_url

from app.edge.changes import WatchedTable, define_tables, install_triggers
from app.edge.changes.change import Change
from app.edge.dependencies import (
    Dependency,
    DependencyPlan,
    PublicSchema,
    RenderRecord,
    analyse_select,
)
from app.edge.dependencies.plan import ParameterValues

metadata = sa.MetaData()
define_tables(metadata)

author = sa.Table(
    "author",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20)),
    sa.Column("active", sa.Boolean),
)
post = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(20), unique=True),
    sa.Column("status", sa.String(20)),
    sa.Column("title", sa.String(20)),
    sa.Column("published_at", sa.DateTime),
    sa.Column("author_id", sa.ForeignKey("author.id", ondelete="SET NULL")),
)
topic = sa.Table(
    "topic",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(20)),
)
link = sa.Table(
    "link",
    metadata,
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("topic_id", sa.ForeignKey("topic.id", ondelete="CASCADE"), primary_key=True),
)
private = sa.Table("private", metadata, sa.Column("id", sa.Integer, primary_key=True))

WATCHED = (
    WatchedTable(table="author", compared_columns=("active",)),
    WatchedTable(
        table="post",
        compared_columns=("slug", "status", "author_id"),
        instant_columns=("published_at",),
    ),
    WatchedTable(table="topic"),
    WatchedTable(table="link"),
)
POSTGRES: sa.Dialect = make_url("postgresql+psycopg://").get_dialect()()
SCHEMA = PublicSchema.from_watched_tables(WATCHED)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An empty database with the schema and its triggers."""
    engine = memory()
    yield engine
    engine.dispose()


def memory() -> Engine:
    """Create a database in memory with the watched tables and their triggers."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)

    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
    return engine


def run_and_record(
    connection: Connection, statement: sa.Executable, schema: PublicSchema = SCHEMA
) -> tuple[list[tuple[object, ...]], set[Dependency]]:
    """Run a statement; return its rows and their dependencies."""
    results: list[tuple[list[tuple[object, ...]], set[Dependency]]] = []

    def after(_c: object, cursor: object, _s: str, _p: object, context: object, _m: bool) -> None:
        rows = cursor.fetchall()  # type: ignore[attr-defined]
        plan = analyse_select(context.compiled, schema)  # type: ignore[attr-defined]
        parameters = ParameterValues(
            values=context.compiled_parameters[0],  # type: ignore[attr-defined]
            expanded=context._expanded_parameters or {},  # type: ignore[attr-defined]
        )
        record = RenderRecord()
        plan.add_to(record, parameters, rows)
        results.append((rows, record.dependencies))

    event.listen(connection, "after_cursor_execute", after)
    try:
        connection.execute(statement)
    finally:
        event.remove(connection, "after_cursor_execute", after)
    return results[0]


def compiled_plan(statement: sa.SelectBase, dialect: sa.Dialect | None = None) -> DependencyPlan:
    """Return the dependency plan of a statement, by default compiled for SQLite."""
    compiled = statement.compile(dialect=dialect or sqlite.dialect())
    return analyse_select(compiled, SCHEMA)


def rows_of(connection: Connection, statement: Any) -> list[tuple[object, ...]]:
    """Return the rows, sorted if the statement has no ORDER BY."""
    rows = [tuple(row) for row in connection.execute(statement)]
    return rows if getattr(statement, "_order_by_clauses", ()) else sorted(rows, key=repr)


def changes(connection: Connection) -> list[Change]:
    """Return the changes in the log, and empty it."""
    rows = connection.exec_driver_sql(
        "SELECT of_table, op, old, new, changed FROM edge_change ORDER BY id",
    ).all()
    connection.exec_driver_sql("DELETE FROM edge_change")
    return [
        Change.from_row(t, op, (old, new), changed_columns)
        for t, op, old, new, changed_columns in rows
    ]
