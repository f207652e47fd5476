"""Membership: every joined tier gets an entry for every change, whichever process resolves it.

Members are the gateways of all machines, and the edges in the settings of the web processes. A
command that runs with other settings queues purges for all of them too.
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
from .tier import GATEWAY_PREFIX, Tier

NEVER = datetime.max.replace(tzinfo=UTC)
"""An instant so late that no relay counts as alive."""

RETIRE_SILENT_AFTER = timedelta(hours=1)
"""How long entries of a silent gateway are kept; later it must start with an empty store."""

RETIRE_NEVER_SEEN_AFTER = timedelta(days=9)
"""When a gateway is removed that never sent a heartbeat and accepted no purge."""


def tier_of_gateway(name: str) -> Tier:
    """Return the tier of the gateway with this name."""
    return Tier(name=f"{GATEWAY_PREFIX}{name}", depth=0)


def join(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Add or update a member tier; return whether it is new. Later changes are queued for it."""
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
    """Return the tiers that have joined."""
    rows = connection.execute(sa.select(tiers.c.name, tiers.c.depth, tiers.c.flight))
    return [
        Tier(name=row.name, depth=row.depth, max_flight_time=timedelta(microseconds=row.flight))
        for row in rows
    ]


def tiers_to_purge(connection: Connection, own: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return the tiers of this process and the joined tiers, each once.

    A process with other settings may know fewer edges. So a tier that is in both gets the larger
    depth and the longer time of flight.
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
    """Remove the edges in front that are no longer in the settings; return their names.

    An edge that a live relay delivers to stays: this process may have other settings than the
    site, and the purges of that edge must be delivered.
    """
    kept_names = {tier.name for tier in configured} | tiers_with_relay(connection, now)
    retired_names = [
        tier.name for tier in member_tiers(connection) if tier.depth and tier.name not in kept_names
    ]
    for name in retired_names:
        retire_tier(connection, name)
    return retired_names


def was_retired(connection: Connection, gateway: Tier, *, was_seen: bool) -> bool:
    """Return whether a gateway was retired; `was_seen`: it has sent heartbeats before."""
    seen_at = connection.scalar(sa.select(tiers.c.seen_at).where(tiers.c.name == gateway.name))
    # Resolving a change inserts the row of the own tier again, but without a heartbeat.
    return seen_at is None or (was_seen and seen_at == 0)


def record_heartbeat(connection: Connection, gateway: Tier, now: datetime) -> bool:
    """Record that purges reach a gateway; return False, recording nothing, if one is overdue."""
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
    """Remove gateways that have been silent for long; one that comes back starts empty.

    These are the gateways of `silent_names` with an old heartbeat, and gateways that never sent a
    heartbeat and have old outstanding entries.
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
