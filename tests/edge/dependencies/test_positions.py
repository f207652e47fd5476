"""Log positions and writes: each connection of each response has a position of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import install_triggers
from app.edge.dependencies import recording
from app.edge.dependencies.engine_events import EngineListener

from .conftest import SCHEMA, WATCHED, metadata, post


@pytest.fixture
def tracked_engine(tmp_path: Path) -> Iterator[Engine]:
    """A tracked engine over a database in a file, which has several connections."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'positions.db'}")
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    EngineListener(SCHEMA).attach(engine)
    yield engine
    engine.dispose()


def insert(engine: Engine, number: int) -> None:
    """Insert a post in a transaction of its own."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=number, slug=f"s{number}"))


def test_each_connection_of_a_response_has_a_position(tracked_engine: Engine) -> None:
    """The second position is read after a commit in between, so both are compared."""
    with recording() as record:
        with tracked_engine.connect() as first:
            first.execute(sa.select(post))
            first.execute(sa.select(post.c.slug))
        assert len(record.log_positions) == 1
        with tracked_engine.connect() as second, tracked_engine.connect() as third:
            second.execute(sa.select(post))
            third.execute(sa.select(post))
    assert len(record.log_positions) in {2, 3}
    assert len(record.readers) == len(record.log_positions)


def test_a_later_response_on_the_same_connection_has_a_new_position(tracked_engine: Engine) -> None:
    """The position of an earlier response is older than the reads of the later one."""
    positions: list[str] = []
    for number in (1, 2):
        insert(tracked_engine, number)
        with recording() as record, tracked_engine.connect() as connection:
            connection.execute(sa.select(post))
        positions += record.log_positions
    assert len(positions) == 2
    assert int(positions[0]) < int(positions[1])


WRITES: dict[str, Any] = {
    "an insert": sa.insert(post).values(id=9, slug="z"),
    "an update": sa.update(post).values(title="x"),
    "a delete": sa.delete(post),
    "raw SQL": sa.text("UPDATE post SET title = 'y'"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("begins_before", [True, False])
def test_a_read_after_a_write_of_the_same_transaction_is_not_shared(
    tracked_engine: Engine, write: Any, *, begins_before: bool
) -> None:
    """Also if the write came before the response: the transaction may be rolled back."""
    with tracked_engine.connect() as connection:
        if begins_before:
            connection.execute(write)
        with recording() as record:
            if not begins_before:
                connection.execute(write)
            connection.execute(sa.select(post))
        connection.rollback()
    assert "writes to the database" in (record.unshareable_reason or "")
