"""Tiers over time: breakers, heartbeats, members, maintenance, the clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from app.edge.purge import EntryState, Tier
from app.edge.purge.breaker import open_breakers
from app.edge.purge.clock import ClockJumpDetector, shift_schedule
from app.edge.purge.gateway_heartbeats import HeartbeatMonitor
from app.edge.purge.heartbeat import (
    RELAY_TIMEOUT,
    RelayHeartbeatMonitor,
    record_relay_heartbeat,
    relay_silence,
    tiers_with_relay,
    tiers_without_relay,
)
from app.edge.purge.lease import HEARTBEAT_TIMEOUT
from app.edge.purge.maintenance import (
    KEEP_SETTLED,
    resume_tier,
    retire_tier,
    retry_dead_letters,
    run_maintenance,
)
from app.edge.purge.membership import (
    RETIRE_NEVER_SEEN_AFTER,
    RETIRE_SILENT_AFTER,
    join,
    member_tiers,
    record_heartbeat,
    retire_silent_gateways,
    retire_unconfigured_tiers,
    tier_of_gateway,
    tiers_to_purge,
    was_retired,
)
from app.edge.purge.tier import sort_inside_out

from .conftest import CDN, GATEWAY, NOW, Clock
from .rows import AT, SECOND, add_entry, add_tier, get_entries, get_entry, get_tier, open_memory

MINUTE = 60 * SECOND
OTHER = Tier(name="other", depth=1)
MACHINE = tier_of_gateway("m1")


def microseconds(span: timedelta) -> int:
    """Return the number of microseconds of a span."""
    return span // timedelta(microseconds=1)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory."""
    with open_memory() as connection:
        yield connection


# Breakers

OVERDUE = {
    "for a minute": ({"enqueued_at": AT - MINUTE}, False),
    "for longer than a minute": ({"enqueued_at": AT - MINUTE - 1}, True),
    "long, and claimed": ({"state": EntryState.CLAIMED, "enqueued_at": AT - 2 * MINUTE}, True),
    "long, for its second purge": (
        {"state": EntryState.SENT, "sent_at": AT, "enqueued_at": AT - 2 * MINUTE},
        False,
    ),
    "long, and settled": ({"state": EntryState.SETTLED, "enqueued_at": AT - 2 * MINUTE}, False),
}


@pytest.mark.parametrize(("values", "is_open"), OVERDUE.values(), ids=OVERDUE)
def test_a_tier_is_broken_while_a_first_purge_waits_for_more_than_a_minute(
    connection: Connection, values: dict[str, Any], is_open: bool
) -> None:
    """The reason names the wait of the oldest."""
    add_entry(connection, **values)
    add_entry(connection, "/b", **{**values, "enqueued_at": AT})
    wait = (AT - values["enqueued_at"]) // SECOND
    assert open_breakers(connection, NOW) == (
        {"cdn": f"a purge has been waiting for {wait} s"} if is_open else {}
    )


@pytest.mark.parametrize(
    ("seen_at", "is_open"), [(0, True), (AT - MINUTE, True), (AT - MINUTE - 1, False)]
)
def test_a_silent_gateway_opens_no_breaker(
    connection: Connection, seen_at: int, is_open: bool
) -> None:
    """A gateway that never sent a heartbeat is not silent."""
    add_tier(connection, MACHINE, seen_at=seen_at)
    add_entry(connection, tier=MACHINE, enqueued_at=AT - 2 * MINUTE)
    assert (MACHINE.name in open_breakers(connection, NOW)) == is_open


def test_a_dead_letter_and_a_recorded_breaker_each_break_their_tier(
    connection: Connection,
) -> None:
    """The recorded reason is the more exact one; a closed breaker is no reason."""
    add_tier(connection)
    add_tier(connection, OTHER, breaker="403")
    for tier in (CDN, OTHER):
        add_entry(connection, tier=tier, state=EntryState.DEAD)
    assert open_breakers(connection, NOW) == {"cdn": "1 purges were refused", "other": "403"}


# Relays


ALIVE = microseconds(RELAY_TIMEOUT)
RELAYS = {
    "none ever": (1, 0, False, False),
    "alive": (1, AT, True, False),
    "alive for the last time": (1, AT - ALIVE, True, False),
    "dead": (1, AT - ALIVE - 1, False, True),
    "dead, of a gateway": (0, AT - ALIVE - 1, False, False),
}


