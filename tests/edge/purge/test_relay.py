from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.cdn import CallLimits, PurgeError, PurgeTarget
from app.edge.changes.metadata import set_meta
from app.edge.purge import (
    EntryState,
    Tier,
    open_breakers,
    purge_status,
    retire_tier,
    retry_dead_letters,
)
from app.edge.purge.backoff import CREDENTIAL_DELAY, MAX_RETRY_AFTER
from app.edge.purge.claim import Claim, claim_entries
from app.edge.purge.outcome import record_success
from app.edge.purge.tables import outbox
from app.edge.testing import DriverCall, DriverFault, MemoryDriver

from .conftest import (
    CDN,
    GATEWAY,
    NOW,
    SECOND,
    Clock,
    build,
    create_relay,
    enqueue_pages,
    post,
    register_post_page,
    states,
)

BOTH = (GATEWAY, CDN)


def urls(driver: MemoryDriver) -> list[list[str]]:
    """Return the purged URLs of each call; a purge of everything is a star."""
    return [["*"] if call.everything else [t.url for t in call.targets] for call in driver.calls]


def refusal() -> DriverFault:
    """Return a fault that is not retryable."""
    return DriverFault(error=PurgeError("that is no page", retryable=False))


def down() -> DriverFault:
    """Return a temporary fault."""
    return DriverFault(error=PurgeError("500"))


def test_a_write_is_purged_everywhere_and_once_more_after_the_flight(engine: Engine) -> None:
    """A write leads to two purges at the edge, the second one time of flight later."""
    clock, gateway, cdn = Clock(), MemoryDriver(), MemoryDriver()
    relay = create_relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, version=0))
    relay.run_once(clock.now)
    with engine.begin() as connection:
        register_post_page(connection, 1)
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=1))
    gateway.calls.clear()
    assert relay.run_once(clock.now) == CDN.max_flight_time
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [["/1"]])
    clock.advance(CDN.max_flight_time - SECOND)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 1
    clock.advance(SECOND)
    relay.run_once(clock.now)
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [["/1"], ["/1"]])
    assert states(engine, CDN) == {"/1": EntryState.SETTLED}


def test_the_committing_process_purges_the_innermost_tier_itself(engine: Engine) -> None:
    """The gateway is purged when `flush` returns; the relay purges other tiers."""
    clock, gateway, cdn = Clock(), MemoryDriver(), MemoryDriver()
    relay = create_relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, version=0))
    relay.flush(clock.now)
    with engine.begin() as connection:
        register_post_page(connection, 1)
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=1))
    assert [page.url for page in relay.flush(clock.now).pages] == ["/1"]
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [])


def test_an_outer_tier_waits_until_the_inner_one_was_purged(engine: Engine) -> None:
    """Otherwise the CDN would be refilled from a stale gateway."""
    clock = Clock()
    gateway, cdn = MemoryDriver(script=iter([down(), down()])), MemoryDriver()
    relay = create_relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    enqueue_pages(engine, BOTH, "/a", "/b")
    relay.run_once(clock.now)
    assert cdn.calls == []
    while len(gateway.calls) < 3:
        clock.advance(SECOND)
        relay.run_once(clock.now)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a", "/b"]]


def test_a_joining_change_extends_the_wait_of_an_entry(engine: Engine) -> None:
    """The CDN's entry is older than the gateway's for the second write, and waits for it."""
    clock = Clock()
    gateway, cdn = MemoryDriver(), MemoryDriver(script=iter([down()]))
    relay = create_relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    enqueue_pages(engine, BOTH, "/a")
    relay.run_once(clock.now)
    assert len(cdn.calls) == 1
    enqueue_pages(engine, BOTH, "/a", now=clock.now)
    gateway.script = iter([down()])
    clock.advance(2 * SECOND)
    outer = relay.deliveries[1]
    outer.drain(clock.now)
    assert len(cdn.calls) == 1
    relay.run_once(clock.now)
    clock.advance(2 * SECOND)
    relay.run_once(clock.now)
    assert (len(gateway.calls), len(cdn.calls)) == (3, 2)


def test_entries_claimed_by_a_dead_process_are_sent_by_another(engine: Engine) -> None:
    """A claim ends with its lease; a later result of its process is ignored."""
    clock, cdn = Clock(), MemoryDriver()
    enqueue_pages(engine, [CDN], "/a")
    with engine.begin() as connection:
        old_claim = claim_entries(connection, CDN, cdn.limits, clock.now)
    assert isinstance(old_claim, Claim)
    relay = create_relay(engine, {CDN: cdn}, clock)
    wait = relay.run_once(clock.now)
    assert cdn.calls == []
    assert wait == cdn.limits.timeout + cdn.limits.claim_margin
    clock.advance(wait)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    with engine.begin() as connection:
        record_success(connection, CDN, old_claim, clock.now + CDN.max_flight_time)
    assert states(engine, CDN) == {"/a": EntryState.SENT}


