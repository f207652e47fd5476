"""Record the result of a call in its entries and its tier; only the holder of the claim may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..cdn import PurgeError
from ..changes.timestamps import duration_microseconds, to_microseconds
from .backoff import CREDENTIAL_DELAY, backoff_delay
from .claim import Claim
from .entry_state import EntryState, move
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

BREAKER_THRESHOLD = 3
"""The number of consecutive failures that opens the breaker of a tier."""

DEAD_LETTER_THRESHOLD = 12
"""An entry with so many failures, while its tier accepts others, becomes a dead letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFailure:
    """The error of a call, and its time."""

    error: PurgeError
    at: datetime


def record_success(connection: Connection, tier: Tier, claim: Claim, now: datetime) -> None:
    """Record an accepted call: its entries are settled, or wait for their second purge."""
    at = to_microseconds(now)
    if claim.purges_everything:
        _settle_dead_letters(connection, tier, claim, now)
    free: dict[str, Any] = {"claimed_by": "", "attempts": 0, "blame": 0}
    first = sa.func.coalesce(outbox.c.sent_at, at)
    move(
        connection,
        EntryState.SETTLED,
        sa.and_(_is_held_by(claim), ~outbox.c.again),
        sent_at=first,
        settled_at=at,
        **free,
    )
    move(
        connection,
        EntryState.SENT,
        sa.and_(_is_held_by(claim), outbox.c.again),
        sent_at=first,
        again=False,
        due_at=at + _flight_time(connection, tier),
        **free,
    )
    connection.execute(
        sa.update(tiers)
        .where(tiers.c.name == tier.name)
        .values(failures=0, resume_at=0, breaker="", last_success=at),
    )


def _flight_time(connection: Connection, tier: Tier) -> int:
    """Return the microseconds until the second purge: the longest known time of flight."""
    query = sa.select(tiers.c.flight).where(tiers.c.name == tier.name)
    return max(duration_microseconds(tier.max_flight_time), connection.scalar(query) or 0)


def _settle_dead_letters(connection: Connection, tier: Tier, claim: Claim, now: datetime) -> None:
    """Settle the older dead letters of a tier when its purge of everything settles."""
    settles = connection.scalar(
        sa.select(sa.func.max(outbox.c.upto)).where(_is_held_by(claim), ~outbox.c.again),
    )
    if settles is not None:
        move(
            connection,
            EntryState.SETTLED,
            sa.and_(outbox.c.tier == tier.name, outbox.c.id <= settles),
            come_from=(EntryState.DEAD,),
            settled_at=to_microseconds(now),
        )


def record_failure(
    connection: Connection, tier: Tier, claim: Claim, failure: CallFailure, random: Random
) -> timedelta:
    """Record a failed call: entries are retried or become dead letters; return the pause."""
    error, message = failure.error, str(failure.error)[:500]
    count, entry_failures = _failures(connection, tier), _entry_failures(connection, claim)
    is_refused = not error.retryable and not error.credentials_rejected
    is_entry_failure = is_refused or (not error.credentials_rejected and count == 0)
    rest = backoff_delay(
        count + 1, random, retry_after=error.retry_after, credential=error.credentials_rejected
    )
    if not claim.purges_everything and _is_undeliverable(
        claim, entry_failures, is_refused=is_refused, is_entry_failure=is_entry_failure
    ):
        move(
            connection,
            EntryState.DEAD,
            _is_held_by(claim),
            due_at=to_microseconds(failure.at),
            last_error=message,
        )
    values: dict[str, Any] = {"last_error": message, "claimed_by": ""}
    if is_entry_failure:
        own = (
            CREDENTIAL_DELAY
            if is_refused and claim.purges_everything
            else backoff_delay(entry_failures + 1, random)
        )
        values |= {
            "blame": entry_failures + 1,
            "due_at": to_microseconds(failure.at + max(own, rest)),
        }
    _release_entries(connection, claim, values)
    broken = (
        error.credentials_rejected
        or count + 1 >= BREAKER_THRESHOLD
        or (is_refused and claim.purges_everything)
    )
    _pause_tier(connection, tier, count + 1, failure.at + rest, message if broken else None)
    return rest


def _is_undeliverable(
    claim: Claim, entry_failures: int, *, is_refused: bool, is_entry_failure: bool
) -> bool:
    """Return whether the entry must not be retried: a single page was refused."""
    alone = len(claim.targets) == 1
    return alone and (
        is_refused or (is_entry_failure and entry_failures + 1 >= DEAD_LETTER_THRESHOLD)
    )


def _release_entries(connection: Connection, claim: Claim, values: dict[str, Any]) -> None:
    """Return the entries to their state before the claim."""
    unsent = outbox.c.sent_at.is_(None)
    move(connection, EntryState.PENDING, sa.and_(_is_held_by(claim), unsent), **values)
    move(connection, EntryState.SENT, sa.and_(_is_held_by(claim), ~unsent), **values)


def _pause_tier(
    connection: Connection, tier: Tier, failures: int, until: datetime, broken: str | None
) -> None:
    values: dict[str, Any] = {"failures": failures, "resume_at": to_microseconds(until)}
    if broken is not None:
        values["breaker"] = broken or "it cannot be purged"
    connection.execute(sa.update(tiers).where(tiers.c.name == tier.name).values(values))


def _failures(connection: Connection, tier: Tier) -> int:
    return connection.scalar(sa.select(tiers.c.failures).where(tiers.c.name == tier.name)) or 0


def _entry_failures(connection: Connection, claim: Claim) -> int:
    return connection.scalar(sa.select(sa.func.max(outbox.c.blame)).where(_is_held_by(claim))) or 0


def _is_held_by(claim: Claim) -> sa.ColumnElement[bool]:
    """Return the condition for entries that the claim still holds.

    After its lease has ended, another process may have claimed them.
    """
    return sa.and_(
        outbox.c.id.in_(claim.ids),
        outbox.c.claimed_by == claim.token,
        outbox.c.state == EntryState.CLAIMED,
    )
