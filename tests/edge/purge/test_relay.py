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

from .conftest import CDN, GATEWAY, NOW, SECOND, Clock, build, owe, page, post, relay, states

BOTH = (GATEWAY, CDN)


def urls(driver: MemoryDriver) -> list[list[str]]:
    """What a driver was asked for, call by call; a purge of everything is a star."""
    return [["*"] if call.everything else [t.url for t in call.targets] for call in driver.calls]


def refused() -> DriverFault:
    """A fault that no other try mends."""
    return DriverFault(error=PurgeError("that is no page", retryable=False))


def down() -> DriverFault:
    """A fault that passes."""
    return DriverFault(error=PurgeError("500"))


def test_a_write_is_purged_everywhere_and_once_more_after_the_flight(engine: Engine) -> None:
    """From a row in the content to two purges at the edge, the second one flight later."""
    clock, gateway, cdn = Clock(), MemoryDriver(), MemoryDriver()
    found = relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, version=0))
    found.run_once(clock.now)
    with engine.begin() as connection:
        page(connection, 1)
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=1))
    gateway.calls.clear()
    assert found.run_once(clock.now) == CDN.max_flight_time
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [["/1"]])
    clock.advance(CDN.max_flight_time - SECOND)
    found.run_once(clock.now)
    assert len(cdn.calls) == 1
    clock.advance(SECOND)
    found.run_once(clock.now)
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [["/1"], ["/1"]])
    assert states(engine, CDN) == {"/1": EntryState.SETTLED}


def test_the_committing_process_purges_the_innermost_tier_itself(engine: Engine) -> None:
    """The gateway is clean when `flush` returns; the rest is left to the relay."""
    clock, gateway, cdn = Clock(), MemoryDriver(), MemoryDriver()
    found = relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, version=0))
    found.flush(clock.now)
    with engine.begin() as connection:
        page(connection, 1)
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=1))
    assert [page.url for page in found.flush(clock.now).pages] == ["/1"]
    assert (urls(gateway), urls(cdn)) == ([["/1"]], [])


def test_an_outer_tier_waits_until_the_inner_one_was_purged(engine: Engine) -> None:
    """A page at the CDN would be filled again from a stale gateway."""
    clock = Clock()
    gateway, cdn = MemoryDriver(script=iter([down(), down()])), MemoryDriver()
    found = relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    owe(engine, BOTH, "/a", "/b")
    found.run_once(clock.now)
    assert cdn.calls == []
    while len(gateway.calls) < 3:
        clock.advance(SECOND)
        found.run_once(clock.now)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a", "/b"]]


def test_what_joins_an_entry_brings_its_own_wait(engine: Engine) -> None:
    """The CDN's entry is older than the gateway's for the second write, and waits for it."""
    clock = Clock()
    gateway, cdn = MemoryDriver(), MemoryDriver(script=iter([down()]))
    found = relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    owe(engine, BOTH, "/a")
    found.run_once(clock.now)
    assert len(cdn.calls) == 1
    owe(engine, BOTH, "/a", now=clock.now)
    gateway.script = iter([down()])
    clock.advance(2 * SECOND)
    outer = found.deliveries[1]
    outer.drain(clock.now)
    assert len(cdn.calls) == 1
    found.run_once(clock.now)
    clock.advance(2 * SECOND)
    found.run_once(clock.now)
    assert (len(gateway.calls), len(cdn.calls)) == (3, 2)


def test_what_a_dead_process_had_claimed_is_sent_by_another(engine: Engine) -> None:
    """A claim ends with its lease; who comes back after it has nothing to say any more."""
    clock, cdn = Clock(), MemoryDriver()
    owe(engine, [CDN], "/a")
    with engine.begin() as connection:
        lost = claim_entries(connection, CDN, cdn.limits, clock.now)
    assert isinstance(lost, Claim)
    found = relay(engine, {CDN: cdn}, clock)
    wait = found.run_once(clock.now)
    assert cdn.calls == []
    assert wait == cdn.limits.timeout + cdn.limits.claim_margin
    clock.advance(wait)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    with engine.begin() as connection:
        record_success(connection, CDN, lost, clock.now + CDN.max_flight_time)
    assert states(engine, CDN) == {"/a": EntryState.SENT}


