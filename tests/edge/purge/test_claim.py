"""Which entries one call claims: due, in order, within the limits, behind the inner tiers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from app.edge.cdn import CallLimits, PurgeTarget
from app.edge.changes.timestamps import from_microseconds
from app.edge.purge import EntryState, Tier
from app.edge.purge.claim import (
    BLOCKED_RETRY,
    OVERDUE_AFTER,
    Claim,
    Idle,
    claim_entries,
    has_claimed_entries,
    next_due,
    outstanding_urls,
)
from app.edge.purge.entry_state import OPEN_STATES
from app.edge.purge.gateway_heartbeats import SilentGateways

from .conftest import CDN, GATEWAY, NOW
from .rows import AT, SECOND, add_entry, add_tier, get_entry, get_tier, open_memory

LIMITS = CallLimits(batch=4, timeout=timedelta(seconds=10), claim_margin=timedelta(seconds=20))
LATE = AT - 61 * SECOND
FLIGHT = 30 * SECOND


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory."""
    with open_memory() as connection:
        yield connection


def claim(connection: Connection, limits: CallLimits = LIMITS, tier: Tier = CDN) -> Claim | Idle:
    """Claim entries of a tier at NOW."""
    return claim_entries(connection, tier, limits, NOW)


def claimed_urls(connection: Connection, limits: CallLimits = LIMITS) -> list[str]:
    """Return the URLs of the next claim; empty if there is none."""
    result = claim(connection, limits)
    return [target.url for target in result.targets] if isinstance(result, Claim) else []


DUE = {
    "pending, due now": ({}, True),
    "pending, due a microsecond later": ({"due_at": AT + 1}, False),
    "sent, due now": ({"state": EntryState.SENT, "sent_at": AT - SECOND}, True),
    "sent, due later": ({"state": EntryState.SENT, "sent_at": AT, "due_at": AT + 1}, False),
    "a claim that ends now": (
        {"state": EntryState.CLAIMED, "claimed_until": AT, "due_at": AT + SECOND},
        True,
    ),
    "a claim that ends later": ({"state": EntryState.CLAIMED, "claimed_until": AT + 1}, False),
    "settled": ({"state": EntryState.SETTLED}, False),
    "a dead letter": ({"state": EntryState.DEAD}, False),
}


@pytest.mark.parametrize(("values", "is_due"), DUE.values(), ids=DUE)
def test_an_entry_is_claimed_from_the_instant_at_which_it_is_due(
    connection: Connection, values: dict[str, Any], is_due: bool
) -> None:
    """A claim counts until its end; the end itself is too late for its holder."""
    entry_id = add_entry(connection, **values)
    result = claim(connection)
    assert isinstance(result, Claim) == is_due
    assert not isinstance(result, Claim) or result.ids == (entry_id,)


def test_only_entries_of_the_tier_are_claimed(connection: Connection) -> None:
    """Another edge of the same depth has its own entries."""
    add_entry(connection, tier=Tier(name="other", depth=1))
    assert claim(connection) == Idle()


def test_entries_are_claimed_in_the_order_in_which_they_are_due(connection: Connection) -> None:
    """The earlier instant comes first, then the lower id."""
    for url, due_at in (("/c", AT), ("/b", AT - 2), ("/a", AT), ("/d", AT - 1)):
        add_entry(connection, url, due_at=due_at)
    assert claimed_urls(connection) == ["/b", "/d", "/c", "/a"]


def test_a_purge_of_everything_comes_first_and_alone(connection: Connection) -> None:
    """Pages are left for the next call, even if they are due earlier."""
    add_entry(connection, "/a", due_at=AT - SECOND)
    everything = add_entry(connection, "")
    result = claim(connection)
    assert isinstance(result, Claim)
    assert (result.ids, result.targets, result.purges_everything) == ((everything,), (), True)


@pytest.mark.parametrize(("pages", "count"), [(3, 3), (4, 4), (5, 4)])
def test_a_call_names_at_most_a_batch_of_pages(
    connection: Connection, pages: int, count: int
) -> None:
    """The limit itself is allowed."""
    for number in range(pages):
        add_entry(connection, f"/{number}")
    assert len(claimed_urls(connection)) == count


FOLDED = {
    "two and two": (["/a\n/b", "/c\n/d", "/e"], 2),
    "three and two": (["/a\n/b\n/c", "/d\n/e"], 1),
    "three and one": (["/a\n/b\n/c", "/d"], 2),
    "five, more than a batch": (["/a\n/b\n/c\n/d\n/e", "/f"], 1),
}