@pytest.mark.parametrize(("depth", "at", "lives", "is_broken"), RELAYS.values(), ids=RELAYS)
def test_a_relay_is_dead_after_its_timeout(
    connection: Connection, depth: int, at: int, lives: bool, is_broken: bool
) -> None:
    """Only edges in front depend on it, and only if one ever ran."""
    add_tier(connection, Tier(name="cdn", depth=depth), relayed_at=at)
    assert tiers_with_relay(connection, NOW) == ({"cdn"} if lives else set())
    silence = timedelta(microseconds=AT - at) if at and not lives else None
    assert relay_silence(connection, NOW) == silence
    reasons = {"cdn": "no relay has delivered to it for 30 s"} if is_broken else {}
    assert tiers_without_relay(connection, NOW) == reasons
    assert open_breakers(connection, NOW) == reasons


def test_one_live_relay_is_enough(connection: Connection) -> None:
    """A heartbeat is written for the tiers of its relay only."""
    add_tier(connection, relayed_at=AT - ALIVE - 1)
    add_tier(connection, OTHER, relayed_at=AT - ALIVE - 1)
    record_relay_heartbeat(connection, ["cdn"], "web-1", NOW)
    assert relay_silence(connection, NOW) is None
    assert list(tiers_without_relay(connection, NOW)) == ["other"]
    assert (get_tier(connection).relayed_by, get_tier(connection, OTHER).relayed_by) == (
        "web-1",
        "",
    )


HEARTBEAT = HEARTBEAT_TIMEOUT.total_seconds()


@pytest.mark.parametrize(("elapsed", "is_silent"), [(HEARTBEAT - 1, False), (HEARTBEAT, True)])
def test_a_relay_whose_heartbeat_does_not_change_is_silent(
    connection: Connection, elapsed: float, is_silent: bool
) -> None:
    """A new heartbeat, or one of another relay, starts the time again."""
    add_tier(connection, relayed_at=AT, relayed_by="a")
    clock = Clock()
    monitor = RelayHeartbeatMonitor(clock.ticks)
    for at, by in ((AT, "a"), (AT + 1, "a"), (AT + 1, "b")):
        record_relay_heartbeat(connection, ["cdn"], by, NOW + timedelta(microseconds=at - AT))
        monitor.read_heartbeats(connection, ["cdn"])
        clock.advance(timedelta(seconds=elapsed))
        monitor.read_heartbeats(connection, ["cdn"])
        assert monitor.is_any_silent(but_for="me") == is_silent
    assert monitor.is_any_silent(but_for="b")


@pytest.mark.parametrize(
    ("elapsed", "silent", "past"),
    [(14, False, False), (15, True, False), (24, True, False), (25, True, True)],
)
def test_a_gateway_is_silent_from_its_timeout_on(
    connection: Connection, elapsed: float, silent: bool, past: bool
) -> None:
    """Its last responses have arrived one flight later; the values are the last heartbeats."""
    add_tier(connection, MACHINE, seen_at=AT)
    add_tier(connection, tier_of_gateway("never"), seen_at=0)
    clock = Clock()
    monitor = HeartbeatMonitor(clock.ticks)
    monitor.read_heartbeats(connection)
    clock.advance(timedelta(seconds=elapsed))
    result = monitor.silent_gateways(connection, timedelta(seconds=10))
    assert result.silent == (((MACHINE.name, AT),) if silent else ())
    assert result.silent_past_flight == (((MACHINE.name, AT),) if past else ())
    assert monitor.silent_names() == ((MACHINE.name,) if silent else ())
    record_heartbeat(connection, MACHINE, NOW + timedelta(seconds=1))
    assert monitor.silent_gateways(connection).silent == ()


# Members


HEARTBEATS = {
    "nothing outstanding": (None, True),
    "outstanding for a minute": ({"enqueued_at": AT - MINUTE}, True),
    "outstanding for longer": ({"enqueued_at": AT - MINUTE - 1}, False),
    "sent in time": (
        {"state": EntryState.SENT, "sent_at": AT, "enqueued_at": AT - 2 * MINUTE},
        True,
    ),
    "refused": ({"state": EntryState.DEAD, "enqueued_at": AT - 2 * MINUTE}, True),
    "of another gateway": ({"tier": OTHER, "enqueued_at": AT - 2 * MINUTE}, True),
}