def test_a_broken_inner_tier_does_not_hold_up_the_outer_one(engine: Engine) -> None:
    """The first purge goes ahead; the second waits until the inner tier has settled."""
    clock, bad = Clock(), [down()] * 4
    gateway, cdn = MemoryDriver(script=iter(bad)), MemoryDriver()
    found = relay(engine, {GATEWAY: gateway, CDN: cdn}, clock)
    owe(engine, BOTH, "/a")
    while not cdn.calls:
        clock.advance(SECOND)
        found.run_once(clock.now)
    assert len(gateway.calls) < 4
    while len(gateway.calls) < 5:
        assert len(cdn.calls) == 1
        clock.advance(SECOND)
        found.run_once(clock.now)
    settled = clock.now
    while len(cdn.calls) < 2:
        clock.advance(SECOND)
        found.run_once(clock.now)
    assert clock.now - settled >= CDN.max_flight_time


def test_a_change_joins_what_waits_but_not_what_was_sent(engine: Engine) -> None:
    """Two writes before the sending cost one purge; a write after it costs another."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    owe(engine, [CDN], "/a", now=clock.now)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["/a"]]


def test_a_change_does_not_join_what_is_being_sent(engine: Engine) -> None:
    """A claimed entry may already be on the wire with the state before the change."""
    clock, cdn = Clock(), MemoryDriver()

    def write(call: DriverCall) -> None:
        if len(cdn.calls) == 1:
            owe(engine, [CDN], "/a", now=clock.now)

    cdn.on_call = write
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["/a"]]


def test_a_batch_is_no_longer_than_the_edge_takes(engine: Engine) -> None:
    """Targets over the limit go into the next call."""
    clock, cdn = Clock(), MemoryDriver(limits=CallLimits(batch=2))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a", "/b", "/c", "/d", "/e")
    found.run_once(clock.now)
    assert urls(cdn) == [["/a", "/b"], ["/c", "/d"], ["/e"]]


def test_the_quota_is_kept_and_the_wait_is_told(engine: Engine) -> None:
    """After the burst, each call waits for its token."""
    clock = Clock()
    cdn = MemoryDriver(limits=CallLimits(batch=1, per_second=0.5, burst=2))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a", "/b", "/c", "/d")
    wait = found.run_once(clock.now)
    assert (len(cdn.calls), round(wait.total_seconds(), 3)) == (2, 2.0)
    clock.advance(wait)
    found.run_once(clock.now)
    assert len(cdn.calls) == 3


def test_retry_after_is_honoured_and_capped(engine: Engine) -> None:
    """The edge is left alone for as long as it asked, within reason."""
    clock, week = Clock(), timedelta(days=7)
    script = [
        DriverFault(error=PurgeError("429", retry_after=after)) for after in (120 * SECOND, week)
    ]
    cdn = MemoryDriver(script=iter(script))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    times = []
    cdn.on_call = lambda _call: times.append(clock.now)
    while len(times) < 3:
        clock.advance(found.run_once(clock.now))
    first, second = times[1] - times[0], times[2] - times[1]
    assert 120 * SECOND <= first <= 121 * SECOND
    assert MAX_RETRY_AFTER <= second <= MAX_RETRY_AFTER + SECOND


def test_a_bad_credential_is_not_hammered(engine: Engine) -> None:
    """One refusal opens the breaker and is followed by a long rest; nothing dies of it."""
    clock = Clock()
    cdn = MemoryDriver(
        script=iter(
            [DriverFault(error=PurgeError("403", retryable=False, credentials_rejected=True))] * 3
        )
    )
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {"cdn": "403"}
    clock.advance(CREDENTIAL_DELAY - SECOND)
    found.run_once(clock.now)
    assert len(cdn.calls) == 1
    assert states(engine, CDN) == {"/a": EntryState.PENDING}


def test_one_page_that_is_refused_does_not_take_others_with_it(engine: Engine) -> None:
    """A batch that fails for one page is halved until that page dies alone."""

    class Picky(MemoryDriver):
        def purge(self, targets: object) -> None:
            self.script = iter([refused()] if PurgeTarget(url="/3", tag="p3") in targets else [])  # type: ignore[operator]
            super().purge(targets)  # type: ignore[arg-type]

    clock, cdn = Clock(), Picky(limits=CallLimits(batch=8))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], *(f"/{n}" for n in range(8)))
    for _ in range(300):
        found.run_once(clock.now)
        clock.advance(SECOND)
    assert states(engine, CDN) == {f"/{n}": EntryState.SETTLED for n in range(8)} | {
        "/3": EntryState.DEAD
    }
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {"cdn": "1 purges were refused"}
        shown = purge_status(connection, clock.now).tiers[0]
    assert (shown.dead, [letter.url for letter in shown.letters]) == (1, ["/3"])
    assert "that is no page" in shown.letters[0].error


def dead(engine: Engine, clock: Clock) -> MemoryDriver:
    """A tier with one dead letter."""
    cdn = MemoryDriver(script=iter([refused()]))
    owe(engine, [CDN], "/a")
    relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.DEAD}
    return cdn


def test_a_dead_letter_becomes_a_purge_of_everything(engine: Engine) -> None:
    """Its page may be stale, so everything goes, and the breaker stays open until then."""
    clock = Clock()
    cdn = dead(engine, clock)
    found = relay(engine, {CDN: cdn}, clock)
    clock.advance(CDN.dead_letter_timeout)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["*"]]
    with engine.connect() as connection:
        assert "cdn" in open_breakers(connection, clock.now)
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"], ["*"], ["*"]]
    with engine.connect() as connection:
        assert open_breakers(connection, clock.now) == {}
    assert set(states(engine, CDN).values()) == {EntryState.SETTLED}


def test_a_person_can_have_a_dead_letter_tried_again(engine: Engine) -> None:
    """It starts anew, with both of its purges."""
    clock = Clock()
    cdn = dead(engine, clock)
    with engine.begin() as connection:
        assert retry_dead_letters(connection, CDN, clock.now) == 1
    found = relay(engine, {CDN: cdn}, clock)
    clock.advance(SECOND)
    for _ in range(3):
        found.run_once(clock.now)
        clock.advance(CDN.max_flight_time)
    assert urls(cdn) == [["/a"], ["/a"], ["/a"]]
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_everything_is_never_given_up(engine: Engine) -> None:
    """There is nothing coarser, so it is asked for again, slowly, with the breaker open."""
    clock, cdn = Clock(), MemoryDriver(script=iter([refused()] * 5))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], everything="a migration")
    for _ in range(4):
        found.run_once(clock.now)
        with engine.connect() as connection:
            assert "cdn" in open_breakers(connection, clock.now)
        clock.advance(2 * CREDENTIAL_DELAY)
    assert states(engine, CDN) == {"*": EntryState.PENDING}
    assert len(cdn.calls) == 4


def test_a_backlog_folds_into_everything(engine: Engine) -> None:
    """Past its bound it costs one purge, and the age of what was folded stays known."""
    clock = Clock()
    tier = Tier(name="cdn", depth=1, max_backlog=10)
    owe(engine, [tier], *(f"/{n}" for n in range(6)))
    owe(engine, [tier], *(f"/{n}" for n in range(3, 11)), now=NOW + SECOND)
    owe(engine, [tier], "/x", now=NOW + SECOND)
    assert states(engine, tier) == {"*": EntryState.PENDING}
    cdn = MemoryDriver()
    clock.advance(3 * SECOND)
    with engine.connect() as connection:
        assert purge_status(connection, clock.now).tiers[0].oldest == 3 * SECOND
    relay(engine, {tier: cdn}, clock).run_once(clock.now)
    assert urls(cdn) == [["*"]]


def test_an_outer_page_waits_for_the_everything_that_its_inner_one_folded_into(
    engine: Engine,
) -> None:
    """Folding gives an entry a new number; what waits for it must not notice."""
    clock = Clock()
    small = Tier(name="gateway", depth=0, max_backlog=2)
    gateway, cdn = MemoryDriver(script=iter([down()])), MemoryDriver()
    found = relay(engine, {small: gateway, CDN: cdn}, clock)
    owe(engine, [small, CDN], "/a")
    owe(engine, [small, CDN], "/b", "/c", "/d")
    assert set(states(engine, small)) == {"*"}
    found.run_once(clock.now)
    assert (urls(gateway), cdn.calls) == ([["*"]], [])


def test_one_tier_in_trouble_does_not_delay_another(engine: Engine) -> None:
    """Two tiers side by side know nothing of each other."""
    clock, other = Clock(), Tier(name="other", depth=1)
    bad, good = MemoryDriver(script=iter([down()] * 99)), MemoryDriver()
    found = relay(engine, {CDN: bad, other: good}, clock)
    owe(engine, [CDN, other], "/a")
    found.run_once(clock.now)
    assert urls(good) == [["/a"]]
    assert states(engine, CDN) == {"/a": EntryState.PENDING}


def test_three_failures_open_the_breaker_and_a_success_closes_it(engine: Engine) -> None:
    """While an edge can't be purged, its pages must not live long."""
    clock, cdn = Clock(), MemoryDriver(script=iter([down()] * 3))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    seen = []
    while len(cdn.calls) < 4:
        found.run_once(clock.now)
        with engine.connect() as connection:
            seen.append((len(cdn.calls), "cdn" in open_breakers(connection, clock.now)))
        clock.advance(SECOND)
    assert dict(seen) == {1: False, 2: False, 3: True, 4: False}


