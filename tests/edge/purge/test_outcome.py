"""What a finished call changes in its entries and its tier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from app.edge.cdn import PurgeError, PurgeTarget
from app.edge.purge import EntryState, Tier
from app.edge.purge.backoff import (
    BASE_DELAY,
    CREDENTIAL_DELAY,
    MAX_DELAY,
    MAX_RETRY_AFTER,
    backoff_delay,
)
from app.edge.purge.claim import Claim
from app.edge.purge.outcome import CallFailure, record_failure, record_success

from .conftest import CDN, NOW
from .rows import AT, SECOND, add_entry, add_tier, get_entry, get_tier, open_memory

TOKEN = "1" * 32
FLIGHT = 30 * SECOND
HOUR = 3600 * SECOND
OTHER = Tier(name="another", depth=1)


class Middle(Random):
    """A generator whose every number is one half."""

    def random(self) -> float:
        """Return 0.5."""
        return 0.5


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory with a tier that has failed twice."""
    with open_memory() as connection:
        add_tier(connection, OTHER, failures=7, resume_at=AT + 1, breaker="down", flight=HOUR)
        add_tier(connection, failures=2, resume_at=AT + 1, breaker="down")
        add_entry(connection, "/other", id=1, blame=30, upto=1000, claimed_by="3" * 32)
        yield connection


def add_claimed(connection: Connection, url: str = "/a", **values: Any) -> int:
    """Insert an entry that the claim with TOKEN holds."""
    defaults: dict[str, Any] = {
        "state": EntryState.CLAIMED,
        "claimed_by": TOKEN,
        "attempts": 4,
        "blame": 2,
    }
    defaults["due_at"] = AT - 5
    return add_entry(connection, url, **(defaults | values))


def claim_of(*ids: int, everything: bool = False, pages: int | None = None) -> Claim:
    """Return the claim of these entries, with a page for each."""
    count = len(ids) if pages is None else pages
    targets = () if everything else tuple(PurgeTarget(url=f"/{n}") for n in range(count))
    return Claim(token=TOKEN, ids=ids, targets=targets, purges_everything=everything)


def fail(
    connection: Connection, error: PurgeError, *ids: int, everything: bool = False
) -> timedelta:
    """Record the failure of a call at NOW."""
    claim = claim_of(*ids, everything=everything)
    return record_failure(connection, CDN, claim, CallFailure(error=error, at=NOW), Middle())


DOWN = PurgeError("it is down")
REFUSED = PurgeError("no such page", retryable=False)
FORBIDDEN = PurgeError("wrong token", retryable=False, credentials_rejected=True)


# Success


def test_an_accepted_last_purge_settles_its_entry(connection: Connection) -> None:
    """The first purge keeps its time; the failures are forgotten."""
    first, second = add_claimed(connection), add_claimed(connection, sent_at=AT - 7)
    record_success(connection, CDN, claim_of(first, second), NOW)
    for entry_id, sent_at in ((first, AT), (second, AT - 7)):
        row = get_entry(connection, entry_id)
        assert (row.state, row.sent_at, row.settled_at) == (EntryState.SETTLED, sent_at, AT)
        assert (row.claimed_by, row.attempts, row.blame) == ("", 0, 0)


@pytest.mark.parametrize(
    ("flight", "wait"), [(0, FLIGHT), (FLIGHT, FLIGHT), (FLIGHT + 9, FLIGHT + 9)]
)
def test_an_accepted_first_purge_waits_for_its_second(
    connection: Connection, flight: int, wait: int
) -> None:
    """It is due after the longest time of flight that any process has reported."""
    connection.exec_driver_sql(f"UPDATE edge_tier SET flight = {flight} WHERE name = 'cdn'")
    entry_id = add_claimed(connection, again=True)
    record_success(connection, CDN, claim_of(entry_id), NOW)
    row = get_entry(connection, entry_id)
    assert (row.state, row.sent_at, row.settled_at) == (EntryState.SENT, AT, None)
    assert (row.again, row.due_at) == (False, AT + wait)
    assert (row.claimed_by, row.attempts, row.blame) == ("", 0, 0)


def test_a_success_closes_the_breaker_of_its_own_tier(connection: Connection) -> None:
    """Failures and pause end with it."""
    record_success(connection, CDN, claim_of(add_claimed(connection)), NOW)
    row, other = get_tier(connection), get_tier(connection, OTHER)
    assert (row.failures, row.resume_at, row.breaker, row.last_success) == (0, 0, "", AT)
    assert (other.failures, other.resume_at, other.breaker, other.last_success) == (
        7,
        AT + 1,
        "down",
        None,
    )


