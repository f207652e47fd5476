"""The change log at its limits, on SQLite: positions, trimming, sweeping, batch ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position, history, install_triggers, log
from app.edge.changes.change import Change, Op
from app.edge.changes.history import batch_ids, latest_batch_id, start_new_history
from app.edge.changes.log import (
    append_change,
    changes_of_this_transaction,
    changes_since,
    last_change_id,
    needs_sweep,
    newest_changes,
    reset_log,
    sweep,
    take_unresolved,
    unresolved_changes,
)
from app.edge.changes.metadata import set_meta

from .conftest import WATCHED, metadata


@pytest.fixture
def connection(sqlite_engine: Engine) -> Iterator[Connection]:
    """A transaction on an empty log."""
    with sqlite_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
        yield connection


def write(connection: Connection, *numbers: int) -> None:
    """Log a change for each number."""
    for number in numbers:
        append_change(connection, Change(table="t", op=Op.INSERT, new={"id": number}))


def numbers_of(changes: list[Change] | None) -> list[int] | None:
    """Return the numbers of changes."""
    return None if changes is None else [(change.new or {})["id"] for change in changes]


def position(connection: Connection) -> int:
    """Return the current log position as a number."""
    return int(current_log_position(connection))


@pytest.mark.parametrize(
    ("count", "outcome"), [(0, []), (1, [0]), (3, [0, 1, 2]), (4, None), (9, None)]
)
def test_the_limit_of_changes_is_exact(
    connection: Connection, count: int, outcome: list[int] | None
) -> None:
    """As many changes as the limit are returned; with one more they can't be determined."""
    before = current_log_position(connection)
    write(connection, *range(count))
    assert numbers_of(changes_since(connection, before, limit=3)) == outcome


POSITIONS = {"at the floor": 0, "before the floor": -1, "after the floor": 1, "the newest": 2}


@pytest.mark.parametrize("offset", POSITIONS.values(), ids=POSITIONS)
def test_a_position_is_compared_down_to_the_trimmed_end(
    connection: Connection, offset: int
) -> None:
    """All changes after the highest deleted one exist."""
    floor = position(connection)
    set_meta(connection, "floor", str(floor))
    write(connection, 1, 2)
    result = numbers_of(changes_since(connection, str(floor + offset), limit=9))
    assert result == (None if offset < 0 else [1, 2][offset:])


@pytest.mark.parametrize("text", ["", "-1", "1.0", "a", "10:20:", " 1"])
def test_a_text_that_is_no_position_cant_be_compared(connection: Connection, text: str) -> None:
    """A position of PostgreSQL, or none, has nothing in common with this log."""
    assert changes_since(connection, text, limit=9) is None


def test_a_position_ahead_of_the_log_cant_be_compared(connection: Connection) -> None:
    """It was read from another database: a backup was restored since."""
    write(connection, 1)
    at = position(connection)
    assert changes_since(connection, str(at), limit=9) == []
    assert changes_since(connection, str(at + 1), limit=9) is None