def test_a_breaker_is_open_while_no_relay_runs(engine: Engine) -> None:
    """What is owed for long is told by the outbox itself."""
    owe(engine, [CDN], "/a")
    with engine.connect() as connection:
        assert open_breakers(connection, NOW + SECOND) == {}
        assert open_breakers(connection, NOW + 61 * SECOND) == {"cdn": "a purge is owed for 61 s"}


def test_a_driver_that_breaks_counts_as_a_failed_call(engine: Engine) -> None:
    """A mistake in a driver neither ends the relay nor loses a purge."""
    clock, cdn = (
        Clock(),
        MemoryDriver(script=iter([DriverFault(error=ZeroDivisionError("secret"))])),
    )
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    with engine.connect() as connection:
        said = connection.scalar(sa.select(outbox.c.last_error))
    assert said == "the driver failed: ZeroDivisionError"
    clock.advance(2 * SECOND)
    found.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SENT}


def test_a_clock_that_is_set_back_delays_nothing(engine: Engine) -> None:
    """The second purge comes one flight after the first, whatever the clock shows."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    clock.now -= timedelta(hours=2)
    clock.advance(SECOND)
    assert found.run_once(clock.now) <= CDN.max_flight_time
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_a_clock_that_is_set_forward_hurries_nothing(engine: Engine) -> None:
    """The second purge waits for the flight in real time, and calls for their quota."""
    clock, cdn = Clock(), MemoryDriver(limits=CallLimits(batch=1, per_second=0.1, burst=2))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], *(f"/{number}" for number in range(4)))
    found.run_once(clock.now)
    assert len(cdn.calls) == 2
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    found.run_once(clock.now)
    assert len(cdn.calls) == 2
    clock.advance(19 * SECOND)
    found.run_once(clock.now)
    assert len(cdn.calls) == 4
    assert set(states(engine, CDN).values()) == {EntryState.SENT}
    for _ in range(9):
        clock.advance(10 * SECOND)
        found.run_once(clock.now)
    assert set(states(engine, CDN).values()) == {EntryState.SETTLED}


def test_a_clock_that_is_set_forward_and_back_delays_nothing(engine: Engine) -> None:
    """What was written in between is sent at once."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    found.run_once(clock.now)
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    found.run_once(clock.now)
    owe(engine, [CDN], "/a", now=clock.now)
    clock.now -= timedelta(hours=2)
    clock.advance(SECOND)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"]]
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_a_lease_outlives_a_clock_that_is_set(engine: Engine) -> None:
    """Whoever sends just now is not taken for dead, and whoever died is replaced in time."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    found.run_once(clock.now)
    owe(engine, [CDN], "/a")
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        assert isinstance(claim_entries(connection, CDN, CallLimits(), clock.now), Claim)
    clock.now += timedelta(hours=2)
    clock.advance(SECOND)
    found.run_once(clock.now)
    assert cdn.calls == []
    clock.advance(CallLimits().timeout + CallLimits().claim_margin)
    found.run_once(clock.now)
    assert urls(cdn) == [["/a"]]


def test_a_rest_is_as_long_as_it_was_though_the_clock_is_set(engine: Engine) -> None:
    """Back-off and Retry-After are spans, not times of the day."""
    patience = DriverFault(error=PurgeError("429", retry_after=timedelta(minutes=10)))
    clock, cdn = Clock(), MemoryDriver(script=iter([patience]))
    found = relay(engine, {CDN: cdn}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    for hours in (3, -5, 1):
        clock.now += timedelta(hours=hours)
        found.run_once(clock.now)
        clock.advance(timedelta(minutes=3))
        found.run_once(clock.now)
        assert len(cdn.calls) == 1
    clock.advance(timedelta(minutes=2))
    found.run_once(clock.now)
    assert len(cdn.calls) == 2


def test_a_hook_is_called_when_it_asked_to_be(engine: Engine) -> None:
    """What is due in time, such as publishing, sets the relay's pace."""
    clock, called = Clock(), []

    def hook(now: object) -> object:
        called.append(now)
        return NOW + 7 * SECOND if now < NOW + 7 * SECOND else None  # type: ignore[operator]

    found = relay(engine, {CDN: MemoryDriver()}, clock, hooks=[hook])
    assert found.run_once(clock.now) == 7 * SECOND
    clock.advance(7 * SECOND)
    assert found.run_once(clock.now) > 7 * SECOND
    assert len(called) == 2