@pytest.mark.parametrize(("urls", "count"), FOLDED.values(), ids=FOLDED)
def test_entries_with_several_pages_fill_a_batch_together(
    connection: Connection, urls: list[str], count: int
) -> None:
    """Their pages are counted; one entry is claimed even if it alone exceeds the batch."""
    ids = [add_entry(connection, url) for url in urls]
    result = claim(connection)
    assert isinstance(result, Claim)
    assert result.ids == tuple(ids[:count])
    assert len(result.targets) == "\n".join(urls[:count]).count("\n") + 1


BLAME = [(0, 4), (1, 2), (2, 1), (3, 1), (40, 1)]


@pytest.mark.parametrize(("blame", "count"), BLAME)
def test_each_failure_halves_the_batch_down_to_one_page(
    connection: Connection, blame: int, count: int
) -> None:
    """So a page that the edge refuses is isolated."""
    for number in range(5):
        add_entry(connection, f"/{number}", blame=blame)
    assert len(claimed_urls(connection)) == count


def test_entries_with_different_failure_counts_are_not_sent_together(
    connection: Connection,
) -> None:
    """An entry that failed does not make new ones fail."""
    for url, blame in (("/a", 1), ("/b", 0), ("/c", 1)):
        add_entry(connection, url, blame=blame)
    assert claimed_urls(connection) == ["/a", "/c"]


def test_a_claim_is_recorded_with_its_token_and_its_end(connection: Connection) -> None:
    """It ends after the timeout of the call and the margin, and the attempt is counted."""
    entry_id = add_entry(connection, attempts=2)
    result = claim(connection)
    assert isinstance(result, Claim)
    row = get_entry(connection, entry_id)
    assert (row.state, row.claimed_by, row.attempts) == (EntryState.CLAIMED, result.token, 3)
    assert row.claimed_until == AT + 30 * SECOND
    add_entry(connection, "/b")
    other = claim(connection)
    assert isinstance(other, Claim)
    assert other.token != result.token


def test_a_hard_purge_wins_over_a_soft_one_of_the_same_page(connection: Connection) -> None:
    """Each page is sent once, with its site and its tag."""
    for gone in (True, False):
        add_entry(connection, "/a", gone=gone, tag="t", site="https://a.example")
    add_entry(connection, "/a", tag="t", site="https://b.example")
    result = claim(connection)
    assert isinstance(result, Claim)
    assert set(result.targets) == {
        PurgeTarget(url="/a", tag="t", site="https://a.example", hard_purge=True),
        PurgeTarget(url="/a", tag="t", site="https://b.example"),
    }


# The pace of a tier

PACED = CallLimits(batch=4, per_second=2, burst=3)


def test_a_claim_takes_one_token_of_its_own_tier(connection: Connection) -> None:
    """The level is computed from the time since the last call, and bounded by the burst."""
    other = Tier(name="other", depth=1)
    add_tier(connection, level=0.5, level_at=AT - SECOND)
    add_tier(connection, other, level=7.0)
    add_entry(connection)
    assert isinstance(claim(connection, PACED), Claim)
    row = get_tier(connection)
    assert (row.level, row.level_at) == (1.5, AT)
    assert get_tier(connection, other).level == 7.0


def test_a_new_tier_starts_with_the_whole_burst(connection: Connection) -> None:
    """Its row is inserted by the first claim."""
    add_entry(connection)
    assert isinstance(claim(connection, PACED), Claim)
    row = get_tier(connection)
    assert (row.level, row.depth, row.flight) == (2.0, CDN.depth, FLIGHT)


def test_without_a_token_nothing_is_claimed_until_there_is_one(connection: Connection) -> None:
    """Half a token is missing at two calls a second: a quarter of a second."""
    add_tier(connection, level=0.5)
    add_entry(connection)
    until = NOW + timedelta(milliseconds=250, microseconds=1)
    assert claim(connection, PACED) == Idle(until=until)
    assert get_tier(connection).level == 0.5


@pytest.mark.parametrize(("resume_at", "is_claimed"), [(AT, True), (AT + 1, False)])
def test_a_paused_tier_resumes_at_its_instant(
    connection: Connection, resume_at: int, is_claimed: bool
) -> None:
    """Until then nothing is claimed, even for due entries."""
    add_tier(connection, resume_at=resume_at)
    add_entry(connection)
    result = claim(connection)
    assert isinstance(result, Claim) == is_claimed
    assert is_claimed or result == Idle(until=from_microseconds(resume_at))


# The order of tiers

