"""The tiers that have joined: each is owed every change, whoever resolves it and wherever.

They are the gateways of all machines, and the edges in front as the web processes' settings name
them; a command that runs with other settings owes them as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import duration_microseconds, to_microseconds
from .claim import OVERDUE_AFTER, insert_tier
from .entry_state import OPEN_STATES
from .heartbeat import tiers_with_relay
from .maintenance import retire_tier
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

GATEWAY_PREFIX = "gateway-"

NEVER = datetime.max.replace(tzinfo=UTC)
"""An instant at which no relay is known to be alive."""

RETIRE_SILENT_AFTER = timedelta(hours=1)
"""What is owed to a gateway that is gone is kept so long; after that it begins empty."""

RETIRE_NEVER_SEEN_AFTER = timedelta(days=9)
"""A gateway that never said a word, and took nothing for so long, has nothing to serve."""


def tier_of_gateway(name: str) -> Tier:
    """The tier of the gateway with this name."""
    return Tier(name=f"{GATEWAY_PREFIX}{name}", depth=0)


def join(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Let a tier be owed what changes from now on; tells whether it had not joined before."""
    row = connection.execute(
        sa.select(tiers.c.depth, tiers.c.flight).where(tiers.c.name == tier.name)
    ).one_or_none()
    if row is None:
        insert_tier(connection, tier, now)
    elif tuple(row) != (tier.depth, duration_microseconds(tier.max_flight_time)):
        new_values = {"depth": tier.depth, "flight": duration_microseconds(tier.max_flight_time)}
        connection.execute(sa.update(tiers).where(tiers.c.name == tier.name).values(new_values))
    return row is None


def member_tiers(connection: Connection) -> list[Tier]:
    """The tiers that have joined."""
    rows = connection.execute(sa.select(tiers.c.name, tiers.c.depth, tiers.c.flight))
    return [
        Tier(name=row.name, depth=row.depth, max_flight_time=timedelta(microseconds=row.flight))
        for row in rows
    ]


def tiers_to_purge(connection: Connection, own: Iterable[Tier]) -> tuple[Tier, ...]:
    """The tiers of this process and those that have joined, each once.

    A process with other settings may know fewer edges. So a tier that both know is placed as far
    out as either says, with the longer flight.
    """
    tiers_by_name = {tier.name: tier for tier in own}
    for member in member_tiers(connection):
        own_tier = tiers_by_name.get(member.name)
        tiers_by_name[member.name] = (
            member if own_tier is None else own_tier.at_least(member.depth, member.max_flight_time)
        )
    return tuple(tiers_by_name.values())


def retire_unconfigured_tiers(
    connection: Connection, configured: Iterable[Tier], now: datetime = NEVER
) -> list[str]:
    """Forget the edges in front that the settings name no more; return their names.

    One that a living relay still delivers to stays: our settings may be other ones than those of
    the site, and what is owed to that edge must reach it.
    """
    kept_names = {tier.name for tier in configured} | tiers_with_relay(connection, now)
    retired_names = [
        tier.name for tier in member_tiers(connection) if tier.depth and tier.name not in kept_names
    ]
    for name in retired_names:
        retire_tier(connection, name)
    return retired_names


def was_retired(connection: Connection, gateway: Tier, *, was_seen: bool) -> bool:
    """Tell whether a gateway was given up; `known`: it has said before that it is there."""
    seen_at = connection.scalar(sa.select(tiers.c.seen_at).where(tiers.c.name == gateway.name))
    # Who settles a change makes its own tier known again, but nobody says for it that it is there.
    return seen_at is None or (was_seen and seen_at == 0)


def record_heartbeat(connection: Connection, gateway: Tier, now: datetime) -> bool:
    """Note that purges reach a gateway; False, and nothing is noted, while one is overdue."""
    overdue_entries = sa.select(outbox.c.id).where(
        outbox.c.tier == gateway.name,
        outbox.c.state.in_(OPEN_STATES),
        outbox.c.sent_at.is_(None),
        outbox.c.enqueued_at < to_microseconds(now - OVERDUE_AFTER),
    )
    if connection.execute(overdue_entries.limit(1)).first() is not None:
        return False
    mine = sa.update(tiers).where(tiers.c.name == gateway.name)
    return connection.execute(mine.values(seen_at=to_microseconds(now))).rowcount > 0


def retire_silent_gateways(
    connection: Connection, now: datetime, silent_names: Iterable[str] = ()
) -> None:
    """Forget the gateways that are gone for good; one that comes back begins empty.

    They are those of `unheard` that by the clock were not seen for long, and those that never said
    that they are there and hold nothing more.
    """
    ours = tiers.c.name.startswith(GATEWAY_PREFIX, autoescape=True)
    over = sa.and_(
        tiers.c.name.in_(list(silent_names)),
        tiers.c.seen_at < to_microseconds(now - RETIRE_SILENT_AFTER),
    )
    absent = sa.select(tiers.c.name).where(ours, over)
    silent = sa.select(tiers.c.name).where(ours, tiers.c.seen_at == 0)
    late = (
        sa.select(outbox.c.tier)
        .where(outbox.c.tier.in_(silent), outbox.c.state.in_(OPEN_STATES))
        .group_by(outbox.c.tier)
        .having(sa.func.min(outbox.c.enqueued_at) < to_microseconds(now - RETIRE_NEVER_SEEN_AFTER))
    )
    for name in [*connection.scalars(absent), *connection.scalars(late)]:
        retire_tier(connection, name)