def test_a_retired_tier_holds_nobody_up(engine: Engine) -> None:
    """A machine that is gone is not waited for."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock, others=[GATEWAY])
    owe(engine, BOTH, "/a")
    found.run_once(clock.now)
    assert cdn.calls == []
    with engine.begin() as connection:
        retire_tier(connection, "gateway")
    found.run_once(clock.now)
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    assert states(engine, CDN) == {"/a": EntryState.SETTLED}


def test_old_entries_and_expired_pages_are_trimmed(engine: Engine) -> None:
    """Neither the outbox nor the index grows for ever."""
    clock = Clock()
    found = relay(engine, {GATEWAY: MemoryDriver()}, clock)
    owe(engine, [GATEWAY], "/a")
    with engine.begin() as connection:
        page(connection, 1)
    found.run_once(clock.now)
    clock.advance(timedelta(days=901))
    found.run_once(clock.now)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(outbox)) == 0
        assert connection.exec_driver_sql("SELECT count(*) FROM edge_page").scalar() == 0


def test_the_status_can_be_read_as_json(engine: Engine) -> None:
    """Probes and people see the same numbers."""
    clock = Clock()
    owe(engine, [CDN], "/a")
    clock.advance(2 * SECOND)
    relay(engine, {CDN: MemoryDriver()}, clock).run_once(clock.now)
    owe(engine, [CDN], "/b", now=clock.now)
    with engine.connect() as connection:
        shown = purge_status(connection, clock.now + SECOND, ["cdn", "other"]).to_json()
    cdn, other = shown["tiers"]
    assert (cdn["backlog"], cdn["resting"], cdn["oldest"], cdn["p50"]) == (1, 1, 1.0, 2.0)
    assert cdn["last_success"] == clock.now.isoformat()
    assert (other["name"], other["oldest"], shown["healthy"]) == ("other", None, True)


def test_two_tiers_of_one_name_are_refused(sqlite_url: str) -> None:
    """Their entries could not be told apart."""
    engine = sa.create_engine(sqlite_url)
    twin = Tier(name="cdn", depth=3)
    with pytest.raises(ValueError, match="two tiers have the same name"):
        relay(engine, {CDN: MemoryDriver(), twin: MemoryDriver()}, Clock())
    engine.dispose()


def test_a_bulk_import_is_one_purge_of_everything(engine: Engine) -> None:
    """Changes past the resolver's bound become one purge of everything for each tier."""
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    with engine.begin() as connection:
        rows = [{"id": n, "version": 0} for n in range(1, 2_100)]
        connection.execute(sa.insert(post), rows)
    found.run_once(clock.now)
    assert urls(cdn) == [["*"]]


