"""Statements that write are refused while a page is rendered only to look at it."""

from __future__ import annotations

from contextvars import Context
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.edge.dependencies import read_only
from app.edge.dependencies.engine_events import INTERNAL_OPTIONS
from app.edge.dependencies.read_only import WriteRefusedError, refuse_writes
from app.edge.dependencies.read_places import ReadPlaces

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

item = sa.Table("item", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("n", sa.Integer))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with one row."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    item.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(item).values(id=1, n=0))
    yield engine
    engine.dispose()


def rows(engine: Engine) -> list[tuple[int, int]]:
    """Return all rows."""
    with engine.connect() as connection:
        return [(row.id, row.n) for row in connection.execute(sa.select(item))]


WRITES: dict[str, Any] = {
    "insert": sa.insert(item).values(id=2, n=0),
    "update": sa.update(item).values(n=1),
    "delete": sa.delete(item),
    "text": sa.text("UPDATE item SET n = 1"),
    "replace": sa.text("REPLACE INTO item VALUES (2, 0)"),
    "ddl": sa.text("DROP TABLE item"),
    "text with a CTE": sa.text("WITH a AS (SELECT 1) DELETE FROM item"),
    "a statement of unknown kind": sa.text("VACUUM"),
}


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_a_statement_that_may_write_is_refused_with_its_place(
    engine: Engine, statement: Any
) -> None:
    """Nothing is sent to the database, and the message begins with the statement."""
    places = ReadPlaces("/nowhere")
    with engine.connect() as connection, refuse_writes(places):
        with pytest.raises(WriteRefusedError, match="this visit must not write: '"):
            connection.execute(statement)
        assert "write" in places
    assert places.get("write").startswith("tests/edge/dependencies/test_read_only.py:")
    assert rows(engine) == [(1, 0)]


@pytest.mark.parametrize(
    "statement",
    [sa.select(item), sa.text("SELECT n FROM item"), sa.select(item.alias())],
)
def test_reads_and_savepoints_are_not_refused(engine: Engine, statement: Any) -> None:
    """A page may read in a nested transaction."""
    places = ReadPlaces("/nowhere")
    with refuse_writes(places), engine.connect() as connection, connection.begin_nested():
        connection.execute(statement).all()
    assert "write" not in places


def test_the_library_may_write(engine: Engine) -> None:
    """Its own statements are no effects of the page."""
    places = ReadPlaces("/nowhere")
    options = {**INTERNAL_OPTIONS}
    with refuse_writes(places), engine.execution_options(**options).begin() as connection:
        connection.execute(sa.update(item).values(n=3))
    assert rows(engine) == [(1, 3)]
    assert "write" not in places


def test_writes_are_allowed_again_afterwards(engine: Engine) -> None:
    """Also after an exception; an inner block returns to the places of the outer one."""
    outer, inner = ReadPlaces("/nowhere"), ReadPlaces("/nowhere")
    with engine.connect() as connection:
        with refuse_writes(outer):
            with pytest.raises(WriteRefusedError), refuse_writes(inner):
                connection.execute(sa.delete(item))
            assert ("write" in inner, "write" in outer) == (True, False)
            with pytest.raises(WriteRefusedError):
                connection.execute(sa.delete(item))
            assert "write" in outer
        connection.execute(sa.update(item).values(n=4))
        connection.commit()
    assert rows(engine) == [(1, 4)]


def test_another_context_may_write_meanwhile(engine: Engine) -> None:
    """A request of a reader is served at the same time."""

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(sa.update(item).values(n=5))

    with refuse_writes(ReadPlaces("/nowhere")):
        Context().run(write)
    assert rows(engine) == [(1, 5)]


def test_many_visits_leave_one_listener(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise each statement would become slower with each visit."""
    calls: list[str] = []
    places = ReadPlaces("/nowhere")
    monkeypatch.setattr(ReadPlaces, "add", lambda _self, key: calls.append(key))
    for _ in range(3):
        with refuse_writes(places), pytest.raises(WriteRefusedError), engine.begin() as connection:
            connection.execute(sa.delete(item))
    assert calls == ["write"] * 3
    assert event.contains(Engine, "before_cursor_execute", read_only._refuse)
