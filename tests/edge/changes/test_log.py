"""The change log: changes are resolved one by one or in bulk, and a long log is swept."""

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


def take_until_empty(engine: Engine, *, limit: int) -> list[object]:
    """Take unresolved changes; return the keys of their posts."""
    with engine.begin() as connection:
        batch = take_unresolved(connection, limit=limit)
    return [(change.new or {})["id"] for change in batch]


def sweep_once(engine: Engine, *, limit: int) -> int:
    """Sweep once; return the number of deleted changes."""
    with engine.begin() as connection:
        return sweep(connection, limit=limit)


@pytest.fixture
def long(engine: Engine) -> Engine:
    """A log of ten changes that were taken in bulk."""
    with engine.begin() as connection:
        write_rows(connection, *range(10))
    assert len(take_until_empty(engine, limit=5)) == 6
    return engine


def test_changes_that_were_taken_in_bulk_are_not_taken_again(long: Engine) -> None:
    """The position covers them, although no entry was updated."""
    assert take_until_empty(long, limit=5) == []
    with long.begin() as connection:
        assert count_unresolved(connection) == 10


def test_changes_after_a_bulk_are_taken_one_by_one(long: Engine) -> None:
    """Later changes are taken one by one, before and during the sweep."""
    for number in (20, 21):
        with long.begin() as connection:
            write_rows(connection, number)
        assert take_until_empty(long, limit=5) == [number]
        assert sweep_once(long, limit=2) == 2


def test_a_long_log_is_cleared_in_parts_of_a_bounded_size(long: Engine) -> None:
    """At the end the stored position is deleted too."""
    assert [sweep_once(long, limit=4) for _ in range(5)] == [4, 4, 2, 0, 0]
    with long.begin() as connection:
        assert count_unresolved(connection) == 0
        meta_names = connection.exec_driver_sql("SELECT name FROM edge_meta").scalars().all()
    assert "answered" not in meta_names


def test_a_mark_from_before_can_not_be_compared_once_the_log_was_sweep_once(engine: Engine) -> None:
    """A page that was read before a bulk import must not be registered after it."""
    with engine.begin() as connection:
        before = current_log_position(connection)
    with engine.begin() as connection:
        write_rows(connection, *range(10))
    take_until_empty(engine, limit=5)
    sweep_once(engine, limit=4)
    with engine.begin() as connection:
        assert changes_since(connection, before, limit=50) is None
        assert changes_since(connection, current_log_position(connection), limit=50) == []


def test_a_transaction_that_commits_late_is_taken_after_its_commit(engine: Engine) -> None:
    """On PostgreSQL a late commit has lower numbers than the bulk that committed first."""
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    with engine.connect() as late, late.begin():
        write_rows(late, 99)
        with engine.begin() as connection:
            write_rows(connection, *range(10))
        assert len(take_until_empty(engine, limit=5)) == 6
        assert sweep_once(engine, limit=50) == 0
    assert take_until_empty(engine, limit=5) == [99]
    assert sweep_once(engine, limit=50) == 10