@pytest.mark.parametrize(("values", "is_recorded"), HEARTBEATS.values(), ids=HEARTBEATS)
def test_a_gateway_with_an_overdue_purge_sends_no_heartbeat(
    connection: Connection, values: dict[str, Any] | None, is_recorded: bool
) -> None:
    """So its lease ends, and it serves nothing that is stale."""
    add_tier(connection, MACHINE, seen_at=7)
    add_tier(connection, OTHER, seen_at=8)
    if values is not None:
        add_entry(connection, **{"tier": MACHINE, **values})
    assert record_heartbeat(connection, MACHINE, NOW) == is_recorded
    assert get_tier(connection, MACHINE).seen_at == (AT if is_recorded else 7)
    assert get_tier(connection, OTHER).seen_at == 8


def test_a_gateway_without_a_row_sends_no_heartbeat(connection: Connection) -> None:
    """It was retired, and must start with an empty store."""
    assert not record_heartbeat(connection, MACHINE, NOW)


RETIRED = {
    "no row, never seen": (None, False, True),
    "no row, seen": (None, True, True),
    "a row without a heartbeat, never seen": (0, False, False),
    "a row without a heartbeat, seen": (0, True, True),
    "a row with a heartbeat": (AT, True, False),
}


@pytest.mark.parametrize(("seen_at", "was_seen", "old_member"), RETIRED.values(), ids=RETIRED)
def test_a_gateway_whose_heartbeats_are_gone_was_retired(
    connection: Connection, seen_at: int | None, was_seen: bool, old_member: bool
) -> None:
    """A row that was inserted again has no heartbeat."""
    add_tier(connection, OTHER, seen_at=AT)
    if seen_at is not None:
        add_tier(connection, MACHINE, seen_at=seen_at)
    assert was_retired(connection, MACHINE, was_seen=was_seen) == old_member


SILENT_AFTER = microseconds(RETIRE_SILENT_AFTER)
NEVER_SEEN_AFTER = microseconds(RETIRE_NEVER_SEEN_AFTER)
LEAVES = {
    "silent for an hour": ("gateway-m1", AT - SILENT_AFTER, True, None, True),
    "silent for longer": ("gateway-m1", AT - SILENT_AFTER - 1, True, None, False),
    "silent for longer by its clock": ("gateway-m1", AT - SILENT_AFTER - 1, False, None, True),
    "an edge": ("cdn", AT - SILENT_AFTER - 1, True, None, True),
    "never seen, nothing outstanding": ("gateway-m1", 0, False, None, True),
    "never seen for nine days": ("gateway-m1", 0, False, AT - NEVER_SEEN_AFTER, True),
    "never seen for longer": ("gateway-m1", 0, False, AT - NEVER_SEEN_AFTER - 1, False),
    "seen, with old entries": ("gateway-m1", AT, False, AT - NEVER_SEEN_AFTER - 1, True),
    "an edge with old entries": ("cdn", 0, False, AT - NEVER_SEEN_AFTER - 1, True),
}


@pytest.mark.parametrize(("name", "seen_at", "silent", "old", "stays"), LEAVES.values(), ids=LEAVES)
def test_a_gateway_is_removed_only_after_a_long_silence(
    connection: Connection, name: str, seen_at: int, silent: bool, old: int | None, stays: bool
) -> None:
    """Its heartbeat must be old by both clocks, or it never had one and its entries are old."""
    tier = Tier(name=name, depth=0)
    add_tier(connection, tier, seen_at=seen_at)
    add_entry(connection, tier=tier, enqueued_at=AT if old is None else old)
    retire_silent_gateways(connection, NOW, [name] if silent else [])
    assert [member.name for member in member_tiers(connection)] == ([name] if stays else [])
    assert bool(get_entries(connection)) == stays


def test_a_tier_that_joins_again_takes_the_new_settings(connection: Connection) -> None:
    """Only its own row changes."""
    assert join(connection, CDN, NOW)
    assert join(connection, OTHER, NOW)
    for tier in (replace(CDN, depth=3), replace(CDN, max_flight_time=timedelta(seconds=9)), CDN):
        assert not join(connection, tier, NOW)
        row, other = get_tier(connection), get_tier(connection, OTHER)
        assert (row.depth, row.flight) == (tier.depth, microseconds(tier.max_flight_time))
        assert (other.depth, other.flight) == (1, 0)


def test_the_tiers_to_purge_are_ours_and_the_members(connection: Connection) -> None:
    """A tier in both has the larger depth and the longer flight; ours keeps its other settings."""
    mine = Tier(name="cdn", depth=2, max_flight_time=timedelta(seconds=1), max_backlog=9)
    add_tier(connection, Tier(name="cdn", depth=1), flight=5 * SECOND)
    add_tier(connection, OTHER)
    outcome = {replace(mine, max_flight_time=timedelta(seconds=5)), OTHER, GATEWAY}
    assert set(tiers_to_purge(connection, [mine, GATEWAY])) == outcome


