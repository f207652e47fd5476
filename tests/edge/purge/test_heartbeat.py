"""If a relay dies, hangs or cannot deliver, another process delivers in its place."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.purge import Relay, Tier, open_breakers, purge_status
from app.edge.purge.file_leader import Leader, SoleLeader
from app.edge.purge.heartbeat import (
    HEARTBEAT_INTERVAL,
    RELAY_TIMEOUT,
    Deputy,
    record_relay_heartbeat,
    relay_silence,
)
from app.edge.purge.lease import HEARTBEAT_TIMEOUT
from app.edge.purge.membership import join, retire_unconfigured_tiers
from app.edge.purge.tables import tier as tiers
from app.edge.testing import MemoryDriver

from .conftest import CDN, GATEWAY, NOW, SECOND, Clock, create_relay, enqueue_pages
from .test_run import running, soon

OTHER = Tier(name="other", depth=2)


@pytest.fixture
def database(engine: Engine) -> Engine:
    """A database in which the tiers have joined."""
    with engine.begin() as connection:
        for one in (GATEWAY, CDN, OTHER):
            join(connection, one, NOW)
    return engine


def record_heartbeat(
    engine: Engine, *delivered_tiers: Tier, by: str = "relay", clock: Clock
) -> None:
    """Write the heartbeat of a relay that delivers to these tiers."""
    with engine.begin() as connection:
        record_relay_heartbeat(connection, [one.name for one in delivered_tiers], by, clock.now)


def create_deputy(engine: Engine, clock: Clock, lock: Leader | None = None) -> Deputy:
    """Create the deputy of a process that can purge the CDN."""
    return Deputy(engine, lock or SoleLeader(), [CDN.name], by="deputy", monotonic=clock.ticks)


def test_edges_of_a_dead_relay_count_as_unpurgeable(database: Engine) -> None:
    """Its edges count as unpurgeable, so pages get a short TTL there."""
    clock = Clock()
    record_heartbeat(database, CDN, clock=clock)
    with database.connect() as connection:
        assert open_breakers(connection, NOW + RELAY_TIMEOUT) == {}
        later = NOW + timedelta(seconds=100)
        assert open_breakers(connection, later) == {"cdn": "no relay has delivered to it for 100 s"}
        lines = [*purge_status(connection, later).to_lines()]
        assert not purge_status(connection, later).is_healthy
    assert lines[0].startswith("No relay has been alive for 100 s")
    assert "cdn can't be purged: no relay has delivered to it for 100 s." in lines


def test_without_a_relay_nothing_is_reported(database: Engine) -> None:
    """A site without edges in front needs none."""
    with database.connect() as connection:
        assert relay_silence(connection, NOW + timedelta(days=1)) is None
        assert open_breakers(connection, NOW + timedelta(days=1)) == {}


def test_a_running_relay_writes_heartbeats(database: Engine) -> None:
    """It writes its heartbeat into the rows of its tiers only."""
    with running(Relay(database, {CDN: MemoryDriver()}, leader=SoleLeader())):
        soon(lambda: heartbeats(database)["cdn"] > 0)
    assert heartbeats(database)["other"] == heartbeats(database)["gateway"] == 0


def heartbeats(engine: Engine) -> dict[str, int]:
    """Return the relay heartbeat of each tier."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tiers.c.name, tiers.c.relayed_at)).all()
    return {row.name: row.relayed_at for row in rows}


def test_a_deputy_waits_for_a_relay_that_is_alive(database: Engine) -> None:
    """It leads when the heartbeat has not changed for a timeout on its own clock."""
    clock = Clock()
    deputy = create_deputy(database, clock)
    for _ in range(20):
        record_heartbeat(database, CDN, clock=clock)
        assert not deputy.leads()
        clock.advance(HEARTBEAT_INTERVAL)
    assert not deputy.leads()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert deputy.leads()


def test_setting_the_clock_starts_no_deputy(database: Engine) -> None:
    """A relay on a machine whose clock is hours behind still counts as alive."""
    clock, behind = Clock(), Clock(now=NOW - timedelta(hours=3))
    deputy = create_deputy(database, clock)
    for _ in range(10):
        record_heartbeat(database, CDN, clock=behind)
        assert not deputy.leads()
        clock.advance(HEARTBEAT_INTERVAL)
        behind.advance(HEARTBEAT_INTERVAL)


def test_a_deputy_resigns_when_a_relay_is_back(database: Engine) -> None:
    """It checks before its own heartbeat overwrites the other one."""
    clock = Clock()
    deputy = create_deputy(database, clock)
    assert not deputy.leads()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert deputy.leads()
    record_heartbeat(database, CDN, by="deputy", clock=clock)
    clock.advance(HEARTBEAT_INTERVAL)
    assert deputy.confirm()
    record_heartbeat(database, CDN, by="relay", clock=clock)
    assert not deputy.confirm()
    assert not deputy.active


def test_a_relay_without_a_driver_for_an_edge_does_not_count(database: Engine) -> None:
    """A live relay for another edge does not stop the deputy."""
    clock = Clock()
    deputy = create_deputy(database, clock)
    for _ in range(4):
        record_heartbeat(database, OTHER, clock=clock)
        leads = deputy.leads()
        clock.advance(HEARTBEAT_INTERVAL)
    assert leads


class OtherLeader:
    """A lock that another process holds."""

    def try_lead(self) -> bool:
        """Return False, because the lock is taken."""
        return False

    def resign(self) -> None:
        """Do nothing."""


@pytest.fixture
def stopped(database: Engine) -> tuple[Relay, MemoryDriver, Clock]:
    """A relay while another one holds the lock and does nothing, as after SIGSTOP."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(database, {CDN: cdn}, clock)
    relay._leader = OtherLeader()
    return relay, cdn, clock


def test_the_deputy_delivers_while_a_relay_hangs(
    database: Engine, stopped: tuple[Relay, MemoryDriver, Clock]
) -> None:
    """A hanging relay keeps its lock but sends no heartbeat."""
    relay, cdn, clock = stopped
    enqueue_pages(database, [CDN], "/a")
    with running(relay):
        soon(lambda: relay._deputy._checked_at == clock.ticks())
        assert cdn.calls == []
        clock.advance(HEARTBEAT_TIMEOUT + SECOND)
        soon(lambda: len(cdn.calls) == 1)


def test_a_running_deputy_stops_when_a_relay_is_back(database: Engine) -> None:
    """The deputy stops when it sees a new heartbeat."""
    clock, cdn, stop = Clock(), MemoryDriver(), Event()
    relay = create_relay(database, {CDN: cdn}, clock)
    assert not relay.is_needed()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert relay.is_needed()
    thread = Thread(target=relay.run, args=(stop,), kwargs={"elected": False})
    thread.start()
    soon(lambda: heartbeats(database)["cdn"] > 0)
    record_heartbeat(database, CDN, by="another", clock=clock)
    clock.advance(HEARTBEAT_INTERVAL)
    thread.join(20)
    assert stop.is_set()
    assert not thread.is_alive()


def test_a_release_elsewhere_retires_no_edge_that_a_relay_delivers_to(database: Engine) -> None:
    """A release in a shell without FLASK_EDGE must not remove an edge in use."""
    clock = Clock()
    record_heartbeat(database, CDN, clock=clock)
    with database.begin() as connection:
        assert retire_unconfigured_tiers(connection, [], NOW + SECOND) == ["other"]
    with database.begin() as connection:
        assert retire_unconfigured_tiers(connection, [], NOW + RELAY_TIMEOUT + SECOND) == ["cdn"]