STOLEN = {
    "claimed by another process": {"claimed_by": "2" * 32},
    "released": {"state": EntryState.PENDING},
    "of no claim": {"claimed_by": ""},
    "claimed for its first purge": {"claimed_by": "2" * 32, "again": True},
    "claimed for its second purge": {"claimed_by": "2" * 32, "sent_at": AT - 9},
}


@pytest.mark.parametrize("error", [None, DOWN, REFUSED, FORBIDDEN], ids=str)
@pytest.mark.parametrize("values", STOLEN.values(), ids=STOLEN)
def test_the_result_of_a_call_whose_claim_ended_changes_no_entry(
    connection: Connection, values: dict[str, Any], error: PurgeError | None
) -> None:
    """The process that holds the entry now reports its own result."""
    entry_id = add_claimed(connection, **values)
    unnamed_id = add_claimed(connection, "/b", **values | {"claimed_by": TOKEN})
    before = get_entry(connection, entry_id), get_entry(connection, unnamed_id)
    if error is None:
        record_success(connection, CDN, claim_of(entry_id), NOW)
    else:
        fail(connection, error, entry_id)
    assert (get_entry(connection, entry_id), get_entry(connection, unnamed_id)) == before


DEAD = {
    "an older dead letter": ({}, CDN, False, EntryState.SETTLED),
    "the last that it covers": ({"id": 50}, CDN, False, EntryState.SETTLED),
    "a later dead letter": ({"id": 51}, CDN, False, EntryState.DEAD),
    "a dead letter of another tier": ({}, OTHER, False, EntryState.DEAD),
    "before the second purge": ({}, CDN, True, EntryState.DEAD),
    "an entry that another process has claimed": (
        {"state": EntryState.CLAIMED},
        CDN,
        False,
        EntryState.CLAIMED,
    ),
    "an entry that is no dead letter": (
        {"state": EntryState.PENDING},
        CDN,
        False,
        EntryState.PENDING,
    ),
}


@pytest.mark.parametrize(("values", "tier", "again", "state"), DEAD.values(), ids=DEAD)
def test_the_last_purge_of_everything_settles_older_dead_letters(
    connection: Connection,
    values: dict[str, Any],
    tier: Tier,
    again: bool,
    state: EntryState,
) -> None:
    """They are covered up to the id that the purge waits for."""
    dead = add_entry(connection, tier=tier, **{"id": 7, "state": EntryState.DEAD, **values})
    add_claimed(connection, "", id=102, upto=1000, claimed_by="2" * 32)
    everything = [
        add_claimed(connection, "", id=101, upto=20, again=again),
        add_claimed(connection, "", id=100, upto=50, again=again),
    ]
    record_success(connection, CDN, claim_of(*everything, everything=True), NOW)
    row = get_entry(connection, dead)
    assert row.state == state
    assert row.settled_at == (AT if state is EntryState.SETTLED else None)


def test_a_purge_of_a_page_settles_no_dead_letter(connection: Connection) -> None:
    """Only a purge of everything covers other pages."""
    dead = add_entry(connection, id=7, state=EntryState.DEAD)
    record_success(connection, CDN, claim_of(add_claimed(connection, id=100, upto=50)), NOW)
    assert get_entry(connection, dead).state == EntryState.DEAD


# Failure


@pytest.mark.parametrize(
    ("sent_at", "state"), [(None, EntryState.PENDING), (AT - 7, EntryState.SENT)]
)
def test_a_failed_entry_returns_to_its_state_before_the_claim(
    connection: Connection, sent_at: int | None, state: EntryState
) -> None:
    """An entry whose first purge was accepted keeps the time of that purge."""
    entry_id = add_claimed(connection, sent_at=sent_at)
    fail(connection, DOWN, entry_id)
    row = get_entry(connection, entry_id)
    assert (row.state, row.sent_at, row.settled_at) == (state, sent_at, None)
    assert (row.claimed_by, row.last_error, row.attempts) == ("", "it is down", 4)


def set_failures(connection: Connection, failures: int, breaker: str = "") -> None:
    """Set how often the tier has failed in a row."""
    connection.exec_driver_sql(
        f"UPDATE edge_tier SET failures = {failures}, breaker = '{breaker}' WHERE name = 'cdn'"
    )


BLAMED = {
    "down, after a success": (DOWN, 0, 2, True),
    "down, after a failure": (DOWN, 1, 2, False),
    "refused, after a success": (REFUSED, 0, 2, True),
    "refused, after a failure": (REFUSED, 1, 2, True),
    "credentials, after a success": (FORBIDDEN, 0, 2, False),
    "credentials, after a failure": (FORBIDDEN, 1, 2, False),
}