INNER = {
    "pending": ({}, True),
    "claimed": ({"state": EntryState.CLAIMED, "claimed_until": AT + SECOND}, True),
    "sent": ({"state": EntryState.SENT, "sent_at": AT}, False),
    "pending again, sent before": ({"sent_at": AT}, False),
    "settled": ({"state": EntryState.SETTLED, "settled_at": AT}, False),
    "a dead letter": ({"state": EntryState.DEAD}, False),
    "waiting for just under a minute": ({"enqueued_at": LATE + SECOND + 1}, True),
    "waiting for a minute": ({"enqueued_at": LATE + SECOND}, False),
    "another page": ({"url": "/b"}, False),
    "everything": ({"url": "", "kind": "everything"}, True),
    "later than the change": ({"id": 100}, False),
    "later, in place of an earlier one": ({"id": 100, "origin": 9}, True),
    "later, in place of another later one": ({"id": 100, "origin": 10}, False),
    "the last that the change waits for": ({"id": 9}, True),
    "of an outer tier": ({"depth": 2}, False),
    "of the same depth": ({"depth": 1}, False),
}


@pytest.mark.parametrize("everything", [False, True], ids=["page", "everything"])
@pytest.mark.parametrize(("values", "blocks"), INNER.values(), ids=INNER)
def test_a_first_purge_waits_for_unsent_entries_of_inner_tiers(
    connection: Connection, values: dict[str, Any], blocks: bool, everything: bool
) -> None:
    """It waits for its own page and for purges of everything; those wait for every page."""
    assert timedelta(minutes=1) == OVERDUE_AFTER
    add_entry(connection, tier=GATEWAY, **{"id": 1, **values})
    add_entry(connection, "" if everything else "/a", id=10, upto=9)
    blocks = blocks or (everything and values.get("url") == "/b")
    assert isinstance(claim(connection), Idle) == blocks


BROKEN = {
    "its breaker is open": (GATEWAY, "it is down", False),
    "its breaker is closed": (GATEWAY, "", True),
    "the breaker of another tier is open": (Tier(name="other", depth=0), "it is down", True),
}


@pytest.mark.parametrize(("tier", "breaker", "blocks"), BROKEN.values(), ids=BROKEN)
def test_a_first_purge_does_not_wait_for_a_tier_that_cannot_be_purged(
    connection: Connection, tier: Tier, breaker: str, blocks: bool
) -> None:
    """Only the breaker of the tier that the inner entry belongs to counts."""
    add_tier(connection, tier, breaker=breaker)
    add_entry(connection, tier=GATEWAY, id=1)
    add_entry(connection, id=10, upto=9)
    assert isinstance(claim(connection), Idle) == blocks


SECOND_PURGES = {
    "not settled": ({"state": EntryState.SENT, "sent_at": AT}, True),
    "a dead letter": ({"state": EntryState.DEAD}, True),
    "settled just within the flight": (
        {"state": EntryState.SETTLED, "settled_at": AT - FLIGHT + 1},
        True,
    ),
    "settled one flight ago": ({"state": EntryState.SETTLED, "settled_at": AT - FLIGHT}, False),
    "another page": ({"url": "/b"}, False),
    "later than the change": ({"id": 100}, False),
}


@pytest.mark.parametrize(("values", "blocks"), SECOND_PURGES.values(), ids=SECOND_PURGES)
def test_a_second_purge_waits_one_flight_after_inner_entries_settled(
    connection: Connection, values: dict[str, Any], blocks: bool
) -> None:
    """An open breaker or a long wait does not shorten it."""
    add_tier(connection, GATEWAY, breaker="it is down")
    add_entry(connection, tier=GATEWAY, **{"id": 1, "enqueued_at": LATE, **values})
    add_entry(connection, id=10, upto=9, state=EntryState.SENT, sent_at=AT - 2 * FLIGHT)
    assert isinstance(claim(connection), Idle) == blocks


def test_the_longer_flight_of_the_tier_row_counts(connection: Connection) -> None:
    """Another process may have other settings; the order and the wait follow the larger values."""
    tier = Tier(name="cdn", depth=1, max_flight_time=timedelta(seconds=1))
    add_tier(connection, tier, flight=FLIGHT)
    settled_at = AT - FLIGHT + 1
    add_entry(connection, tier=GATEWAY, id=1, state=EntryState.SETTLED, settled_at=settled_at)
    add_entry(connection, id=10, upto=9, state=EntryState.SENT, sent_at=AT - 2 * FLIGHT)
    assert isinstance(claim(connection, tier=tier), Idle)


def test_the_larger_depth_of_the_tier_row_counts(connection: Connection) -> None:
    """An edge that this process believes to be innermost waits for the tiers inside it."""
    add_tier(connection, Tier(name="cdn", depth=2))
    add_entry(connection, tier=Tier(name="shield", depth=1), id=1)
    add_entry(connection, id=10, upto=9)
    assert isinstance(claim(connection), Idle)


