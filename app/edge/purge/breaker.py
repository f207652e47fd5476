"""Circuit breakers: the tiers that cannot be purged now, whose pages must get a short TTL."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import duration_microseconds, from_microseconds, to_microseconds
from .claim import OVERDUE_AFTER
from .entry_state import OPEN_STATES, EntryState
from .heartbeat import tiers_without_relay
from .tables import outbox
from .tables import tier as tiers


def open_breakers(
    connection: Connection, now: datetime, *, overdue_after: timedelta = OVERDUE_AFTER
) -> dict[str, str]:
    """Return the tiers that cannot be purged, each with the reason.

    It reads the outbox and not only the failures that a relay recorded, so it is correct while no
    relay runs.
    """
    reasons = (
        tiers_without_relay(connection, now)
        | _overdue_tiers(connection, now, overdue_after)
        | _tiers_with_dead_letters(connection)
    )
    query = sa.select(tiers.c.name, tiers.c.breaker).where(tiers.c.breaker != "")
    return reasons | {row.name: row.breaker for row in connection.execute(query)}


def _overdue_tiers(
    connection: Connection, now: datetime, overdue_after: timedelta
) -> dict[str, str]:
    # No purge waits for a silent gateway.
    silent_gateways = sa.select(tiers.c.name).where(
        tiers.c.seen_at != 0,
        tiers.c.seen_at < to_microseconds(now) - duration_microseconds(OVERDUE_AFTER),
    )
    query = (
        sa.select(outbox.c.tier, sa.func.min(outbox.c.enqueued_at))
        .where(
            outbox.c.state.in_(OPEN_STATES),
            outbox.c.sent_at.is_(None),
            outbox.c.enqueued_at < to_microseconds(now) - duration_microseconds(overdue_after),
            outbox.c.tier.not_in(silent_gateways),
        )
        .group_by(outbox.c.tier)
    )
    return {
        name: "a purge has been waiting for "
        f"{(now - from_microseconds(since)).total_seconds():.0f} s"
        for name, since in connection.execute(query).all()
    }


def _tiers_with_dead_letters(connection: Connection) -> dict[str, str]:
    query = sa.select(outbox.c.tier, sa.func.count()).where(outbox.c.state == EntryState.DEAD)
    rows = connection.execute(query.group_by(outbox.c.tier)).all()
    return {name: f"{count} purges were refused" for name, count in rows}