@pytest.mark.parametrize(("error", "failures", "pages", "is_blamed"), BLAMED.values(), ids=BLAMED)
def test_entries_are_blamed_only_for_failures_of_their_own(
    connection: Connection, error: PurgeError, failures: int, pages: int, is_blamed: bool
) -> None:
    """A tier that is down, or whose credentials are wrong, fails with any page."""
    set_failures(connection, failures)
    ids = [add_claimed(connection, f"/{n}", blame=n) for n in range(pages)]
    fail(connection, error, *ids)
    rows = [get_entry(connection, entry_id) for entry_id in ids]
    assert [row.blame for row in rows] == ([pages, pages] if is_blamed else [0, 1])
    assert {row.state for row in rows} == {EntryState.PENDING}
    assert all((row.due_at > AT) == is_blamed for row in rows)


DEATHS = {
    "one page, refused": (REFUSED, 0, 0, 1, True),
    "one page, refused by a tier that fails": (REFUSED, 2, 0, 1, True),
    "two pages, refused": (REFUSED, 0, 0, 2, False),
    "one page, its twelfth failure": (DOWN, 0, 11, 1, True),
    "one page, its eleventh failure": (DOWN, 0, 10, 1, False),
    "two pages, their twelfth failure": (DOWN, 0, 11, 2, False),
    "one page, the tier is down": (DOWN, 1, 11, 1, False),
    "one page, credentials": (FORBIDDEN, 0, 11, 1, False),
}


@pytest.mark.parametrize(
    ("error", "failures", "blame", "pages", "dies"), DEATHS.values(), ids=DEATHS
)
def test_a_page_becomes_a_dead_letter_only_when_it_failed_alone(
    connection: Connection,
    error: PurgeError,
    failures: int,
    blame: int,
    pages: int,
    dies: bool,
) -> None:
    """It was refused, or it failed twelve times while the tier accepted other pages."""
    set_failures(connection, failures)
    ids = [add_claimed(connection, f"/{n}", blame=blame) for n in range(pages)]
    fail(connection, error, *ids)
    for row in (get_entry(connection, entry_id) for entry_id in ids):
        assert row.state == (EntryState.DEAD if dies else EntryState.PENDING)
        assert row.last_error == str(error)
        assert not dies or row.due_at == AT


def test_a_refused_purge_of_everything_is_tried_again_after_the_credential_delay(
    connection: Connection,
) -> None:
    """It is never a dead letter, and it opens the breaker at once."""
    set_failures(connection, 0)
    entry_id = add_claimed(connection, "", blame=20)
    fail(connection, REFUSED, entry_id, everything=True)
    row = get_entry(connection, entry_id)
    assert (row.state, row.blame) == (EntryState.PENDING, 21)
    assert row.due_at == AT + CREDENTIAL_DELAY // timedelta(microseconds=1)
    assert get_tier(connection).breaker == "no such page"


def test_a_failed_purge_of_everything_is_no_dead_letter(connection: Connection) -> None:
    """It waits for its own back-off, and one failure does not open the breaker."""
    set_failures(connection, 0)
    entry_id = add_claimed(connection, "", blame=11)
    fail(connection, DOWN, entry_id, everything=True)
    row = get_entry(connection, entry_id)
    assert (row.state, row.due_at) == (EntryState.PENDING, AT + 150 * SECOND)
    assert get_tier(connection).breaker == ""


def test_refused_pages_wait_for_their_own_backoff(connection: Connection) -> None:
    """They are sent again in smaller batches soon."""
    set_failures(connection, 0)
    ids = [add_claimed(connection, f"/{n}", blame=3) for n in range(2)]
    fail(connection, REFUSED, *ids)
    assert [get_entry(connection, entry_id).due_at for entry_id in ids] == [AT + 4 * SECOND] * 2


def test_rejected_credentials_pause_the_tier_for_a_quarter_of_an_hour(
    connection: Connection,
) -> None:
    """The entries keep their time, since they did nothing wrong."""
    set_failures(connection, 0)
    entry_id = add_claimed(connection)
    pause = CREDENTIAL_DELAY + timedelta(seconds=0.5)
    assert fail(connection, FORBIDDEN, entry_id) == pause
    assert get_tier(connection).resume_at == AT + pause // timedelta(microseconds=1)
    assert get_entry(connection, entry_id).due_at == AT - 5