SILENT = {
    "first purge, silent": (None, (("gateway", 5),), (), False),
    "first purge, a newer heartbeat": (None, (("gateway", 4),), (), True),
    "first purge, another gateway": (None, (("other", 5),), (), True),
    "second purge, silent": (AT - 2 * FLIGHT, (("gateway", 5),), (), True),
    "second purge, silent past its flight": (AT - 2 * FLIGHT, (), (("gateway", 5),), False),
}


@pytest.mark.parametrize(("sent_at", "silent", "past", "blocks"), SILENT.values(), ids=SILENT)
def test_no_purge_waits_for_a_silent_gateway(
    connection: Connection,
    sent_at: int | None,
    silent: tuple[tuple[str, int], ...],
    past: tuple[tuple[str, int], ...],
    blocks: bool,
) -> None:
    """The gateway is named with its last heartbeat; the second purge needs one flight more."""
    add_tier(connection, GATEWAY, seen_at=5)
    add_entry(connection, tier=GATEWAY, id=1)
    state = EntryState.SENT if sent_at else EntryState.PENDING
    add_entry(connection, id=10, upto=9, state=state, sent_at=sent_at)
    silent_gateways = SilentGateways(silent=silent, silent_past_flight=past)
    result = claim_entries(connection, CDN, LIMITS, NOW, silent_gateways=silent_gateways)
    assert isinstance(result, Idle) == blocks


# When to try again


def test_a_blocked_entry_is_checked_again_soon(connection: Connection) -> None:
    """After BLOCKED_RETRY, or earlier if another entry is due earlier."""
    add_entry(connection, tier=GATEWAY, id=1)
    add_entry(connection, id=10, upto=9)
    assert claim(connection) == Idle(until=NOW + BLOCKED_RETRY)
    add_entry(connection, "/later", id=11, due_at=AT + 2 * SECOND)
    assert claim(connection) == Idle(until=NOW + BLOCKED_RETRY)
    add_entry(connection, "/sooner", id=12, due_at=AT + SECOND // 2)
    assert claim(connection) == Idle(until=NOW + timedelta(milliseconds=500))


def test_the_next_instant_is_that_of_the_next_entry(connection: Connection) -> None:
    """A claimed entry counts with the end of its claim; finished entries do not count."""
    add_tier(connection)
    for state in (EntryState.SETTLED, EntryState.DEAD):
        add_entry(connection, state=state, due_at=AT + 1)
    assert next_due(connection, CDN, NOW) == claim(connection) == Idle()
    add_entry(connection, due_at=AT + 3 * SECOND)
    later = Idle(until=NOW + timedelta(seconds=3))
    assert next_due(connection, CDN, NOW) == claim(connection) == later
    claimed_until = AT + 2 * SECOND
    add_entry(connection, state=EntryState.CLAIMED, due_at=AT, claimed_until=claimed_until)
    sooner = Idle(until=NOW + timedelta(seconds=2))
    assert next_due(connection, CDN, NOW) == claim(connection) == sooner
    assert next_due(connection, CDN, NOW + timedelta(seconds=2)) is None


def test_outstanding_pages_are_those_of_open_entries(connection: Connection) -> None:
    """Each page once, those of claimed entries included; None means everything."""
    for number, state in enumerate(EntryState):
        add_entry(connection, f"/{state}\n/{state}2", tag="t", id=number + 1, state=state)
    add_entry(connection, f"/{EntryState.SENT}", tag="t")
    add_entry(connection, "/other", tier=GATEWAY)
    targets = outstanding_urls(connection, CDN)
    assert targets is not None
    claimed_ids = {f"/{state}{end}" for state in OPEN_STATES for end in ("", "2")}
    assert sorted(target.url for target in targets) == sorted(claimed_ids)
    add_entry(connection, "", state=EntryState.SETTLED)
    assert outstanding_urls(connection, CDN) is not None
    add_entry(connection, "", state=EntryState.SENT)
    assert outstanding_urls(connection, CDN) is None


def test_an_outstanding_page_has_its_tag_and_its_site(connection: Connection) -> None:
    """Sorted by URL; a page that waits twice is listed once."""
    for url in ("/b", "/a", "/a"):
        add_entry(connection, url, tag="t", site="https://a.example")
    assert outstanding_urls(connection, CDN) == tuple(
        PurgeTarget(url=url, tag="t", site="https://a.example") for url in ("/a", "/b")
    )


@pytest.mark.parametrize("state", EntryState)
def test_a_tier_is_being_sent_to_while_an_entry_is_claimed(
    connection: Connection, state: EntryState
) -> None:
    """No other state counts, and no other tier."""
    add_entry(connection, state=state)
    add_entry(connection, tier=GATEWAY, state=EntryState.CLAIMED)
    assert has_claimed_entries(connection, CDN) == (state is EntryState.CLAIMED)
