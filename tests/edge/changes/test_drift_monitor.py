"""The drift monitor detects altered triggers at a low cost."""

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
    """A monotonic clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now

    def pass_by(self) -> None:
        """Advance by the time between two checks."""
        self.now += CHECK_INTERVAL.total_seconds()


@pytest.fixture
def ticks() -> Ticks:
    """A clock that the test advances."""
    return Ticks()


@pytest.fixture
def monitor(engine: Engine, ticks: Ticks) -> DriftMonitor:
    """A drift monitor of each database."""
    return DriftMonitor(engine, WATCHED, monotonic=ticks)


def run(engine: Engine, statement: str) -> None:
    """Execute a statement, as in a database shell."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def test_there_is_no_problem_after_installing(monitor: DriftMonitor) -> None:
    """The monitor reports no problem."""
    assert monitor.current_problem() is None


def test_a_dropped_trigger_is_noticed(engine: Engine, monitor: DriftMonitor, ticks: Ticks) -> None:
    """The message names the command that repairs it."""
    monitor.current_problem()
    run(engine, DROP[engine.dialect.name])
    ticks.pass_by()
    assert "run `flask edge triggers install`" in (monitor.current_problem() or "")


def test_an_altered_table_is_noticed(engine: Engine, monitor: DriftMonitor, ticks: Ticks) -> None:
    """A new column with a default changes rows without firing a trigger."""
    monitor.current_problem()
    run(engine, ALTER)
    ticks.pass_by()
    assert monitor.current_problem() is not None


def test_a_problem_at_the_start_is_noticed_at_once(engine: Engine, ticks: Ticks) -> None:
    """The first call checks the database."""
    run(engine, DROP[engine.dialect.name])
    assert DriftMonitor(engine, WATCHED, monotonic=ticks).current_problem() is not None


def test_the_problem_ends_when_the_triggers_are_reinstalled(
    engine: Engine, monitor: DriftMonitor, ticks: Ticks
) -> None:
    """The process needs no restart."""
    run(engine, DROP[engine.dialect.name])
    assert monitor.current_problem() is not None
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    ticks.pass_by()
    assert monitor.current_problem() is None


def test_no_query_runs_before_the_next_check(
    engine: Engine, monitor: DriftMonitor, ticks: Ticks
) -> None:
    """Until the next check no statement runs, and then one, if nothing was altered."""
    monitor.current_problem()
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    for _ in range(100):
        monitor.current_problem()
    assert statements == []
    ticks.pass_by()
    monitor.current_problem()
    assert len([one for one in statements if one != "BEGIN"]) == 1


def test_the_callback_runs_once_for_each_problem(engine: Engine, ticks: Ticks) -> None:
    """The callback runs once for each problem."""
    calls: list[int] = []
    monitor = DriftMonitor(engine, WATCHED, monotonic=ticks, on_problem=lambda: calls.append(1))
    for _ in range(2):
        run(engine, DROP[engine.dialect.name])
        assert monitor.check_now()
        assert monitor.check_now()
        with engine.begin() as connection:
            install_triggers(connection, WATCHED)
        assert monitor.check_now() is None
    assert len(calls) == 2


def test_triggers_that_were_altered_and_restored_are_reported(engine: Engine, ticks: Ticks) -> None:
    """The callback runs, because writes in between were not logged."""
    calls: list[int] = []
    monitor = DriftMonitor(engine, WATCHED, on_problem=lambda: calls.append(1), monotonic=ticks)
    monitor.current_problem()
    for statements in RESTORE[engine.dialect.name](engine):
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        ticks.pass_by()
        assert monitor.current_problem() is None
    assert calls == [1]
    ticks.pass_by()
    assert monitor.current_problem() is None
    assert calls == [1]


def _restore_on_sqlite(engine: Engine) -> list[list[str]]:
    with engine.connect() as connection:
        words = "SELECT sql FROM sqlite_master WHERE name = 'edge_post_update'"
        definition = connection.exec_driver_sql(words).scalar_one()
    return [[DROP["sqlite"], "UPDATE post SET title = 'x'", definition]]


def _restore_on_postgresql(_engine: Engine) -> list[list[str]]:
    alter = "ALTER TABLE post {} TRIGGER edge_post_update"
    return [[alter.format("DISABLE"), "UPDATE post SET title = 'x'", alter.format("ENABLE ALWAYS")]]


RESTORE = {"sqlite": _restore_on_sqlite, "postgresql": _restore_on_postgresql}


def test_3_1_a_unique_index_that_is_added_later_is_a_problem(engine: Engine, ticks: Ticks) -> None:
    """REPLACE would remove rows by this index that no trigger logs."""
    run(engine, "CREATE UNIQUE INDEX later ON post (views)")
    assert DriftMonitor(engine, WATCHED, monotonic=ticks).current_problem() is not None


def test_a_table_that_can_not_be_watched_any_longer_is_a_problem(
    engine: Engine, ticks: Ticks
) -> None:
    """The reason is returned, not raised."""
    run(engine, "CREATE UNIQUE INDEX later ON post (lower(slug))")
    problem = DriftMonitor(engine, WATCHED, monotonic=ticks).current_problem() or ""
    assert "unique index on an expression" in problem


def test_an_unreachable_database_is_a_problem(ticks: Ticks) -> None:
    """The monitor fails closed."""
    engine = sa.create_engine("sqlite:////nowhere/at/all.db")
    assert "can't be reached" in (
        DriftMonitor(engine, WATCHED, monotonic=ticks).current_problem() or ""
    )


def test_an_unavailable_database_purges_nothing(tmp_path: Path, ticks: Ticks) -> None:
    """Nothing is written in the outage; the triggers are checked when the database is back."""
    calls: list[int] = []
    file = tmp_path / "a.db"
    engine = sa.create_engine(f"sqlite:///{file}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    monitor = DriftMonitor(engine, WATCHED, monotonic=ticks, on_problem=lambda: calls.append(1))
    assert monitor.check_now() is None
    renamed_file = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "can't be reached" in (monitor.check_now() or "")
    file.rmdir()
    renamed_file.rename(file)
    assert (monitor.check_now(), calls) == (None, [])
    renamed_file = file.rename(tmp_path / "b.db")
    file.mkdir()
    assert "can't be reached" in (monitor.check_now() or "")
    file.rmdir()
    renamed_file.rename(file)
    run(engine, DROP["sqlite"])
    assert "altered" in (monitor.check_now() or "")
    assert calls == [1]
    engine.dispose()


def test_a_failed_purge_is_retried_and_nothing_is_shared_until_it_succeeds(
    engine: Engine, ticks: Ticks
) -> None:
    """The caller gets a reason, no exception, until the purge succeeds."""
    attempts: list[int] = []

    def purge() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise LookupError("no store")

    monitor = DriftMonitor(engine, WATCHED, monotonic=ticks, on_problem=purge)
    assert monitor.check_now() is None
    run(engine, DROP[engine.dialect.name])
    assert monitor.check_now() is not None
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    assert "could not be purged" in (monitor.check_now() or "")
    assert "could not be purged" in (monitor.current_problem() or "")
    assert monitor.check_now() is None
    assert len(attempts) == 3
