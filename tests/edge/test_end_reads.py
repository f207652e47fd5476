"""A read-only transaction ends before its response is registered, and begins again on demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.dependencies import PublicSchema, recorder
from app.edge.dependencies.engine_events import EngineListener, end_reads

from .purge.conftest import WATCHED, build, connect, post


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database file whose reads are recorded."""
    engine = connect(f"sqlite:///{tmp_path / 'site.db'}")
    build(engine, posts=2)
    EngineListener(PublicSchema.from_watched_tables(WATCHED)).attach(engine)
    yield engine
    engine.dispose()


def is_open(connection: Connection) -> bool:
    """Return whether the SQLite connection is in a transaction."""
    raw: Any = connection.connection.driver_connection
    return bool(raw.in_transaction)


def test_a_transaction_that_only_reads_ends(engine: Engine) -> None:
    """SQLite can reset its write-ahead log while the application keeps the connection."""
    with engine.connect() as connection:
        record = recorder.begin()
        connection.execute(sa.select(post)).all()
        assert is_open(connection)
        end_reads(record)
        recorder.end()
        assert not is_open(connection)


def test_a_later_write_can_be_rolled_back(engine: Engine) -> None:
    """The next statement of the application begins a new transaction."""
    with engine.connect() as connection:
        record = recorder.begin()
        connection.execute(sa.select(post)).all()
        end_reads(record)
        recorder.end()
        connection.execute(sa.update(post).values(version=7))
        connection.rollback()
        assert set(connection.scalars(sa.select(post.c.version))) == {0}
        connection.execute(sa.update(post).values(version=8))
        connection.commit()
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(post.c.version))) == {8}


@pytest.mark.parametrize("nested", [False, True], ids=["written", "savepoint"])
def test_a_transaction_that_wrote_or_has_a_savepoint_stays(engine: Engine, nested: bool) -> None:
    """Its end would commit rows that the application may still roll back."""
    with engine.connect() as connection:
        record = recorder.begin()
        if nested:
            connection.begin_nested()
        else:
            connection.execute(sa.update(post).values(version=7))
        connection.execute(sa.select(post)).all()
        end_reads(record)
        recorder.end()
        assert is_open(connection)
        connection.rollback()
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(post.c.version))) == {0}
