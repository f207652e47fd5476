"""A silent gateway blocks no purge, a live gateway does, and no purge is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine

from app.edge.cdn import CallLimits
from app.edge.changes.timestamps import to_microseconds
from app.edge.purge import Relay, Tier, open_breakers, purge_status
from app.edge.purge.claim import OVERDUE_AFTER, Claim, claim_entries
from app.edge.purge.gateway_heartbeats import HeartbeatMonitor, SilentGateways
from app.edge.purge.lease import HEARTBEAT_TIMEOUT
from app.edge.purge.membership import (
    RETIRE_SILENT_AFTER,
    join,
    member_tiers,
    record_heartbeat,
    tier_of_gateway,
)
from app.edge.testing import MemoryDriver

from .conftest import CDN, NOW, SECOND, Clock, create_relay, enqueue_pages

GATEWAY = tier_of_gateway("one")
BOTH = (GATEWAY, CDN)


def send_heartbeat(engine: Engine, clock: Clock, gateway: Tier = GATEWAY) -> None:
    """Record a heartbeat of a gateway."""
    with engine.begin() as connection:
        join(connection, gateway, clock.now)
        assert record_heartbeat(connection, gateway, clock.now)


def watch(relay: Relay, clock: Clock, span: timedelta) -> None:
    """Run a relay every second for a span."""
    for _ in range(int(span.total_seconds())):
        relay.run_once(clock.now)
        clock.advance(SECOND)


def test_a_silent_gateway_blocks_neither_purge(engine: Engine) -> None:
    """It serves nothing from its store, so it cannot refill outer tiers."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    send_heartbeat(engine, clock)
    watch(relay, clock, HEARTBEAT_TIMEOUT + SECOND)
    enqueue_pages(engine, BOTH, "/a", now=clock.now)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 1
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 2


def test_purges_wait_for_a_silent_gateway_until_its_lease_ends(engine: Engine) -> None:
    """Until its lease ends it may serve; the second purge waits for its last responses."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    send_heartbeat(engine, clock)
    enqueue_pages(engine, BOTH, "/a")
    watch(relay, clock, HEARTBEAT_TIMEOUT)
    assert cdn.calls == []
    watch(relay, clock, SECOND)
    assert len(cdn.calls) == 1
    watch(relay, clock, CDN.max_flight_time - SECOND)
    assert len(cdn.calls) == 1
    watch(relay, clock, 2 * SECOND)
    assert len(cdn.calls) == 2


def test_purges_wait_for_a_gateway_with_heartbeats(engine: Engine) -> None:
    """The first purge waits up to a minute, the second for as long as needed."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, BOTH, "/a")
    while clock.now < NOW + OVERDUE_AFTER:
        assert cdn.calls == []
        send_heartbeat(engine, clock)
        watch(relay, clock, 5 * SECOND)
    # Its purge is overdue from now on, so it sends no heartbeat.
    for _ in range(3):
        relay.run_once(clock.now)
        clock.advance(SECOND)
    assert len(cdn.calls) == 1


def test_the_second_purge_waits_longer_where_the_first_did_not_wait(engine: Engine) -> None:
    """The last responses of a gateway may be on their way for one time of flight."""
    clock = Clock()
    send_heartbeat(engine, clock)
    enqueue_pages(engine, [CDN], "/a")
    heartbeats = ((GATEWAY.name, to_microseconds(NOW)),)
    create_relay(engine, {CDN: MemoryDriver()}, clock).run_once(clock.now)
    enqueue_pages(engine, [GATEWAY], "/a")
    clock.advance(CDN.max_flight_time)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE edge_outbox SET upto = 9 WHERE tier = 'cdn'")
        for silent_gateways in (SilentGateways(), SilentGateways(silent=heartbeats)):
            claim = claim_entries(
                connection, CDN, CallLimits(), clock.now, silent_gateways=silent_gateways
            )
            assert not isinstance(claim, Claim)
        silent_gateways = SilentGateways(silent=heartbeats, silent_past_flight=heartbeats)
        assert isinstance(
            claim_entries(
                connection, CDN, CallLimits(), clock.now, silent_gateways=silent_gateways
            ),
            Claim,
        )


def test_purges_wait_for_a_gateway_after_its_next_heartbeat(engine: Engine) -> None:
    """A relay that read the heartbeats before must not skip it."""
    clock, monitor = Clock(), None
    send_heartbeat(engine, clock)
    monitor = HeartbeatMonitor(clock.ticks)
    with engine.begin() as connection:
        monitor.read_heartbeats(connection)
        clock.advance(HEARTBEAT_TIMEOUT)
        silent_gateways = monitor.silent_gateways(connection)
        assert silent_gateways.silent == ((GATEWAY.name, to_microseconds(NOW)),)
    send_heartbeat(engine, clock)
    enqueue_pages(engine, BOTH, "/a", now=clock.now)
    with engine.begin() as connection:
        claim = claim_entries(
            connection, CDN, CallLimits(), clock.now, silent_gateways=silent_gateways
        )
        assert not isinstance(claim, Claim)


@pytest.mark.parametrize("by", [timedelta(hours=-2), timedelta(hours=2)], ids=["back", "forward"])
def test_setting_the_clock_makes_no_gateway_silent(engine: Engine, by: timedelta) -> None:
    """Setting either system clock has no effect: the timeout uses the monotonic clock."""
    clock = Clock()
    monitor = HeartbeatMonitor(clock.ticks)
    send_heartbeat(engine, clock)
    with engine.connect() as connection:
        monitor.read_heartbeats(connection)
        clock.now += by
        assert monitor.silent_gateways(connection) == SilentGateways()
    send_heartbeat(engine, clock)
    clock.advance(HEARTBEAT_TIMEOUT - SECOND)
    with engine.connect() as connection:
        monitor.read_heartbeats(connection)
        clock.advance(HEARTBEAT_TIMEOUT - SECOND)
        assert monitor.silent_gateways(connection) == SilentGateways()
        clock.advance(SECOND)
        assert len(monitor.silent_gateways(connection).silent) == 1


def test_a_long_silent_gateway_is_removed_with_its_entries(engine: Engine) -> None:
    """Retired machines are removed with their entries; a live one stays."""
    clock, here = Clock(), tier_of_gateway("here")
    relay = create_relay(engine, {}, clock)
    send_heartbeat(engine, clock)
    while clock.now < NOW + RETIRE_SILENT_AFTER + timedelta(minutes=2):
        send_heartbeat(engine, clock, here)
        relay.run_once(clock.now)
        clock.advance(timedelta(minutes=1))
    with engine.connect() as connection:
        assert member_tiers(connection) == [here]


def test_a_silent_gateway_opens_no_breaker_and_is_reported(engine: Engine) -> None:
    """A silent gateway opens no breaker, and the status reports it."""
    clock = Clock()
    send_heartbeat(engine, clock)
    enqueue_pages(engine, [GATEWAY], "/a")
    clock.advance(2 * OVERDUE_AFTER)
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {}
        status = purge_status(connection, clock.now)
    assert status.is_healthy
    assert next(iter(status.to_lines())) == (
        f"{GATEWAY.name} is silent: its last heartbeat was 120 seconds ago, and no purge waits for it."
    )
