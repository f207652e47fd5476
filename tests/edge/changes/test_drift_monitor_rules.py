"""The drift monitor on SQLite: when it checks, and what it reports to whom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import Engine

from app.edge.changes import install_triggers
from app.edge.changes.drift_monitor import CHECK_INTERVAL, DriftMonitor

from .conftest import WATCHED, metadata

DROP = "DROP TRIGGER edge_post_update"
SECONDS = CHECK_INTERVAL.total_seconds()


class Clock:
    """A monotonic clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds so far."""
        return self.now


class Reports:
    """Counts the reported problems."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count one report."""
        self.count += 1


@pytest.fixture
def engine(sqlite_engine: Engine) -> Engine:
    """A database with installed triggers."""
    with sqlite_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    return sqlite_engine


def drop_trigger(engine: Engine) -> None:
    """Drop a trigger, as in a database shell."""
    with engine.begin() as connection:
        connection.exec_driver_sql(DROP)


@pytest.mark.parametrize(("span", "is_noticed"), [(SECONDS - 0.001, False), (SECONDS, True)])
def test_the_next_check_runs_after_exactly_the_interval(
    engine: Engine, span: float, *, is_noticed: bool
) -> None:
    """Until then the last result is returned."""
    clock = Clock()
    monitor = DriftMonitor(engine, WATCHED, monotonic=clock)
    assert monitor.current_problem() is None
    drop_trigger(engine)
    clock.now += span
    assert (monitor.current_problem() is not None) is is_noticed


def test_a_problem_stays_until_the_triggers_are_installed(engine: Engine) -> None:
    """Also while the schema stays as it is; it is reported once."""
    reports = Reports()
    monitor = DriftMonitor(engine, WATCHED, on_problem=reports, monotonic=Clock())
    assert monitor.check_now() is None
    drop_trigger(engine)
    assert [monitor.check_now() is not None for _ in range(3)] == [True] * 3
    assert reports.count == 1
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    assert [monitor.check_now() for _ in range(3)] == [None] * 3


def test_a_later_problem_is_reported_again(engine: Engine) -> None:
    """Each time that the triggers fail, stored pages may be stale."""
    reports = Reports()
    monitor = DriftMonitor(engine, WATCHED, on_problem=reports, monotonic=Clock())
    counts = []
    for _ in range(2):
        monitor.check_now()
        drop_trigger(engine)
        monitor.check_now()
        with engine.begin() as connection:
            install_triggers(connection, WATCHED)
        counts.append(reports.count)
    assert counts == [1, 2]


def test_the_relay_is_told_when_to_check_again(engine: Engine) -> None:
    """The next check is one interval later."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    monitor = DriftMonitor(engine, WATCHED, monotonic=Clock())
    assert monitor.run(now) == now + CHECK_INTERVAL
