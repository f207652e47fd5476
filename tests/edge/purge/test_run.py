from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.purge import EntryState, Relay, Tier, create_leader
from app.edge.purge.file_leader import SoleLeader
from app.edge.purge.runtime import utc_now
from app.edge.purge.tables import outbox
from app.edge.testing import DriverCall, MemoryDriver
from tests.live.run_folder import RUN

from .conftest import CDN, GATEWAY, build, connect, enqueue_pages, post

ROOT = Path(__file__).resolve().parents[3]


def soon(condition: Callable[[], bool], within: float = 20.0) -> float:
    """Wait until a condition holds; return how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, "the condition did not become true"
        time.sleep(0.005)
    return time.monotonic() - began


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    """Run a relay in a thread."""
    stop = Event()
    thread = Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield relay
    finally:
        stop.set()
        relay.wake()
        thread.join(10)
        assert not thread.is_alive()


def write(engine: Engine) -> None:
    """Change every post."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        connection.execute(sa.update(post).values(version=post.c.version + 1))


def test_a_writer_outside_is_noticed_within_half_a_second(engine: Engine, url: str) -> None:
    """The relay polls for commits without a notification."""
    build(engine, 2)
    cdn, other = MemoryDriver(), connect(url)
    with running(Relay(engine, {CDN: cdn}, leader=SoleLeader())):
        write(other)
        soon(lambda: len(cdn.calls) == 1)
        write(other)
        took = soon(lambda: len(cdn.calls) == 2)
    other.dispose()
    assert took < 5, "the bound is half a second; the machine may be busy"


def test_waking_a_relay_sends_at_once(engine: Engine) -> None:
    """The write is in this process, which wakes the relay."""
    build(engine, 2)
    cdn = MemoryDriver()
    with running(Relay(engine, {CDN: cdn}, leader=SoleLeader())) as relay:
        write(engine)
        relay.wake()
        soon(lambda: bool(cdn.calls))


def test_an_edge_that_hangs_delays_no_other(engine: Engine) -> None:
    """Each tier has its own thread."""
    release, other = Event(), Tier(name="other", depth=1)

    def hang(_call: DriverCall) -> None:
        release.wait(20)

    stuck, good = MemoryDriver(on_call=hang), MemoryDriver()
    with running(Relay(engine, {CDN: stuck, other: good}, leader=SoleLeader())):
        for number in range(3):
            enqueue_pages(engine, [CDN, other], f"/{number}", now=utc_now())
            soon(lambda number=number: len(good.calls) == number + 1)  # type: ignore[misc]  # bound now
        assert len(stuck.calls) == 1
        release.set()


def test_the_second_purge_comes_by_itself(engine: Engine) -> None:
    """The thread of a tier wakes for its next purge."""
    tier = Tier(name="cdn", depth=1, max_flight_time=timedelta(milliseconds=200))
    cdn = MemoryDriver()
    with running(Relay(engine, {tier: cdn}, leader=SoleLeader())):
        enqueue_pages(engine, [tier], "/a", now=utc_now())
        soon(lambda: len(cdn.calls) == 2)


def test_a_hook_that_fails_stops_nothing(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """Purges go on, and the exception is logged."""

    def hook(_now: object) -> None:
        raise ZeroDivisionError

    cdn = MemoryDriver()
    with running(Relay(engine, {CDN: cdn}, hooks=[hook], leader=SoleLeader())):
        enqueue_pages(engine, [CDN], "/a", now=utc_now())
        soon(lambda: bool(cdn.calls))
    assert "relay.hook_failed" in caplog.text


def test_one_of_two_leads_until_it_resigns(engine: Engine) -> None:
    """The other takes over at once."""
    first, second = create_leader(engine), create_leader(engine)
    try:
        assert (first.try_lead(), second.try_lead(), first.try_lead()) == (True, False, True)
        first.resign()
        assert (second.try_lead(), first.try_lead()) == (True, False)
    finally:
        first.resign()
        second.resign()


def test_relays_and_writers_at_once_leave_nothing_stale(engine: Engine) -> None:
    """Two relays without an election, two writers: each page is fetched after its last write."""
    build(engine, 5)
    fetched_versions: dict[str, int] = {}
    fetching = Lock()

    def fetch(_call: DriverCall) -> None:
        with fetching, engine.connect() as connection:
            fetched_versions.update(
                {f"/{row.id}": row.version for row in connection.execute(sa.select(post))}
            )

    def many() -> None:
        for _ in range(25):
            write(engine)

    tier = Tier(name="cdn", depth=1, max_flight_time=timedelta(milliseconds=20))
    tiers = {GATEWAY: MemoryDriver(), tier: MemoryDriver(on_call=fetch)}
    relays = [Relay(engine, tiers, leader=SoleLeader()) for _ in range(2)]
    writers = [Thread(target=many) for _ in range(2)]
    with running(relays[0]), running(relays[1]):
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        soon(lambda: set(fetched_versions.values()) == {50} and not has_outstanding(engine))


def has_outstanding(engine: Engine) -> bool:
    """Return whether any entry is not settled."""
    with engine.connect() as connection:
        query = sa.select(outbox.c.id).where(outbox.c.state != EntryState.SETTLED)
        return connection.execute(query.limit(1)).first() is not None


@pytest.mark.slow
def test_leadership_dies_with_the_process(engine: Engine, url: str, tmp_path: Path) -> None:
    """After a relay is killed, another takes over and delivers its entries."""
    build(engine, 2)
    command = [sys.executable, "-m", f"{__package__}.relay_child", url, str(tmp_path)]
    child = RUN.start(command, cwd=ROOT)
    heir = create_leader(engine)
    try:
        write(engine)
        soon((tmp_path / "cdn").exists)
        assert not heir.try_lead()
        child.kill()
        write(engine)
        soon(heir.try_lead, within=5)
        heir.resign()
        gateway = MemoryDriver()
        with running(Relay(engine, {GATEWAY: gateway})):
            soon(lambda: bool(gateway.calls))
    finally:
        child.kill()
        child.wait()
        heir.resign()