def test_a_broken_inner_tier_does_not_hold_up_the_outer_one(engine: Engine) -> None:
    """The first purge goes ahead; the second waits until the inner tier has settled."""
    clock, bad = Clock(), [down()] * 4
    gateway, cdn = MemoryDriver(script=iter(bad)), MemoryDriver()
    relay = create_relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    enqueue_pages(engine, BOTH, "/a")
    while not cdn.calls:
        clock.advance(SECOND)
        relay.run_once(clock.now)
    assert len(gateway.calls) < 4
    while len(gateway.calls) < 5:
        assert len(cdn.calls) == 1
        clock.advance(SECOND)
        relay.run_once(clock.now)
    settled_at = clock.now
    while len(cdn.calls) < 2:
        clock.advance(SECOND)
        relay.run_once(clock.now)
    assert clock.now - settled_at >= CDN.max_flight_time


def test_a_change_joins_what_waits_but_not_what_was_sent(engine: Engine) -> None:
    """Two writes before sending need one purge; a write after it needs another."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    enqueue_pages(engine, [CDN], "/a", now=clock.now)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["/a"]]


def test_a_change_does_not_join_what_is_being_sent(engine: Engine) -> None:
    """A claimed entry may already have been sent before the change."""
    clock, cdn = Clock(), MemoryDriver()

    def write(call: DriverCall) -> None:
        if len(cdn.calls) == 1:
            enqueue_pages(engine, [CDN], "/a", now=clock.now)

    cdn.on_call = write
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["/a"]]


def test_a_batch_is_no_longer_than_the_edge_takes(engine: Engine) -> None:
    """Targets over the limit go into the next call."""
    clock, cdn = Clock(), MemoryDriver(limits=CallLimits(batch=2))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a", "/b", "/c", "/d", "/e")
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a", "/b"], ["/c", "/d"], ["/e"]]


def test_the_quota_holds_and_the_wait_is_returned(engine: Engine) -> None:
    """After the burst, each call waits for its token."""
    clock = Clock()
    cdn = MemoryDriver(limits=CallLimits(batch=1, per_second=0.5, burst=2))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a", "/b", "/c", "/d")
    wait = relay.run_once(clock.now)
    assert (len(cdn.calls), round(wait.total_seconds(), 3)) == (2, 2.0)
    clock.advance(wait)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 3


def test_retry_after_is_honoured_and_capped(engine: Engine) -> None:
    """The edge is not called until Retry-After has passed, up to a cap."""
    clock, week = Clock(), timedelta(days=7)
    script = [
        DriverFault(error=PurgeError("429", retry_after=after)) for after in (120 * SECOND, week)
    ]
    cdn = MemoryDriver(script=iter(script))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    times = []
    cdn.on_call = lambda _call: times.append(clock.now)
    while len(times) < 3:
        clock.advance(relay.run_once(clock.now))
    first, second = times[1] - times[0], times[2] - times[1]
    assert 120 * SECOND <= first <= 121 * SECOND
    assert MAX_RETRY_AFTER <= second <= MAX_RETRY_AFTER + SECOND


def test_rejected_credentials_pause_the_tier(engine: Engine) -> None:
    """One refusal opens the breaker and a long pause; no entry becomes a dead letter."""
    clock = Clock()
    cdn = MemoryDriver(
        script=iter(
            [DriverFault(error=PurgeError("403", retryable=False, credentials_rejected=True))] * 3
        )
    )
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {"cdn": "403"}
    clock.advance(CREDENTIAL_DELAY - SECOND)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 1
    assert states(engine, CDN) == {"/a": EntryState.PENDING}


def test_one_page_that_is_refused_does_not_take_others_with_it(engine: Engine) -> None:
    """A failing batch is halved until the refused page is alone in its call."""

    class Picky(MemoryDriver):
        def purge(self, targets: object) -> None:
            self.script = iter([refusal()] if PurgeTarget(url="/3", tag="p3") in targets else [])  # type: ignore[operator]
            super().purge(targets)  # type: ignore[arg-type]

    clock, cdn = Clock(), Picky(limits=CallLimits(batch=8))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], *(f"/{n}" for n in range(8)))
    for _ in range(300):
        relay.run_once(clock.now)
        clock.advance(SECOND)
    assert states(engine, CDN) == {f"/{n}": EntryState.SETTLED for n in range(8)} | {
        "/3": EntryState.DEAD
    }
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {"cdn": "1 purges were refused"}
        tier_status = purge_status(connection, clock.now).tiers[0]
    assert (tier_status.dead, [letter.url for letter in tier_status.letters]) == (1, ["/3"])
    assert "that is no page" in tier_status.letters[0].error


def dead(engine: Engine, clock: Clock) -> MemoryDriver:
    """Create a dead letter and return the driver."""
    cdn = MemoryDriver(script=iter([refusal()]))
    enqueue_pages(engine, [CDN], "/a")
    create_relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.DEAD}
    return cdn


def test_a_dead_letter_becomes_a_purge_of_everything(engine: Engine) -> None:
    """Its page may be stale, so everything is purged; the breaker is open until then."""
    clock = Clock()
    cdn = dead(engine, clock)
    relay = create_relay(engine, {CDN: cdn}, clock)
    clock.advance(CDN.dead_letter_timeout)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["*"]]
    with engine.connect() as connection:
        assert "cdn" in open_breakers(connection, clock.now)
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["*"], ["*"]]
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {}
    assert set(states(engine, CDN).values()) == {EntryState.SETTLED}


def test_a_person_can_have_a_dead_letter_tried_again(engine: Engine) -> None:
    """It is retried with both of its purges."""
    clock = Clock()
    cdn = dead(engine, clock)
    with engine.begin() as connection:
        assert retry_dead_letters(connection, CDN, clock.now) == 1
    relay = create_relay(engine, {CDN: cdn}, clock)
    clock.advance(SECOND)
    for _ in range(3):
        relay.run_once(clock.now)
        clock.advance(CDN.max_flight_time)
    assert urls(cdn) == [["/a"], ["/a"], ["/a"]]
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_everything_is_never_given_up(engine: Engine) -> None:
    """It is retried slowly, with the breaker open."""
    clock, cdn = Clock(), MemoryDriver(script=iter([refusal()] * 5))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], everything="a migration")
    for _ in range(4):
        relay.run_once(clock.now)
        with engine.connect() as connection:
            assert "cdn" in open_breakers(connection, clock.now)
        clock.advance(2 * CREDENTIAL_DELAY)
    assert states(engine, CDN) == {"*": EntryState.PENDING}
    assert len(cdn.calls) == 4


def test_a_large_backlog_becomes_a_purge_of_everything(engine: Engine) -> None:
    """A backlog over its limit becomes one purge, which keeps the age of its oldest entry."""
    clock = Clock()
    tier = Tier(name="cdn", depth=1, max_backlog=10)
    enqueue_pages(engine, [tier], *(f"/{n}" for n in range(6)))
    enqueue_pages(engine, [tier], *(f"/{n}" for n in range(3, 11)), now=NOW + SECOND)
    enqueue_pages(engine, [tier], "/x", now=NOW + SECOND)
    assert states(engine, tier) == {"*": EntryState.PENDING}
    cdn = MemoryDriver()
    clock.advance(3 * SECOND)
    with engine.connect() as connection:
        assert purge_status(connection, clock.now).tiers[0].oldest == 3 * SECOND
    create_relay(engine, {tier: cdn}, clock).run_once(clock.now)
    assert urls(cdn) == [["*"]]


def test_an_outer_page_waits_for_the_folded_purge_of_an_inner_tier(
    engine: Engine,
) -> None:
    """The folded entry has a new id, but outer entries still wait for it."""
    clock = Clock()
    small = Tier(name="gateway", depth=0, max_backlog=2)
    gateway, cdn = MemoryDriver(script=iter([down()])), MemoryDriver()
    relay = create_relay(engine, {small: gateway, CDN: cdn}, clock)
    enqueue_pages(engine, [small, CDN], "/a")
    enqueue_pages(engine, [small, CDN], "/b", "/c", "/d")
    assert set(states(engine, small)) == {"*"}
    relay.run_once(clock.now)
    assert (urls(gateway), cdn.calls) == ([["*"]], [])


def test_one_tier_in_trouble_does_not_delay_another(engine: Engine) -> None:
    """Tiers of equal depth are independent."""
    clock, other = Clock(), Tier(name="other", depth=1)
    bad, good = MemoryDriver(script=iter([down()] * 99)), MemoryDriver()
    relay = create_relay(engine, {CDN: bad, other: good}, clock)
    enqueue_pages(engine, [CDN, other], "/a")
    relay.run_once(clock.now)
    assert urls(good) == [["/a"]]
    assert states(engine, CDN) == {"/a": EntryState.PENDING}


def test_three_failures_open_the_breaker_and_a_success_closes_it(engine: Engine) -> None:
    """The breaker opens after the third failure."""
    clock, cdn = Clock(), MemoryDriver(script=iter([down()] * 3))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    breaker_states = []
    while len(cdn.calls) < 4:
        relay.run_once(clock.now)
        with engine.connect() as connection:
            breaker_states.append((len(cdn.calls), "cdn" in open_breakers(connection, clock.now)))
        clock.advance(SECOND)
    assert dict(breaker_states) == {1: False, 2: False, 3: True, 4: False}


def test_a_breaker_is_open_while_no_relay_runs(engine: Engine) -> None:
    """A long outstanding purge is found in the outbox."""
    enqueue_pages(engine, [CDN], "/a")
    with engine.connect() as connection:
        assert open_breakers(connection, NOW + SECOND) == {}
        assert open_breakers(connection, NOW + 61 * SECOND) == {
            "cdn": "a purge has been waiting for 61 s"
        }


def test_a_driver_that_breaks_counts_as_a_failed_call(engine: Engine) -> None:
    """A fault in a driver neither stops the relay nor loses a purge."""
    clock, cdn = (
        Clock(),
        MemoryDriver(script=iter([DriverFault(error=ZeroDivisionError("secret"))])),
    )
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    with engine.connect() as connection:
        last_error = connection.scalar(sa.select(outbox.c.last_error))
    assert last_error == "the driver failed: ZeroDivisionError"
    clock.advance(2 * SECOND)
    relay.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SENT}


def test_a_clock_that_is_set_back_delays_nothing(engine: Engine) -> None:
    """The second purge comes one time of flight after the first."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    clock.now -= timedelta(hours=2)
    clock.advance(SECOND)
    assert relay.run_once(clock.now) <= CDN.max_flight_time
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_a_clock_that_is_set_forward_hurries_nothing(engine: Engine) -> None:
    """The second purge waits for the time of flight, and calls for their quota."""
    clock, cdn = Clock(), MemoryDriver(limits=CallLimits(batch=1, per_second=0.1, burst=2))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], *(f"/{number}" for number in range(4)))
    relay.run_once(clock.now)
    assert len(cdn.calls) == 2
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 2
    clock.advance(19 * SECOND)
    relay.run_once(clock.now)
    assert len(cdn.calls) == 4
    assert set(states(engine, CDN).values()) == {EntryState.SENT}
    for _ in range(9):
        clock.advance(10 * SECOND)
        relay.run_once(clock.now)
    assert set(states(engine, CDN).values()) == {EntryState.SETTLED}


