"""What a commit waits for: purges of its own gateways, and never an error of the database."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.cdn import PurgeError
from app.edge.pages import Resolution
from app.edge.purge import EntryState, Relay
from app.edge.purge.file_leader import FileLeader, SoleLeader
from app.edge.purge.leader import create_leader
from app.edge.purge.runtime import RelayRuntime
from app.edge.testing import DriverFault, MemoryDriver

from .conftest import (
    CDN,
    GATEWAY,
    NOW,
    SECOND,
    Clock,
    build,
    connect,
    create_relay,
    enqueue_pages,
    states,
)
from .conftest import post as post_table


@pytest.fixture
def database(sqlite_url: str) -> Engine:
    """An SQLite database with one post and its page."""
    engine = connect(sqlite_url)
    build(engine, posts=1)
    return engine


def write(engine: Engine) -> None:
    """Change the post."""
    with engine.begin() as connection:
        connection.execute(sa.update(post_table).values(version=post_table.c.version + 1))


@pytest.mark.parametrize("table", ["edge_change", "edge_outbox", "edge_tier"])
def test_a_database_error_in_a_flush_is_left_to_the_relay(
    database: Engine, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The write is committed, so the request ends well; the relay is woken and repeats the work."""
    relay = create_relay(database, {GATEWAY: MemoryDriver()}, Clock())
    write(database)
    with database.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO away")
    assert relay.flush(NOW) == Resolution()
    assert relay._wake_event.is_set()
    assert [record.message.split(":")[0] for record in caplog.records] == ["relay.database"]
    with database.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE away RENAME TO {table}")
    assert [page.url for page in relay.flush(NOW).pages] == ["/1"]


def test_another_error_in_a_flush_is_not_hidden(database: Engine) -> None:
    """A mistake in the library must be seen."""
    relay = create_relay(database, {}, Clock())
    write(database)
    relay.enqueue_changes = lambda _now: 1 / 0  # type: ignore[assignment,method-assign,return-value]
    with pytest.raises(ZeroDivisionError):
        relay.flush(NOW)
    assert relay._wake_event.is_set()


def test_a_flush_wakes_the_relay(database: Engine) -> None:
    """Edges in front are purged by the relay, not by the process that commits."""
    gateway, cdn = MemoryDriver(), MemoryDriver()
    relay = create_relay(database, {GATEWAY: gateway, CDN: cdn}, Clock())
    write(database)
    relay.flush(NOW)
    assert (len(gateway.calls), len(cdn.calls), relay._wake_event.is_set()) == (1, 0, True)


def test_a_flush_purges_entries_that_another_process_has_queued(database: Engine) -> None:
    """There may be nothing left to resolve."""
    gateway = MemoryDriver()
    relay = create_relay(database, {GATEWAY: gateway}, Clock())
    enqueue_pages(database, [GATEWAY], "/a")
    assert relay.flush(NOW) == Resolution()
    assert len(gateway.calls) == 1


def test_a_flush_waits_for_a_claim_of_another_process_but_not_for_ever(database: Engine) -> None:
    """A process that hangs delays a commit by `within`."""
    enqueue_pages(database, [GATEWAY], "/a")
    with database.begin() as connection:
        late = "UPDATE edge_outbox SET state = 'claimed', claimed_until = 9000000000000000"
        connection.exec_driver_sql(late)
    ticks = iter(range(100))
    runtime = RelayRuntime(clock=lambda: NOW, monotonic=lambda: next(ticks), random=Random(1))
    gateway = MemoryDriver()
    relay = Relay(database, {GATEWAY: gateway}, leader=SoleLeader(), runtime=runtime)
    relay.flush(NOW, within=9 * SECOND)
    assert gateway.calls == []
    assert 9 <= next(ticks) <= 16


def test_an_unexpected_exception_of_a_driver_is_a_failed_call(
    database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """The entry is tried again, and the log names the tier."""
    cdn = MemoryDriver(script=iter([DriverFault(error=ConnectionResetError("x"))]))
    relay = create_relay(database, {CDN: cdn}, Clock())
    enqueue_pages(database, [CDN], "/a")
    relay.run_once(NOW)
    assert states(database, CDN) == {"/a": EntryState.PENDING}
    events = [record.message.split(":")[0] for record in caplog.records]
    assert events == ["purge.driver_failed", "purge.failed"]


def test_sent_at_is_the_time_of_the_first_accepted_call(database: Engine) -> None:
    """Neither a failed call before it nor the second purge changes it."""
    clock = Clock()
    cdn = MemoryDriver(script=iter([DriverFault(error=PurgeError("500")), None, None]))
    relay = create_relay(database, {CDN: cdn}, clock)
    enqueue_pages(database, [CDN], "/a")
    accepted_at = None
    for _ in range(80):
        relay.run_once(clock.now)
        if len(cdn.calls) == 2 and accepted_at is None:
            accepted_at = clock.now
        clock.advance(SECOND)
    with database.connect() as connection:
        (row,) = connection.exec_driver_sql("SELECT state, sent_at, attempts FROM edge_outbox")
    assert accepted_at is not None
    assert tuple(row) == ("settled", int(accepted_at.timestamp() * 1e6), 0)
    assert len(cdn.calls) == 3


def test_the_lock_of_a_leader_is_exclusive_and_released(tmp_path: Path) -> None:
    """The deputy's election is a separate one."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    first, second, deputy = (
        create_leader(engine),
        create_leader(engine),
        create_leader(engine, deputy=True),
    )
    assert isinstance(first, FileLeader)
    assert [first.try_lead(), second.try_lead(), deputy.try_lead()] == [True, False, True]
    assert first.try_lead()
    first.resign()
    assert [second.try_lead(), first.try_lead()] == [True, False]
    for leader in (second, deputy):
        leader.resign()
    assert isinstance(create_leader(sa.create_engine("sqlite://")), SoleLeader)