@pytest.mark.parametrize("count", [2, 3, 4, 9])
def test_the_newest_resolved_changes_are_kept(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Renders that began before them are compared with them; older ones are refused."""
    monkeypatch.setattr(log, "KEEP_RESOLVED", 3)
    before = position(connection)
    write(connection, *range(count))
    assert numbers_of(take_unresolved(connection, limit=50)) == [*range(count)]
    remaining = min(count, 3)
    assert len(newest_changes(connection, limit=50)) == remaining
    first = before + count - remaining
    assert (
        numbers_of(changes_since(connection, str(first), limit=50)) == [*range(count)][-remaining:]
    )
    if count > remaining:
        assert changes_since(connection, str(first - 1), limit=50) is None


def test_unresolved_changes_are_never_trimmed(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL an older change may be committed after a newer one was resolved."""
    monkeypatch.setattr(log, "KEEP_RESOLVED", 2)
    write(connection, *range(6))
    log._set_resolved(connection, [last_change_id(connection) - number for number in (0, 5)])
    assert numbers_of(unresolved_changes(connection, limit=50)) == [1, 2, 3, 4]
    assert len(newest_changes(connection, limit=50)) == 5


def test_the_trimmed_end_never_goes_back(connection: Connection) -> None:
    """A sweep of older changes leaves a higher trimmed end as it is."""
    write(connection, *range(6))
    take_unresolved(connection, limit=2)
    set_meta(connection, "floor", str(position(connection)))
    sweep(connection, limit=2)
    assert changes_since(connection, str(position(connection) - 1), limit=9) is None
    assert changes_since(connection, str(position(connection)), limit=9) == []


@pytest.mark.parametrize(("count", "in_bulk"), [(2, False), (3, True)])
def test_more_changes_than_the_limit_are_taken_in_bulk(
    connection: Connection, count: int, *, in_bulk: bool
) -> None:
    """The call returns one more than the limit then, and `sweep` deletes them all later."""
    write(connection, *range(count))
    assert len(take_unresolved(connection, limit=2)) == count
    assert needs_sweep(connection) is in_bulk
    assert unresolved_changes(connection, limit=9) == []
    write(connection, 7)
    assert numbers_of(unresolved_changes(connection, limit=9)) == [7]
    assert sweep(connection, limit=9) == (count if in_bulk else 0)
    assert numbers_of(unresolved_changes(connection, limit=9)) == [7]


def test_a_bulk_position_of_a_restored_database_is_forgotten(connection: Connection) -> None:
    """A position ahead of the log would hide every later change."""
    set_meta(connection, "answered", str(position(connection) + 5))
    write(connection, 1)
    assert numbers_of(unresolved_changes(connection, limit=9)) == [1]
    assert sweep(connection, limit=9) == 0
    assert not needs_sweep(connection)


def test_changes_are_returned_in_their_order(connection: Connection) -> None:
    """Oldest first for resolving, newest first for the list of an operator."""
    write(connection, 5, 3, 4)
    assert numbers_of(unresolved_changes(connection, limit=9)) == [5, 3, 4]
    newest = newest_changes(connection, limit=2)
    assert numbers_of([change for _, change in newest]) == [4, 3]
    assert newest[0][0] == last_change_id(connection)


@pytest.mark.parametrize(("limit", "count"), [(1, 2), (2, 3), (3, 3), (9, 3)])
def test_changes_of_a_transaction_begin_after_an_id(
    connection: Connection, limit: int, count: int
) -> None:
    """At most one more than the limit is returned."""
    write(connection, 1)
    before = last_change_id(connection)
    write(connection, 2, 3, 4)
    mine = changes_of_this_transaction(connection, after=before, limit=limit)
    assert numbers_of(mine) == [2, 3, 4][:count]


def test_an_appended_change_is_read_as_it_was_written(connection: Connection) -> None:
    """Images, changed columns and an empty image survive; a missing one stays missing."""
    changes = [
        Change(table="t", op=Op.UPDATE, old={}, new={"a": None}, changed_columns=frozenset({"a"})),
        Change(table="t", op=Op.DELETE, old={"a": "é"}),
    ]
    for change in changes:
        append_change(connection, change)
    assert unresolved_changes(connection, limit=9) == changes
    assert all(change.written_at for change in unresolved_changes(connection, limit=9))


def test_batch_ids_are_kept_up_to_their_limit(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest ids stay, the latest one last; a new history has one id."""
    monkeypatch.setattr(history, "MAX_BATCH_IDS", 3)
    assert batch_ids(connection) == []
    first = latest_batch_id(connection)
    assert latest_batch_id(connection) == first
    added = [history.append_batch_id(connection) for _ in range(3)]
    assert batch_ids(connection) == added
    assert latest_batch_id(connection) == added[-1]
    start_new_history(connection)
    assert len(batch_ids(connection)) == 1
    assert batch_ids(connection)[0] not in added


@pytest.mark.parametrize(("count", "is_new"), [(0, False), (1, True), (9, True)])
def test_each_batch_of_changes_has_an_id(
    connection: Connection, count: int, *, is_new: bool
) -> None:
    """Without changes no id is added; in bulk and one by one it is."""
    before = latest_batch_id(connection)
    write(connection, *range(count))
    take_unresolved(connection, limit=4)
    assert (latest_batch_id(connection) != before) is is_new


def test_a_reset_log_has_one_change_that_stands_for_everything(connection: Connection) -> None:
    """Its positions and its batch ids begin again."""
    write(connection, *range(6))
    take_unresolved(connection, limit=2)
    set_meta(connection, "floor", "5")
    before = latest_batch_id(connection)
    reset_log(connection)
    assert [change.op for change in unresolved_changes(connection, limit=9)] == [Op.EVERYTHING]
    assert not needs_sweep(connection)
    assert batch_ids(connection) != [before]
    assert connection.scalar(sa.text("SELECT count(*) FROM edge_meta WHERE name = 'floor'")) == 0