def test_an_edge_that_nobody_configures_or_delivers_to_is_removed(connection: Connection) -> None:
    """Gateways stay; they have no settings."""
    for tier in (CDN, OTHER, MACHINE, Tier(name="alive", depth=2)):
        add_tier(connection, tier, relayed_at=AT if tier.name == "alive" else 0)
    assert retire_unconfigured_tiers(connection, [OTHER], NOW) == ["cdn"]
    assert {tier.name for tier in member_tiers(connection)} == {"other", MACHINE.name, "alive"}
    assert retire_unconfigured_tiers(connection, [OTHER]) == ["alive"]


def test_tiers_are_sorted_from_the_innermost_outwards() -> None:
    """By their names at one depth."""
    b, a, inner = Tier(name="b", depth=1), Tier(name="a", depth=1), Tier(name="z", depth=0)
    assert sort_inside_out([b, inner, a]) == (inner, a, b)


FLIGHT = timedelta(seconds=5)


@pytest.mark.parametrize(
    ("depth", "flight", "outcome"),
    [
        (1, FLIGHT, (1, FLIGHT)),
        (0, FLIGHT * 2, (1, FLIGHT * 2)),
        (2, FLIGHT / 2, (2, FLIGHT)),
        (0, FLIGHT / 2, (1, FLIGHT)),
    ],
)
def test_a_tier_is_only_moved_outwards(
    depth: int, flight: timedelta, outcome: tuple[int, timedelta]
) -> None:
    """Each of the two values is the larger one by itself."""
    tier = Tier(name="a", depth=1, max_flight_time=FLIGHT).at_least(depth, flight)
    assert (tier.depth, tier.max_flight_time) == outcome


# Maintenance

TIMEOUT = microseconds(CDN.dead_letter_timeout)
ESCALATIONS = {
    "after the timeout": ({"due_at": AT - TIMEOUT}, None, True),
    "before the timeout": ({"due_at": AT - TIMEOUT + 1}, None, False),
    "at another tier": ({"tier": OTHER, "due_at": AT - TIMEOUT}, None, False),
    "no dead letter": ({"state": EntryState.SETTLED, "due_at": AT - TIMEOUT}, None, False),
    "a purge of everything covers it": ({"due_at": 0}, {"upto": 7}, False),
    "a sent one covers it": ({"due_at": 0}, {"upto": 7, "state": EntryState.SENT}, False),
    "one that ends before it": ({"due_at": 0}, {"upto": 6, "state": EntryState.SENT}, True),
    "a settled one": ({"due_at": 0}, {"upto": 7, "state": EntryState.SETTLED}, True),
    "one of another tier": ({"due_at": 0}, {"upto": 7, "tier": OTHER}, True),
    "a page": ({"due_at": 0}, {"upto": 7, "kind": "page", "state": EntryState.SENT}, True),
}


@pytest.mark.parametrize(("values", "other", "escalates"), ESCALATIONS.values(), ids=ESCALATIONS)
def test_an_old_dead_letter_becomes_a_purge_of_everything(
    connection: Connection, values: dict[str, Any], other: dict[str, Any] | None, escalates: bool
) -> None:
    """Once: not while an open one covers the newest dead letter."""
    add_entry(connection, **{"id": 7, "state": EntryState.DEAD, **values})
    if other is not None:
        add_entry(connection, "", **{"id": 8, **other})
    count = len(get_entries(connection))
    run_maintenance(connection, (CDN,), NOW)
    added = get_entries(connection)[count:]
    assert [row.cause for row in added] == ["1 pages could not be purged one by one"] * escalates
    run_maintenance(connection, (CDN,), NOW)
    assert len(get_entries(connection)) == count + len(added)


KEPT = microseconds(KEEP_SETTLED)


@pytest.mark.parametrize(
    ("values", "is_deleted"),
    [
        ({"state": EntryState.SETTLED, "settled_at": AT - KEPT}, False),
        ({"state": EntryState.SETTLED, "settled_at": AT - KEPT - 1}, True),
        ({"state": EntryState.DEAD, "due_at": AT, "settled_at": AT - KEPT - 1}, False),
    ],
)
def test_settled_entries_are_deleted_after_a_day(
    connection: Connection, values: dict[str, Any], is_deleted: bool
) -> None:
    """Nothing else is deleted."""
    add_entry(connection, **values)
    run_maintenance(connection, (CDN,), NOW)
    assert (get_entries(connection) == []) == is_deleted


