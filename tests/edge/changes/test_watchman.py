"""Triggers that were altered are noticed, at little cost, and by whoever asks next."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.edge.changes import install
from app.edge.changes.watchman import OFTEN, Watchman

from .conftest import WATCHED, metadata

DROP = {
    "sqlite": "DROP TRIGGER edge_post_update",
    "postgresql": "DROP TRIGGER edge_post_update ON post",
}
ALTER = "ALTER TABLE post ADD COLUMN subtitle TEXT DEFAULT 'x'"


class Ticks:
    """Seconds that pass when somebody says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now

    def pass_by(self) -> None:
        """Let pass what a watchman rests."""
        self.now += OFTEN.total_seconds()


@pytest.fixture
def ticks() -> Ticks:
    """A clock that stands still."""
    return Ticks()


@pytest.fixture
def watchman(engine: Engine, ticks: Ticks) -> Watchman:
    """A watchman over each of the databases."""
    return Watchman(engine, WATCHED, ticks=ticks)


def run(engine: Engine, statement: str) -> None:
    """Execute a statement, as somebody in a shell does."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_all_is_well_after_installing(watchman: Watchman) -> None:
    """Writes don't count as trouble."""
    assert watchman.trouble() is None


def test_a_dropped_trigger_is_noticed(engine: Engine, watchman: Watchman, ticks: Ticks) -> None:
    """The sentence says what to do."""
    watchman.trouble()
    run(engine, DROP[engine.dialect.name])
    ticks.pass_by()
    assert "run `flask edge triggers install`" in (watchman.trouble() or "")


def test_an_altered_table_is_noticed(engine: Engine, watchman: Watchman, ticks: Ticks) -> None:
    """A new column with a default changes rows that no trigger sees."""
    watchman.trouble()
    run(engine, ALTER)
    ticks.pass_by()
    assert watchman.trouble() is not None


def test_trouble_at_the_start_is_noticed_at_once(engine: Engine, ticks: Ticks) -> None:
    """Nothing was asked before."""
    run(engine, DROP[engine.dialect.name])
    assert Watchman(engine, WATCHED, ticks=ticks).trouble() is not None


def test_trouble_ends_when_the_triggers_are_made_anew(
    engine: Engine, watchman: Watchman, ticks: Ticks
) -> None:
    """No process has to be restarted."""
    run(engine, DROP[engine.dialect.name])
    assert watchman.trouble() is not None
    with engine.begin() as connection:
        install(connection, WATCHED)
    ticks.pass_by()
    assert watchman.trouble() is None


def test_a_moment_later_nothing_is_asked(engine: Engine, watchman: Watchman, ticks: Ticks) -> None:
    """Within the rest no statement at all; after it one, while nothing has moved."""
    watchman.trouble()
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    for _ in range(100):
        watchman.trouble()
    assert said == []
    ticks.pass_by()
    watchman.trouble()
    assert len([one for one in said if one != "BEGIN"]) == 1


def test_whoever_keeps_pages_is_told_once(engine: Engine, ticks: Ticks) -> None:
    """And once more for the next trouble."""
    told: list[int] = []
    watchman = Watchman(engine, WATCHED, ticks=ticks, on_trouble=lambda: told.append(1))
    for _ in range(2):
        run(engine, DROP[engine.dialect.name])
        assert watchman.look()
        assert watchman.look()
        with engine.begin() as connection:
            install(connection, WATCHED)
        assert watchman.look() is None
    assert len(told) == 2


def test_triggers_that_were_put_back_are_told(engine: Engine, ticks: Ticks) -> None:
    """They are as they were, but what was written without them nobody knows."""
    told: list[int] = []
    watchman = Watchman(engine, WATCHED, on_trouble=lambda: told.append(1), ticks=ticks)
    watchman.trouble()
    for statements in PUT_BACK[engine.dialect.name](engine):
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        ticks.pass_by()
        assert watchman.trouble() is None
    assert told == [1]
    ticks.pass_by()
    assert watchman.trouble() is None
    assert told == [1]


def _put_back_on_sqlite(engine: Engine) -> list[list[str]]:
    with engine.connect() as connection:
        words = "SELECT sql FROM sqlite_master WHERE name = 'edge_post_update'"
        made = connection.exec_driver_sql(words).scalar_one()
    return [[DROP["sqlite"], "UPDATE post SET title = 'x'", made]]


def _put_back_on_postgresql(_engine: Engine) -> list[list[str]]:
    alter = "ALTER TABLE post {} TRIGGER edge_post_update"
    return [[alter.format("DISABLE"), "UPDATE post SET title = 'x'", alter.format("ENABLE ALWAYS")]]


PUT_BACK = {"sqlite": _put_back_on_sqlite, "postgresql": _put_back_on_postgresql}


def test_3_1_a_unique_index_that_came_later_is_trouble(engine: Engine, ticks: Ticks) -> None:
    """REPLACE would push rows out by it that no trigger of SQLite's logs."""
    run(engine, "CREATE UNIQUE INDEX later ON post (views)")
    assert Watchman(engine, WATCHED, ticks=ticks).trouble() is not None


def test_a_table_that_can_be_watched_no_more_is_trouble(engine: Engine, ticks: Ticks) -> None:
    """It is said, not raised."""
    run(engine, "CREATE UNIQUE INDEX later ON post (lower(slug))")
    said = Watchman(engine, WATCHED, ticks=ticks).trouble() or ""
    assert "unique index on an expression" in said


def test_a_database_that_does_not_answer_is_trouble(ticks: Ticks) -> None:
    """In doubt nothing is shared."""
    engine = sa.create_engine("sqlite:////nowhere/at/all.db")
    assert "could not be asked" in (Watchman(engine, WATCHED, ticks=ticks).trouble() or "")


def test_a_database_that_is_away_is_no_reason_to_forget(tmp_path: Path, ticks: Ticks) -> None:
    """Nobody writes to it meanwhile; what it is like when it is back is looked at then."""
    told: list[int] = []
    file = tmp_path / "a.db"
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        metadata.create_all(connection)
        install(connection, WATCHED)
    watchman = Watchman(engine, WATCHED, ticks=ticks, on_trouble=lambda: told.append(1))
    assert watchman.look() is None
    elsewhere = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "is away" in (watchman.look() or "")
    file.rmdir()
    elsewhere.rename(file)
    assert (watchman.look(), told) == (None, [])
    elsewhere = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "is away" in (watchman.look() or "")
    file.rmdir()
    elsewhere.rename(file)
    run(engine, DROP["sqlite"])
    assert "altered" in (watchman.look() or "")
    assert told == [1]
    engine.dispose()


def test_a_purge_that_fails_is_tried_again_and_shares_nothing_meanwhile(
    engine: Engine, ticks: Ticks
) -> None:
    """Whoever asks is given a reason and no exception; triggers that are back do not end it."""
    attempts: list[int] = []

    def purge() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise LookupError("no store")

    watchman = Watchman(engine, WATCHED, ticks=ticks, on_trouble=purge)
    assert watchman.look() is None
    run(engine, DROP[engine.dialect.name])
    assert watchman.look() is not None
    with engine.begin() as connection:
        install(connection, WATCHED)
    assert "could not be purged" in (watchman.look() or "")
    assert "could not be purged" in (watchman.trouble() or "")
    assert watchman.look() is None
    assert len(attempts) == 3
