"""A gateway that is gone holds up nobody; one that is there is waited for; nothing gets lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine

from app.edge.cdn import CallLimits
from app.edge.changes.timestamps import to_microseconds
from app.edge.purge import Relay, Tier, open_breakers, purge_status
from app.edge.purge.claim import OVERDUE_AFTER, Claim, claim_entries
from app.edge.purge.gateway_heartbeats import HEARTBEAT_TIMEOUT, HeartbeatMonitor, SilentGateways
from app.edge.purge.membership import (
    RETIRE_SILENT_AFTER,
    join,
    member_tiers,
    record_heartbeat,
    tier_of_gateway,
)
from app.edge.testing import MemoryDriver

from .conftest import CDN, NOW, SECOND, Clock, owe, relay

GATEWAY = tier_of_gateway("one")
BOTH = (GATEWAY, CDN)


def say(engine: Engine, clock: Clock, gateway: Tier = GATEWAY) -> None:
    """Let a gateway say that purges reach it."""
    with engine.begin() as connection:
        join(connection, gateway, clock.now)
        assert record_heartbeat(connection, gateway, clock.now)


def watch(found: Relay, clock: Clock, span: timedelta) -> None:
    """Let a relay look every second."""
    for _ in range(int(span.total_seconds())):
        found.run_once(clock.now)
        clock.advance(SECOND)


def test_a_gateway_that_is_gone_holds_up_neither_purge(engine: Engine) -> None:
    """It answers nothing by itself, so no page comes out of it any more."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    say(engine, clock)
    watch(found, clock, HEARTBEAT_TIMEOUT + SECOND)
    owe(engine, BOTH, "/a", now=clock.now)
    found.run_once(clock.now)
    assert len(cdn.calls) == 1
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    assert len(cdn.calls) == 2


def test_a_gateway_that_has_just_gone_is_waited_for_until_it_has_stopped(engine: Engine) -> None:
    """Until then it may answer; the second purge waits for what it sent last."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    say(engine, clock)
    owe(engine, BOTH, "/a")
    watch(found, clock, HEARTBEAT_TIMEOUT)
    assert cdn.calls == []
    watch(found, clock, SECOND)
    assert len(cdn.calls) == 1
    watch(found, clock, CDN.max_flight_time - SECOND)
    assert len(cdn.calls) == 1
    watch(found, clock, 2 * SECOND)
    assert len(cdn.calls) == 2


def test_a_gateway_that_is_heard_of_is_waited_for(engine: Engine) -> None:
    """Its first purge for a while, its second for as long as it lasts."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, BOTH, "/a")
    while clock.now < NOW + OVERDUE_AFTER:
        assert cdn.calls == []
        say(engine, clock)
        watch(found, clock, 5 * SECOND)
    # It is overdue from now on, so it says no more.
    for _ in range(3):
        found.run_once(clock.now)
        clock.advance(SECOND)
    assert len(cdn.calls) == 1


def test_the_second_purge_waits_longer_where_the_first_did_not_wait(engine: Engine) -> None:
    """What left a gateway just before it stopped may be on its way for as long as a flight."""
    clock = Clock()
    say(engine, clock)
    owe(engine, [CDN], "/a")
    said = ((GATEWAY.name, to_microseconds(NOW)),)
    relay(engine, {CDN: MemoryDriver()}, clock).run_once(clock.now)
    owe(engine, [GATEWAY], "/a")
    clock.advance(CDN.max_flight_time)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE edge_outbox SET upto = 9 WHERE tier = 'cdn'")
        for unheard in (SilentGateways(), SilentGateways(silent=said)):
            found = claim_entries(connection, CDN, CallLimits(), clock.now, unheard=unheard)
            assert not isinstance(found, Claim)
        unheard = SilentGateways(silent=said, silent_past_flight=said)
        assert isinstance(
            claim_entries(connection, CDN, CallLimits(), clock.now, unheard=unheard), Claim
        )


def test_who_says_something_again_is_waited_for_from_that_transaction_on(engine: Engine) -> None:
    """Whoever had looked just before, and thinks that it is gone."""
    clock, heard = Clock(), None
    say(engine, clock)
    heard = HeartbeatMonitor(clock.ticks)
    with engine.begin() as connection:
        heard.read_heartbeats(connection)
        clock.advance(HEARTBEAT_TIMEOUT)
        unheard = heard.silent_gateways(connection)
        assert unheard.silent == ((GATEWAY.name, to_microseconds(NOW)),)
    say(engine, clock)
    owe(engine, BOTH, "/a", now=clock.now)
    with engine.begin() as connection:
        found = claim_entries(connection, CDN, CallLimits(), clock.now, unheard=unheard)
        assert not isinstance(found, Claim)


@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(hours=2)], ids=["back", "forward"])
def test_no_clock_that_is_set_makes_a_gateway_gone(engine: Engine, by: timedelta) -> None:
    """Neither that of its machine nor ours: the seconds between two looks are counted."""
    clock = Clock()
    heard = HeartbeatMonitor(clock.ticks)
    say(engine, clock)
    with engine.connect() as connection:
        heard.read_heartbeats(connection)
        clock.now += by
        assert heard.silent_gateways(connection) == SilentGateways()
    say(engine, clock)
    clock.advance(HEARTBEAT_TIMEOUT - SECOND)
    with engine.connect() as connection:
        heard.read_heartbeats(connection)
        clock.advance(HEARTBEAT_TIMEOUT - SECOND)
        assert heard.silent_gateways(connection) == SilentGateways()
        clock.advance(SECOND)
        assert len(heard.silent_gateways(connection).silent) == 1


def test_what_is_gone_for_good_is_forgotten_with_what_it_was_owed(engine: Engine) -> None:
    """Hundreds of machines may come and go; the one that is here stays."""
    clock, here = Clock(), tier_of_gateway("here")
    found = relay(engine, {}, clock)
    say(engine, clock)
    while clock.now < NOW + RETIRE_SILENT_AFTER + timedelta(minutes=2):
        say(engine, clock, here)
        found.run_once(clock.now)
        clock.advance(timedelta(minutes=1))
    with engine.connect() as connection:
        assert member_tiers(connection) == [here]


def test_what_is_gone_is_no_trouble_and_is_said_to_be_gone(engine: Engine) -> None:
    """Nothing waits for it, and nobody has to look after it."""
    clock = Clock()
    say(engine, clock)
    owe(engine, [GATEWAY], "/a")
    clock.advance(2 * OVERDUE_AFTER)
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {}
        found = purge_status(connection, clock.now)
    assert found.is_healthy
    assert next(iter(found.to_lines())) == (
        f"{GATEWAY.name} is gone: it was last heard of 120 seconds ago, and nobody waits for it."
    )