def test_a_bulk_import_is_cleared_away_by_and_by(engine: Engine) -> None:
    """What is written meanwhile is purged page by page, and the status counts what is left."""
    build(engine, 2)
    clock, cdn = Clock(), MemoryDriver()
    found = relay(engine, {CDN: cdn}, clock)
    bulk = [{"id": n, "version": 0} for n in range(10, 2_110)]
    with engine.begin() as connection:
        connection.execute(sa.insert(post), bulk)
        assert purge_status(connection, clock.now).entries == 2_100
    found.enqueue_changes(clock.now)
    with engine.begin() as connection:
        connection.execute(sa.update(post).where(post.c.id == 1).values(version=9))
        said = [*purge_status(connection, clock.now).to_lines()]
    assert said[-1] == "2101 entries of the change log are left for the relay."
    for _ in range(3):
        found.run_once(clock.now)
    with engine.begin() as connection:
        assert purge_status(connection, clock.now).entries == 0
    assert urls(cdn) == [["*"]]
    found.run_once(clock.now)


def test_a_mark_of_another_cluster_hides_no_change(engine: Engine) -> None:
    """A dump may bring the note of a purge of everything whose numbers are far ahead."""
    build(engine, 1)
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        ahead = "999999999" if engine.dialect.name == "sqlite" else "999999999:999999999:"
        set_meta(connection, "answered", ahead)
        connection.execute(sa.update(post).values(version=9))
    relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert urls(cdn) == [["/1"]]
