"""What a call's end means for its entries and for the tier; only the claim's holder may say it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..drivers import PurgeError
from .backoff import CREDENTIAL, pause
from .claim import Claim
from .instants import micros, span
from .state import State, move
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

BREAKS = 3
"""After so many failures in a row a tier counts as one that can't be purged."""

HOPELESS = 12
"""A page that failed so often while the tier took others is refused for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How a call failed, and when."""

    error: PurgeError
    at: datetime


def accepted(connection: Connection, tier: Tier, claim: Claim, now: datetime) -> None:
    """The edge took the call: entries settle, or wait for their second purge."""
    at = micros(now)
    if claim.everything:
        _mend(connection, tier, claim, now)
    free: dict[str, Any] = {"claimed_by": "", "attempts": 0, "blame": 0}
    first = sa.func.coalesce(outbox.c.sent_at, at)
    move(
        connection,
        State.SETTLED,
        sa.and_(_held(claim), ~outbox.c.again),
        sent_at=first,
        settled_at=at,
        **free,
    )
    move(
        connection,
        State.SENT,
        sa.and_(_held(claim), outbox.c.again),
        sent_at=first,
        again=False,
        due_at=at + _flight(connection, tier),
        **free,
    )
    connection.execute(
        sa.update(tiers)
        .where(tiers.c.name == tier.name)
        .values(failures=0, resume_at=0, breaker="", last_success=at),
    )


def _flight(connection: Connection, tier: Tier) -> int:
    """Microseconds until the second purge, as those who serve pages to this tier have said."""
    placed = sa.select(tiers.c.flight).where(tiers.c.name == tier.name)
    return max(span(tier.flight), connection.scalar(placed) or 0)


def _mend(connection: Connection, tier: Tier, claim: Claim, now: datetime) -> None:
    """A purge of everything that settles makes the dead letters before it good."""
    settles = connection.scalar(
        sa.select(sa.func.max(outbox.c.upto)).where(_held(claim), ~outbox.c.again),
    )
    if settles is not None:
        move(
            connection,
            State.SETTLED,
            sa.and_(outbox.c.tier == tier.name, outbox.c.id <= settles),
            come_from=(State.DEAD,),
            settled_at=micros(now),
        )


def failed(
    connection: Connection, tier: Tier, claim: Claim, failure: Failure, random: Random
) -> timedelta:
    """The call failed: entries wait for another try, or die; return how long the tier rests."""
    error, said = failure.error, str(failure.error)[:500]
    count, blame = _failures(connection, tier), _blame(connection, claim)
    refused = not error.retryable and not error.credential
    blamed = refused or (not error.credential and count == 0)
    rest = pause(count + 1, random, retry_after=error.retry_after, credential=error.credential)
    if not claim.everything and _hopeless(claim, blame, refused=refused, blamed=blamed):
        move(connection, State.DEAD, _held(claim), due_at=micros(failure.at), last_error=said)
    values: dict[str, Any] = {"last_error": said, "claimed_by": ""}
    if blamed:
        own = CREDENTIAL if refused and claim.everything else pause(blame + 1, random)
        values |= {"blame": blame + 1, "due_at": micros(failure.at + max(own, rest))}
    _return(connection, claim, values)
    broken = error.credential or count + 1 >= BREAKS or (refused and claim.everything)
    _rest(connection, tier, count + 1, failure.at + rest, said if broken else None)
    return rest


def _hopeless(claim: Claim, blame: int, *, refused: bool, blamed: bool) -> bool:
    """Tell whether trying again is of no use: the page itself was refused, alone."""
    alone = len(claim.targets) == 1
    return alone and (refused or (blamed and blame + 1 >= HOPELESS))


def _return(connection: Connection, claim: Claim, values: dict[str, Any]) -> None:
    """Give the entries back, as they were before the claim."""
    unsent = outbox.c.sent_at.is_(None)
    move(connection, State.PENDING, sa.and_(_held(claim), unsent), **values)
    move(connection, State.SENT, sa.and_(_held(claim), ~unsent), **values)


def _rest(
    connection: Connection, tier: Tier, failures: int, until: datetime, broken: str | None
) -> None:
    values: dict[str, Any] = {"failures": failures, "resume_at": micros(until)}
    if broken is not None:
        values["breaker"] = broken or "it can't be purged"
    connection.execute(sa.update(tiers).where(tiers.c.name == tier.name).values(values))


def _failures(connection: Connection, tier: Tier) -> int:
    return connection.scalar(sa.select(tiers.c.failures).where(tiers.c.name == tier.name)) or 0


def _blame(connection: Connection, claim: Claim) -> int:
    return connection.scalar(sa.select(sa.func.max(outbox.c.blame)).where(_held(claim))) or 0


def _held(claim: Claim) -> sa.ColumnElement[bool]:
    """The entries that the claim still holds; a lease that ended may have passed them on."""
    return sa.and_(
        outbox.c.id.in_(claim.ids),
        outbox.c.claimed_by == claim.token,
        outbox.c.state == State.CLAIMED,
    )
