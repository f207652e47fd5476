"""Which tiers can't be purged now, and why: their pages get a short time to live meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .claim import LATE
from .heartbeat import abandoned
from .instants import instant, micros, span
from .state import OPEN, State
from .tables import outbox
from .tables import tier as tiers


def breakers(connection: Connection, now: datetime, *, late: timedelta = LATE) -> dict[str, str]:
    """The tiers that can't be purged, each with the reason.

    It asks what is owed and not only what a relay noted, so it is right while no relay runs.
    """
    found = abandoned(connection, now) | _late(connection, now, late) | _dead(connection)
    noted = sa.select(tiers.c.name, tiers.c.breaker).where(tiers.c.breaker != "")
    return found | {row.name: row.breaker for row in connection.execute(noted)}


def _late(connection: Connection, now: datetime, late: timedelta) -> dict[str, str]:
    # Nobody waits for a gateway that is gone.
    gone = sa.select(tiers.c.name).where(
        tiers.c.seen_at != 0, tiers.c.seen_at < micros(now) - span(LATE)
    )
    query = (
        sa.select(outbox.c.tier, sa.func.min(outbox.c.enqueued_at))
        .where(
            outbox.c.state.in_(OPEN),
            outbox.c.sent_at.is_(None),
            outbox.c.enqueued_at < micros(now) - span(late),
            outbox.c.tier.not_in(gone),
        )
        .group_by(outbox.c.tier)
    )
    return {
        name: f"a purge is owed for {(now - instant(since)).total_seconds():.0f} s"
        for name, since in connection.execute(query).all()
    }


def _dead(connection: Connection) -> dict[str, str]:
    query = sa.select(outbox.c.tier, sa.func.count()).where(outbox.c.state == State.DEAD)
    rows = connection.execute(query.group_by(outbox.c.tier)).all()
    return {name: f"{count} purges were refused" for name, count in rows}
