"""The change log: what is resolved one by one, what in bulk, and how a long log is cleared."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.log import changes_since, count_unresolved, sweep, take_unresolved

from .conftest import post


def write_rows(connection: Connection, *numbers: int) -> None:
    """Insert some posts."""
    connection.execute(sa.insert(post), [{"id": n, "slug": str(n)} for n in numbers])


def take_until_empty(engine: Engine, *, most: int) -> list[object]:
    """The keys of the posts whose changes are taken from the log."""
    with engine.begin() as connection:
        batch = take_unresolved(connection, limit=most)
    return [(change.new or {})["id"] for change in batch]


def swept(engine: Engine, *, most: int) -> int:
    """Sweep once."""
    with engine.begin() as connection:
        return sweep(connection, limit=most)


@pytest.fixture
def long(engine: Engine) -> Engine:
    """A log of ten entries, more than were told apart."""
    with engine.begin() as connection:
        write_rows(connection, *range(10))
    assert len(take_until_empty(engine, most=5)) == 6
    return engine


def test_what_was_answered_in_bulk_is_not_taken_again(long: Engine) -> None:
    """Though none of the entries was written to."""
    assert take_until_empty(long, most=5) == []
    with long.begin() as connection:
        assert count_unresolved(connection) == 10


def test_what_came_after_it_is_taken_by_itself(long: Engine) -> None:
    """Before and while the rest is swept."""
    for number in (20, 21):
        with long.begin() as connection:
            write_rows(connection, number)
        assert take_until_empty(long, most=5) == [number]
        assert swept(long, most=2) == 2


def test_a_long_log_is_cleared_in_parts_of_a_bounded_size(long: Engine) -> None:
    """And leaves no trace in the end."""
    assert [swept(long, most=4) for _ in range(5)] == [4, 4, 2, 0, 0]
    with long.begin() as connection:
        assert count_unresolved(connection) == 0
        meta_names = connection.exec_driver_sql("SELECT name FROM edge_meta").scalars().all()
    assert "answered" not in meta_names


def test_a_mark_from_before_can_not_be_compared_once_the_log_was_swept(engine: Engine) -> None:
    """Whoever read before a bulk import must not be registered after it."""
    with engine.begin() as connection:
        before = current_log_position(connection)
    with engine.begin() as connection:
        write_rows(connection, *range(10))
    take_until_empty(engine, most=5)
    swept(engine, most=4)
    with engine.begin() as connection:
        assert changes_since(connection, before, limit=50) is None
        assert changes_since(connection, current_log_position(connection), limit=50) == []


def test_whoever_was_still_writing_is_taken_when_he_commits(engine: Engine) -> None:
    """On PostgreSQL his numbers are lower than those of the bulk that came to its end first."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with engine.connect() as late, late.begin():
        write_rows(late, 99)
        with engine.begin() as connection:
            write_rows(connection, *range(10))
        assert len(take_until_empty(engine, most=5)) == 6
        assert swept(engine, most=50) == 0
    assert take_until_empty(engine, most=5) == [99]
    assert swept(engine, most=50) == 10
