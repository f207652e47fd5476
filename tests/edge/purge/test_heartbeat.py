"""A relay that dies, hangs or can't deliver is seen, and another process delivers in its place."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.purge import Relay, Tier, open_breakers, purge_status
from app.edge.purge.gateway_heartbeats import HEARTBEAT_TIMEOUT
from app.edge.purge.heartbeat import BEAT, SILENT, Deputy, beat, relay_silence
from app.edge.purge.leader import Leader, SoleLeader
from app.edge.purge.membership import join, retire_unconfigured_tiers
from app.edge.purge.tables import tier as tiers
from app.edge.testing import MemoryDriver

from .conftest import CDN, GATEWAY, NOW, SECOND, Clock, owe, relay
from .test_run import running, soon

OTHER = Tier(name="other", depth=2)


@pytest.fixture
def known(engine: Engine) -> Engine:
    """A database in which the tiers have joined."""
    with engine.begin() as connection:
        for one in (GATEWAY, CDN, OTHER):
            join(connection, one, NOW)
    return engine


def note(engine: Engine, *known: Tier, by: str = "relay", clock: Clock) -> None:
    """Let a relay say that it delivers to these tiers."""
    with engine.begin() as connection:
        beat(connection, [one.name for one in known], by, clock.now)


def deputy(engine: Engine, clock: Clock, lock: Leader | None = None) -> Deputy:
    """The deputy of a process that can purge the CDN."""
    return Deputy(engine, lock or SoleLeader(), [CDN.name], by="deputy", ticks=clock.ticks)


def test_a_dead_relay_is_no_edge_that_is_purged(known: Engine) -> None:
    """Its edges count as ones that can't be purged, so pages get a short life there."""
    clock = Clock()
    note(known, CDN, clock=clock)
    with known.connect() as connection:
        assert open_breakers(connection, NOW + SILENT) == {}
        later = NOW + timedelta(seconds=100)
        assert open_breakers(connection, later) == {"cdn": "no relay has delivered to it for 100 s"}
        told = [*purge_status(connection, later).to_lines()]
        assert not purge_status(connection, later).is_healthy
    assert told[0].startswith("No relay has been alive for 100 s")
    assert "cdn can't be purged: no relay has delivered to it for 100 s." in told


def test_where_no_relay_ever_ran_nothing_is_said(known: Engine) -> None:
    """A site without edges in front needs none."""
    with known.connect() as connection:
        assert relay_silence(connection, NOW + timedelta(days=1)) is None
        assert open_breakers(connection, NOW + timedelta(days=1)) == {}


def test_a_relay_that_runs_says_so(known: Engine) -> None:
    """Beside each tier that it delivers to, and no other."""
    with running(Relay(known, {CDN: MemoryDriver()}, leader=SoleLeader())):
        soon(lambda: heartbeats(known)["cdn"] > 0)
    assert heartbeats(known)["other"] == heartbeats(known)["gateway"] == 0


def heartbeats(engine: Engine) -> dict[str, int]:
    """When each tier was last relayed to."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tiers.c.name, tiers.c.relayed_at)).all()
    return {row.name: row.relayed_at for row in rows}


def test_a_deputy_waits_for_a_relay_that_is_alive(known: Engine) -> None:
    """It leads once nothing new was noted for some seconds, by its own clock."""
    clock = Clock()
    found = deputy(known, clock)
    for _ in range(20):
        note(known, CDN, clock=clock)
        assert not found.leads()
        clock.advance(BEAT)
    assert not found.leads()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert found.leads()


def test_a_clock_that_is_set_makes_no_deputy(known: Engine) -> None:
    """A relay on a machine whose clock is hours behind is alive all the same."""
    clock, behind = Clock(), Clock(now=NOW - timedelta(hours=3))
    found = deputy(known, clock)
    for _ in range(10):
        note(known, CDN, clock=behind)
        assert not found.leads()
        clock.advance(BEAT)
        behind.advance(BEAT)


def test_a_deputy_makes_room_for_a_relay_that_is_back(known: Engine) -> None:
    """Before its own heartbeat would hide the other's."""
    clock = Clock()
    found = deputy(known, clock)
    assert not found.leads()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert found.leads()
    note(known, CDN, by="deputy", clock=clock)
    clock.advance(BEAT)
    assert found.confirm()
    note(known, CDN, by="relay", clock=clock)
    assert not found.confirm()
    assert not found.active


def test_a_relay_that_can_not_deliver_to_an_edge_is_no_relay_of_it(known: Engine) -> None:
    """One with other settings is alive, and delivers to another edge."""
    clock = Clock()
    found = deputy(known, clock)
    for _ in range(4):
        note(known, OTHER, clock=clock)
        leads = found.leads()
        clock.advance(BEAT)
    assert leads


class Held:
    """A lock that another process holds."""

    def leads(self) -> bool:
        """It is not ours."""
        return False

    def resign(self) -> None:
        """There is nothing to give back."""


@pytest.fixture
def stopped(known: Engine) -> tuple[Relay, MemoryDriver, Clock]:
    """A relay beside another one that holds the lock and does nothing, as after SIGSTOP."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(known, {CDN: cdn}, clock)
    found._leader = Held()
    return found, cdn, clock


def test_a_relay_that_hangs_is_stood_in_for(
    known: Engine, stopped: tuple[Relay, MemoryDriver, Clock]
) -> None:
    """It keeps its lock, but says nothing any more."""
    found, cdn, clock = stopped
    owe(known, [CDN], "/a")
    with running(found):
        soon(lambda: found._deputy._looked == clock.ticks())
        assert cdn.calls == []
        clock.advance(HEARTBEAT_TIMEOUT + SECOND)
        soon(lambda: len(cdn.calls) == 1)


def test_who_stands_in_ends_when_a_relay_is_back(known: Engine) -> None:
    """Its thread returns, to watch again."""
    clock, cdn, stop = Clock(), MemoryDriver(), Event()
    found = relay(known, {CDN: cdn}, clock)
    assert not found.is_needed()
    clock.advance(HEARTBEAT_TIMEOUT)
    assert found.is_needed()
    thread = Thread(target=found.run, args=(stop,), kwargs={"elected": False})
    thread.start()
    soon(lambda: heartbeats(known)["cdn"] > 0)
    note(known, CDN, by="another", clock=clock)
    clock.advance(BEAT)
    thread.join(20)
    assert stop.is_set()
    assert not thread.is_alive()


def test_a_release_elsewhere_retires_no_edge_that_a_relay_delivers_to(known: Engine) -> None:
    """A shell without FLASK_EDGE would have the pages there stay old for ever."""
    clock = Clock()
    note(known, CDN, clock=clock)
    with known.begin() as connection:
        assert retire_unconfigured_tiers(connection, [], NOW + SECOND) == ["other"]
    with known.begin() as connection:
        assert retire_unconfigured_tiers(connection, [], NOW + SILENT + SECOND) == ["cdn"]
