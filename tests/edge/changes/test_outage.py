"""An outage of the database is two lines in the log, however many requests and threads fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.config.parsers import database_url
from app.edge.changes.outage import (
    MIN_INTERVAL,
    OutageLog,
    is_logged,
    outage_log,
    report_driver_error,
)


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the names of the events of this module."""
    records = [record for record in caplog.records if record.name == "app.edge.changes.outage"]
    return [str(record.msg).partition(":")[0] for record in records]


@pytest.fixture
def engine(tmp_path: Path) -> sa.Engine:
    """An engine whose database file is not there yet, because its folder is missing."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/folder/database.db", poolclass=sa.NullPool)
    outage_log(engine)
    return engine


def query(engine: sa.Engine, statement: str = "SELECT 1") -> DBAPIError | None:
    """Return the error of a query."""
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(statement))
    except DBAPIError as error:
        return error
    return None


def test_each_outage_is_two_lines(
    engine: sa.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Many failures on many threads log its begin, and the first success logs its end."""
    with ThreadPoolExecutor(8) as threads:
        errors = list(threads.map(query, [engine] * 200))
    assert all(is_logged(error) for error in errors)
    assert events(caplog) == ["edge.database_unavailable"]
    assert "fail: unable to open database file" in caplog.text
    (tmp_path / "folder").mkdir()
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(query, [engine] * 200)) == {None}
    assert events(caplog) == ["edge.database_unavailable", "edge.database_available"]


def test_copies_of_an_engine_share_the_log(
    engine: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine with other execution options has the same database."""
    other = engine.execution_options(isolation_level="AUTOCOMMIT")
    assert outage_log(other) is outage_log(engine)
    assert is_logged(query(other))
    assert is_logged(query(engine))
    assert len(events(caplog)) == 1


def test_an_error_of_a_statement_is_no_outage(
    engine: sa.Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller logs it, also right after an outage."""
    query(engine)
    (tmp_path / "folder").mkdir()
    error = query(engine, "SELECT nonsense")
    assert error is not None
    assert not is_logged(error)
    assert not is_logged(ValueError())
    assert not is_logged(None)
    assert len(events(caplog)) == 2


def test_a_database_that_comes_and_goes_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where every second connection fails, there is at most one pair of lines per interval."""
    now = [0.0]
    log = OutageLog(lambda: now[0])
    for _ in range(100):
        log.begin("too many clients")
        log.end()
    assert len(events(caplog)) == 2
    now[0] += MIN_INTERVAL
    log.begin("too many clients")
    assert len(events(caplog)) == 3
    now[0] += 90
    log.end()
    assert "available again after 90.0 s" in caplog.text


@pytest.mark.live
def test_an_error_of_the_driver_alone_is_reported(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that listens for notifications calls the driver, and SQLAlchemy sees no error."""
    engine = sa.create_engine(database_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as listener:
        raw: Any = listener.connection.dbapi_connection
        pid = raw.info.backend_pid
        with engine.connect() as other:
            other.execute(sa.text(f"SELECT pg_terminate_backend({pid}, 5000)"))
        assert not report_driver_error(listener, ValueError())
        with pytest.raises(psycopg.OperationalError) as driver_error:
            list(raw.notifies(timeout=5))
        assert report_driver_error(listener, driver_error.value)
        listener.invalidate()
    assert query(engine) is None
    assert events(caplog) == ["edge.database_unavailable", "edge.database_available"]
    engine.dispose()
