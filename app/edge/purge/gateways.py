"""The tiers that have joined: each is owed every change, whoever resolves it and wherever.

They are the gateways of all machines, and the edges in front as the web processes' settings name
them; a command that runs with other settings owes them as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .claim import LATE, introduce
from .heartbeat import in_use
from .housekeeping import retire
from .instants import micros, span
from .state import OPEN
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

PREFIX = "gateway-"

NEVER = datetime.max.replace(tzinfo=UTC)
"""An instant at which no relay is known to be alive."""

ABSENT = timedelta(hours=1)
"""What is owed to a gateway that is gone is kept so long; after that it begins empty."""

GONE = timedelta(days=9)
"""A gateway that never said a word, and took nothing for so long, has nothing to serve."""


def named(name: str) -> Tier:
    """The tier of the gateway with this name."""
    return Tier(name=f"{PREFIX}{name}", depth=0)


def join(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Let a tier be owed what changes from now on; tells whether it had not joined before."""
    known = connection.execute(
        sa.select(tiers.c.depth, tiers.c.flight).where(tiers.c.name == tier.name)
    ).one_or_none()
    if known is None:
        introduce(connection, tier, now)
    elif tuple(known) != (tier.depth, span(tier.flight)):
        placed = {"depth": tier.depth, "flight": span(tier.flight)}
        connection.execute(sa.update(tiers).where(tiers.c.name == tier.name).values(placed))
    return known is None


def joined(connection: Connection) -> list[Tier]:
    """The tiers that have joined."""
    rows = connection.execute(sa.select(tiers.c.name, tiers.c.depth, tiers.c.flight))
    return [
        Tier(name=row.name, depth=row.depth, flight=timedelta(microseconds=row.flight))
        for row in rows
    ]


def all_owed(connection: Connection, own: Iterable[Tier]) -> tuple[Tier, ...]:
    """The tiers of this process and those that have joined, each once.

    A process with other settings may know fewer edges. So a tier that both know is placed as far
    out as either says, with the longer flight.
    """
    found = {tier.name: tier for tier in own}
    for place in joined(connection):
        known = found.get(place.name)
        found[place.name] = place if known is None else known.placed(place.depth, place.flight)
    return tuple(found.values())


def retire_others(
    connection: Connection, named_now: Iterable[Tier], now: datetime = NEVER
) -> list[str]:
    """Forget the edges in front that the settings name no more; return their names.

    One that a living relay still delivers to stays: our settings may be other ones than those of
    the site, and what is owed to that edge must reach it.
    """
    kept = {tier.name for tier in named_now} | in_use(connection, now)
    over = [tier.name for tier in joined(connection) if tier.depth and tier.name not in kept]
    for name in over:
        retire(connection, name)
    return over


def lost(connection: Connection, gateway: Tier, *, known: bool) -> bool:
    """Tell whether a gateway was given up; `known`: it has said before that it is there."""
    found = connection.scalar(sa.select(tiers.c.seen_at).where(tiers.c.name == gateway.name))
    # Who settles a change makes its own tier known again, but nobody says for it that it is there.
    return found is None or (known and found == 0)


def seen(connection: Connection, gateway: Tier, now: datetime) -> bool:
    """Note that purges reach a gateway; False, and nothing is noted, while one is overdue."""
    overdue = sa.select(outbox.c.id).where(
        outbox.c.tier == gateway.name,
        outbox.c.state.in_(OPEN),
        outbox.c.sent_at.is_(None),
        outbox.c.enqueued_at < micros(now - LATE),
    )
    if connection.execute(overdue.limit(1)).first() is not None:
        return False
    mine = sa.update(tiers).where(tiers.c.name == gateway.name)
    return connection.execute(mine.values(seen_at=micros(now))).rowcount > 0


def retire_gone(connection: Connection, now: datetime, unheard: Iterable[str] = ()) -> None:
    """Forget the gateways that are gone for good; one that comes back begins empty.

    They are those of `unheard` that by the clock were not seen for long, and those that never said
    that they are there and hold nothing more.
    """
    ours = tiers.c.name.startswith(PREFIX, autoescape=True)
    over = sa.and_(tiers.c.name.in_(list(unheard)), tiers.c.seen_at < micros(now - ABSENT))
    absent = sa.select(tiers.c.name).where(ours, over)
    silent = sa.select(tiers.c.name).where(ours, tiers.c.seen_at == 0)
    late = (
        sa.select(outbox.c.tier)
        .where(outbox.c.tier.in_(silent), outbox.c.state.in_(OPEN))
        .group_by(outbox.c.tier)
        .having(sa.func.min(outbox.c.enqueued_at) < micros(now - GONE))
    )
    for name in [*connection.scalars(absent), *connection.scalars(late)]:
        retire(connection, name)