BREAKERS = {
    "the second failure": (DOWN, 1, ""),
    "the third failure": (DOWN, 2, "it is down"),
    "the first failure, refused": (REFUSED, 0, ""),
    "the first failure, credentials": (FORBIDDEN, 0, "wrong token"),
    "a failure without a message": (PurgeError(""), 2, "it cannot be purged"),
}


@pytest.mark.parametrize(("error", "failures", "breaker"), BREAKERS.values(), ids=BREAKERS)
def test_the_breaker_opens_with_the_third_failure_or_rejected_credentials(
    connection: Connection, error: PurgeError, failures: int, breaker: str
) -> None:
    """The failure is counted for its own tier."""
    set_failures(connection, failures)
    fail(connection, error, *(add_claimed(connection, f"/{n}") for n in range(2)))
    row = get_tier(connection)
    assert (row.failures, row.breaker) == (failures + 1, breaker)
    assert get_tier(connection, OTHER).failures == 7


def test_an_open_breaker_stays_open_after_a_failure_that_would_not_open_it(
    connection: Connection,
) -> None:
    """Only a success closes it."""
    set_failures(connection, 0, breaker="wrong token")
    fail(connection, DOWN, add_claimed(connection))
    assert get_tier(connection).breaker == "wrong token"


def test_a_tier_pauses_for_the_longer_of_its_backoff_and_retry_after(
    connection: Connection,
) -> None:
    """The pause grows with the failures of the tier, and the entry waits at least as long."""
    set_failures(connection, 2)
    assert fail(connection, DOWN, add_claimed(connection)) == timedelta(seconds=2)
    assert get_tier(connection).resume_at == AT + 2 * SECOND
    set_failures(connection, 0)
    entry_id = add_claimed(connection)
    later = PurgeError("429", retry_after=timedelta(seconds=60))
    assert fail(connection, later, entry_id) == timedelta(seconds=60.5)
    assert get_tier(connection).resume_at == AT + 60_500_000
    assert get_entry(connection, entry_id).due_at == AT + 60_500_000


def test_an_entry_waits_for_its_own_backoff_if_that_is_longer(connection: Connection) -> None:
    """Its fourth failure: half of eight seconds; the tier pauses for half a second."""
    set_failures(connection, 0)
    entry_id = add_claimed(connection, blame=3)
    assert fail(connection, DOWN, entry_id) == timedelta(seconds=0.5)
    assert get_entry(connection, entry_id).due_at == AT + 4 * SECOND


def test_a_long_message_is_cut(connection: Connection) -> None:
    """An edge may answer with a page."""
    entry_id = add_claimed(connection)
    fail(connection, PurgeError("x" * 501), entry_id)
    assert get_entry(connection, entry_id).last_error == "x" * 500


# Back-off

HALF = timedelta(seconds=0.5)
DELAYS = {
    "the first failure": (1, None, False, BASE_DELAY / 2),
    "the second failure": (2, None, False, BASE_DELAY),
    "the ninth failure": (9, None, False, timedelta(seconds=128)),
    "the tenth failure: the bound": (10, None, False, MAX_DELAY / 2),
    "very many failures": (10_000, None, False, MAX_DELAY / 2),
    "Retry-After below the jitter": (9, timedelta(seconds=127), False, timedelta(seconds=128)),
    "Retry-After equal to the jitter": (9, timedelta(seconds=128), False, timedelta(seconds=128)),
    "Retry-After above the jitter": (9, timedelta(seconds=129), False, timedelta(seconds=130)),
    "Retry-After above a short jitter": (1, timedelta(seconds=9), False, timedelta(seconds=9.5)),
    "Retry-After of an hour": (1, MAX_RETRY_AFTER, False, MAX_RETRY_AFTER + HALF),
    "Retry-After of a day": (1, timedelta(days=1), False, MAX_RETRY_AFTER + HALF),
    "a negative Retry-After": (1, timedelta(seconds=-9), False, HALF),
    "rejected credentials": (1, None, True, CREDENTIAL_DELAY + HALF),
    "rejected credentials and Retry-After": (
        2,
        timedelta(days=1),
        True,
        CREDENTIAL_DELAY + BASE_DELAY,
    ),
}


@pytest.mark.parametrize(
    ("failures", "retry_after", "credential", "delay"), DELAYS.values(), ids=DELAYS
)
def test_the_pause_doubles_with_each_failure_up_to_a_bound(
    failures: int, retry_after: timedelta | None, credential: bool, delay: timedelta
) -> None:
    """`Retry-After` is its minimum, up to an hour; the jitter never shortens that."""
    assert (
        backoff_delay(failures, Middle(), retry_after=retry_after, credential=credential) == delay
    )