def test_a_clock_that_is_set_forward_and_back_delays_nothing(engine: Engine) -> None:
    """Purges of writes in between are sent at once."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    relay.run_once(clock.now)
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    relay.run_once(clock.now)
    enqueue_pages(engine, [CDN], "/a", now=clock.now)
    clock.now -= timedelta(hours=2)
    clock.advance(SECOND)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_a_claim_lasts_as_long_when_the_clock_is_set(engine: Engine) -> None:
    """A live claim does not expire early, and a dead one expires in time."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    relay.run_once(clock.now)
    enqueue_pages(engine, [CDN], "/a")
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        assert isinstance(claim_entries(connection, CDN, CallLimits(), clock.now), Claim)
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    relay.run_once(clock.now)
    assert cdn.calls == []
    clock.advance(CallLimits().timeout + CallLimits().claim_margin)
    relay.run_once(clock.now)
    assert urls(cdn) == [["/a"]]


def test_a_pause_lasts_as_long_when_the_clock_is_set(engine: Engine) -> None:
    """Back-off and Retry-After are durations, not instants."""
    patience = DriverFault(error=PurgeError("429", retry_after=timedelta(minutes=10)))
    clock, cdn = Clock(), MemoryDriver(script=iter([patience]))
    relay = create_relay(engine, {CDN: cdn}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    for hours in (3, -5, 1):
        clock.now += timedelta(hours=hours)
        relay.run_once(clock.now)
        clock.advance(timedelta(minutes=3))
        relay.run_once(clock.now)
        assert len(cdn.calls) == 1
    clock.advance(timedelta(minutes=2))
    relay.run_once(clock.now)
    assert len(cdn.calls) == 2


def test_a_hook_is_called_when_it_asked_to_be(engine: Engine) -> None:
    """The relay waits no longer than the next due hook."""
    clock, calls = Clock(), []

    def hook(now: object) -> object:
        calls.append(now)
        return NOW + 7 * SECOND if now < NOW + 7 * SECOND else None  # type: ignore[operator]

    relay = create_relay(engine, {CDN: MemoryDriver()}, clock, hooks=[hook])
    assert relay.run_once(clock.now) == 7 * SECOND
    clock.advance(7 * SECOND)
    assert relay.run_once(clock.now) > 7 * SECOND
    assert len(calls) == 2


def test_a_retired_tier_blocks_no_purge(engine: Engine) -> None:
    """No purge waits for a removed tier."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock, remote_tiers=[GATEWAY])
    enqueue_pages(engine, BOTH, "/a")
    relay.run_once(clock.now)
    assert cdn.calls == []
    with engine.begin() as connection:
        retire_tier(connection, "gateway")
    relay.run_once(clock.now)
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_old_entries_and_expired_pages_are_trimmed(engine: Engine) -> None:
    """Maintenance deletes old rows of the outbox and the index."""
    clock = Clock()
    relay = create_relay(engine, {GATEWAY: MemoryDriver()}, clock)
    enqueue_pages(engine, [GATEWAY], "/a")
    with engine.begin() as connection:
        register_post_page(connection, 1)
    relay.run_once(clock.now)
    clock.advance(timedelta(days=901))
    relay.run_once(clock.now)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(outbox)) == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM edge_page").scalar() == 0


def test_the_status_can_be_read_as_json(engine: Engine) -> None:
    """Probes and people see the same numbers."""
    clock = Clock()
    enqueue_pages(engine, [CDN], "/a")
    clock.advance(2 * SECOND)
    create_relay(engine, {CDN: MemoryDriver()}, clock).run_once(clock.now)
    enqueue_pages(engine, [CDN], "/b", now=clock.now)
    with engine.connect() as connection:
        status = purge_status(connection, clock.now + SECOND, ["cdn", "other"]).to_json()
    cdn, other = status["tiers"]
    assert (cdn["backlog"], cdn["resting"], cdn["oldest"], cdn["p50"]) == (1, 1, 1.0, 2.0)
    assert cdn["last_success"] == clock.now.isoformat()
    assert (other["name"], other["oldest"], status["healthy"]) == ("other", None, True)


def test_two_tiers_of_one_name_are_refused(sqlite_url: str) -> None:
    """Their entries could not be distinguished."""
    engine = sa.create_engine(sqlite_url)
    twin = Tier(name="cdn", depth=3)
    with pytest.raises(ValueError, match="two tiers have the same name"):
        create_relay(engine, {CDN: MemoryDriver(), twin: MemoryDriver()}, Clock())
    engine.dispose()


def test_a_bulk_import_is_one_purge_of_everything(engine: Engine) -> None:
    """Changes past the resolver's bound become one purge of everything for each tier."""
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    with engine.begin() as connection:
        rows = [{"id": n, "version": 0} for n in range(1, 2_100)]
        connection.execute(sa.insert(post), rows)
    relay.run_once(clock.now)
    assert urls(cdn) == [["*"]]


def test_the_log_of_a_bulk_import_is_deleted_in_batches(engine: Engine) -> None:
    """Later writes are purged page by page; the status counts unresolved changes."""
    build(engine, 2)
    clock, cdn = Clock(), MemoryDriver()
    relay = create_relay(engine, {CDN: cdn}, clock)
    bulk = [{"id": n, "version": 0} for n in range(10, 2_110)]
    with engine.begin() as connection:
        connection.execute(sa.insert(post), bulk)
        assert purge_status(connection, clock.now).entries == 2_100
    relay.enqueue_changes(clock.now)
    with engine.begin() as connection:
        connection.execute(sa.update(post).where(post.c.id == 1).values(version=9))
        lines = [*purge_status(connection, clock.now).to_lines()]
    assert lines[-1] == "2101 entries of the change log are left for the relay."
    for _ in range(3):
        relay.run_once(clock.now)
    with engine.begin() as connection:
        assert purge_status(connection, clock.now).entries == 0
    assert urls(cdn) == [["*"]]
    relay.run_once(clock.now)


def test_a_log_position_of_another_cluster_hides_no_change(engine: Engine) -> None:
    """A restored dump may contain a log position that is far ahead."""
    build(engine, 1)
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        ahead = "999999999" if engine.dialect.name == "sqlite" else "999999999:999999999:"
        set_meta(connection, "answered", ahead)
        connection.execute(sa.update(post).values(version=9))
    create_relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert urls(cdn) == [["/1"]]
