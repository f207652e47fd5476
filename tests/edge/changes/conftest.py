"""A small watched schema for these tests, independent of the app's models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.config.parsers import database_url
from app.edge.changes import WatchedTable, define_tables, install_triggers

metadata = sa.MetaData()
define_tables(metadata)

post = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(50), unique=True),
    sa.Column("status", sa.String(20)),
    sa.Column("title", sa.Text(collation="NOCASE").with_variant(sa.Text(), "postgresql")),
    sa.Column("body", sa.Text),
    sa.Column("published_at", sa.DateTime),
    sa.Column("views", sa.Integer, server_default="0"),
)
link = sa.Table(
    "link",
    metadata,
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("topic_id", sa.Integer, primary_key=True),
)

WATCHED = (
    WatchedTable(
        table="post",
        compared_columns=("slug", "status"),
        instant_columns=("published_at",),
        ignored_columns=("views",),
    ),
    WatchedTable(table="link"),
)


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """A SQLite engine with real transactions and foreign keys."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'changes.db'}")

    @event.listens_for(engine, "connect")
    def _connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]
        connection.execute("PRAGMA foreign_keys=ON")  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    yield engine
    engine.dispose()


@pytest.fixture
def postgresql_engine(empty_postgres_url: str) -> Iterator[Engine]:
    """A PostgreSQL engine over an empty database of its own."""
    engine = sa.create_engine(database_url(empty_postgres_url))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each database in turn, with the watched tables and their triggers."""
    engine: Engine = request.getfixturevalue(f"{request.param}_engine")
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
    return engine