def test_a_person_can_have_failed_purges_sent_now(connection: Connection) -> None:
    """Dead letters start over; postponed entries are due now; the count names both."""
    dead = add_entry(
        connection, state=EntryState.DEAD, sent_at=AT - 9, due_at=1, attempts=7, blame=3
    )
    later = add_entry(connection, "/b", due_at=AT + 9, last_error="500", blame=2)
    overdue = add_entry(connection, "/c", due_at=AT - 9, last_error="500")
    new = add_entry(connection, "/d", due_at=AT + 9)
    foreign = add_entry(connection, tier=OTHER, state=EntryState.DEAD)
    assert retry_dead_letters(connection, CDN, NOW) == 3
    row = get_entry(connection, dead)
    assert (row.state, row.due_at, row.sent_at, row.again) == (EntryState.PENDING, AT, None, True)
    assert (row.attempts, row.blame) == (0, 0)
    due = [get_entry(connection, entry_id).due_at for entry_id in (later, overdue, new)]
    assert due == [AT, AT - 9, AT + 9]
    assert get_entry(connection, foreign).state == EntryState.DEAD


def test_a_retried_purge_without_a_flight_has_no_second_purge(connection: Connection) -> None:
    """The tier refuses stale responses itself."""
    dead = add_entry(connection, tier=GATEWAY, state=EntryState.DEAD, again=True)
    retry_dead_letters(connection, GATEWAY, NOW)
    assert not get_entry(connection, dead).again


def test_a_tier_is_resumed_and_retired_by_its_name(connection: Connection) -> None:
    """No other tier is resumed or retired with it."""
    for tier in (CDN, OTHER):
        add_tier(connection, tier, resume_at=AT, failures=3)
        add_entry(connection, tier=tier)
    resume_tier(connection, "cdn")
    row, other = get_tier(connection), get_tier(connection, OTHER)
    assert (row.resume_at, row.failures, other.resume_at, other.failures) == (0, 0, AT, 3)
    retire_tier(connection, "cdn")
    assert [tier.name for tier in member_tiers(connection)] == ["other"]
    assert [entry.tier for entry in get_entries(connection)] == ["other"]


# The clock

JUMPS = {
    "none": (10, 10, 0),
    "a tolerated adjustment": (11, 10, 0),
    "set forward": (12, 10, 2),
    "set back": (-5, 10, -5),
    "set back within the time that passed": (5, 10, 0),
    "set back a little": (-1, 10, 0),
    "a pause of the process": (600, 600, 0),
}


@pytest.mark.parametrize(("system", "monotonic", "jump"), JUMPS.values(), ids=JUMPS)
def test_a_clock_jump_is_what_the_two_clocks_differ_by(
    system: int, monotonic: int, jump: int
) -> None:
    """The first measurement has nothing to compare with."""
    detector = ClockJumpDetector()
    assert detector.measure_jump(NOW, 1000.0) == timedelta(0)
    at = NOW + timedelta(seconds=system)
    assert detector.measure_jump(at, 1000.0 + monotonic) == timedelta(seconds=jump)
    assert detector.measure_jump(at, 1000.0 + monotonic) == timedelta(0)


def test_the_schedule_of_the_own_tiers_is_shifted(connection: Connection) -> None:
    """Every planned and recorded instant moves, and no instant of another tier."""
    columns = ("due_at", "claimed_until", "enqueued_at", "written_at", "sent_at", "settled_at")
    instants: dict[str, Any] = {name: AT + number for number, name in enumerate(columns)}
    for tier in (CDN, OTHER):
        add_entry(connection, tier=tier, **instants)
        add_tier(connection, tier, resume_at=AT, level_at=AT)
    shift_schedule(connection, ["cdn"], timedelta(seconds=3))
    later_time, same = get_entries(connection)
    assert [later_time._mapping[name] for name in columns] == [
        at - 3 * SECOND for at in instants.values()
    ]
    assert [same._mapping[name] for name in columns] == list(instants.values())
    row, other = get_tier(connection), get_tier(connection, OTHER)
    assert (row.resume_at, row.level_at) == (AT - 3 * SECOND, AT - 3 * SECOND)
    assert (other.resume_at, other.level_at) == (AT, AT)
