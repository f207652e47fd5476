"""Triggers that were altered are noticed, at little cost, and by whoever asks next."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.edge.changes import install_triggers
from app.edge.changes.drift_monitor import CHECK_INTERVAL, DriftMonitor

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
        self.now += CHECK_INTERVAL.total_seconds()


@pytest.fixture
def ticks() -> Ticks:
    """A clock that stands still."""
    return Ticks()


@pytest.fixture
def watchman(engine: Engine, ticks: Ticks) -> DriftMonitor:
    """A watchman over each of the databases."""
    return DriftMonitor(engine, WATCHED, ticks=ticks)


def run(engine: Engine, statement: str) -> None:
    """Execute a statement, as somebody in a shell does."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_all_is_well_after_installing(watchman: DriftMonitor) -> None:
    """Writes don't count as trouble."""
    assert watchman.current_problem() is None


def test_a_dropped_trigger_is_noticed(engine: Engine, watchman: DriftMonitor, ticks: Ticks) -> None:
    """The sentence says what to do."""
    watchman.current_problem()
    run(engine, DROP[engine.dialect.name])
    ticks.pass_by()
    assert "run `flask edge triggers install`" in (watchman.current_problem() or "")


def test_an_altered_table_is_noticed(engine: Engine, watchman: DriftMonitor, ticks: Ticks) -> None:
    """A new column with a default changes rows that no trigger sees."""
    watchman.current_problem()
    run(engine, ALTER)
    ticks.pass_by()
    assert watchman.current_problem() is not None


def test_trouble_at_the_start_is_noticed_at_once(engine: Engine, ticks: Ticks) -> None:
    """Nothing was asked before."""
    run(engine, DROP[engine.dialect.name])
    assert DriftMonitor(engine, WATCHED, ticks=ticks).current_problem() is not None


def test_trouble_ends_when_the_triggers_are_made_anew(
    engine: Engine, watchman: DriftMonitor, ticks: Ticks
) -> None:
    """No process has to be restarted."""
    run(engine, DROP[engine.dialect.name])
    assert watchman.current_problem() is not None
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    ticks.pass_by()
    assert watchman.current_problem() is None


def test_a_moment_later_nothing_is_asked(
    engine: Engine, watchman: DriftMonitor, ticks: Ticks
) -> None:
    """Within the rest no statement at all; after it one, while nothing has moved."""
    watchman.current_problem()
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(100):
        watchman.current_problem()
    assert statements == []
    ticks.pass_by()
    watchman.current_problem()
    assert len([one for one in statements if one != "BEGIN"]) == 1


def test_whoever_keeps_pages_is_told_once(engine: Engine, ticks: Ticks) -> None:
    """And once more for the next trouble."""
    calls: list[int] = []
    watchman = DriftMonitor(engine, WATCHED, ticks=ticks, on_problem=lambda: calls.append(1))
    for _ in range(2):
        run(engine, DROP[engine.dialect.name])
        assert watchman.check_now()
        assert watchman.check_now()
        with engine.begin() as connection:
            install_triggers(connection, WATCHED)
        assert watchman.check_now() is None
    assert len(calls) == 2


def test_triggers_that_were_put_back_are_told(engine: Engine, ticks: Ticks) -> None:
    """They are as they were, but what was written without them nobody knows."""
    calls: list[int] = []
    watchman = DriftMonitor(engine, WATCHED, on_problem=lambda: calls.append(1), ticks=ticks)
    watchman.current_problem()
    for statements in PUT_BACK[engine.dialect.name](engine):
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        ticks.pass_by()
        assert watchman.current_problem() is None
    assert calls == [1]
    ticks.pass_by()
    assert watchman.current_problem() is None
    assert calls == [1]


def _put_back_on_sqlite(engine: Engine) -> list[list[str]]:
    with engine.connect() as connection:
        words = "SELECT sql FROM sqlite_master WHERE name = 'edge_post_update'"
        definition = connection.exec_driver_sql(words).scalar_one()
    return [[DROP["sqlite"], "UPDATE post SET title = 'x'", definition]]


def _put_back_on_postgresql(_engine: Engine) -> list[list[str]]:
    alter = "ALTER TABLE post {} TRIGGER edge_post_update"
    return [[alter.format("DISABLE"), "UPDATE post SET title = 'x'", alter.format("ENABLE ALWAYS")]]


PUT_BACK = {"sqlite": _put_back_on_sqlite, "postgresql": _put_back_on_postgresql}


def test_3_1_a_unique_index_that_came_later_is_trouble(engine: Engine, ticks: Ticks) -> None:
    """REPLACE would push rows out by it that no trigger of SQLite's logs."""
    run(engine, "CREATE UNIQUE INDEX later ON post (views)")
    assert DriftMonitor(engine, WATCHED, ticks=ticks).current_problem() is not None


def test_a_table_that_can_be_watched_no_more_is_trouble(engine: Engine, ticks: Ticks) -> None:
    """It is said, not raised."""
    run(engine, "CREATE UNIQUE INDEX later ON post (lower(slug))")
    problem = DriftMonitor(engine, WATCHED, ticks=ticks).current_problem() or ""
    assert "unique index on an expression" in problem


def test_a_database_that_does_not_answer_is_trouble(ticks: Ticks) -> None:
    """In doubt nothing is shared."""
    engine = sa.create_engine("sqlite:////nowhere/at/all.db")
    assert "could not be asked" in (
        DriftMonitor(engine, WATCHED, ticks=ticks).current_problem() or ""
    )


def test_a_database_that_is_away_is_no_reason_to_forget(tmp_path: Path, ticks: Ticks) -> None:
    """Nobody writes to it meanwhile; what it is like when it is back is looked at then."""
    calls: list[int] = []
    file = tmp_path / "a.db"
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    watchman = DriftMonitor(engine, WATCHED, ticks=ticks, on_problem=lambda: calls.append(1))
    assert watchman.check_now() is None
    renamed_file = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "is away" in (watchman.check_now() or "")
    file.rmdir()
    renamed_file.rename(file)
    assert (watchman.check_now(), calls) == (None, [])
    renamed_file = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "is away" in (watchman.check_now() or "")
    file.rmdir()
    renamed_file.rename(file)
    run(engine, DROP["sqlite"])
    assert "altered" in (watchman.check_now() or "")
    assert calls == [1]
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

    watchman = DriftMonitor(engine, WATCHED, ticks=ticks, on_problem=purge)
    assert watchman.check_now() is None
    run(engine, DROP[engine.dialect.name])
    assert watchman.check_now() is not None
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    assert "could not be purged" in (watchman.check_now() or "")
    assert "could not be purged" in (watchman.current_problem() or "")
    assert watchman.check_now() is None
    assert len(attempts) == 3
