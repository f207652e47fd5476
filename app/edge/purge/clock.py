"""A clock that was set: what was planned by it moves along.

Or purges would be late when it was set back, and second purges too early and calls too many when
it was set forward.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import duration_microseconds
from .tables import outbox
from .tables import tier as tiers

JUMP_TOLERANCE = timedelta(seconds=1)
"""A step of less than this is a clock being adjusted, and only shifts by as much."""


@dataclass(slots=True)
class ClockJumpDetector:
    """What a clock showed last, beside one that is never set."""

    last_now: datetime | None = None
    last_monotonic: float = 0.0

    def measure_jump(self, now: datetime, monotonic: float) -> timedelta:
        """How far the clock was set since: forward, or back as a negative span."""
        before, elapsed = self.last_now, timedelta(seconds=monotonic - self.last_monotonic)
        self.last_now, self.last_monotonic = now, monotonic
        if before is None:
            return timedelta(0)
        # Time in which this process or machine stood still is no reason to call anything late.
        set_by = now - before if now < before else max(now - before - elapsed, timedelta(0))
        return set_by if abs(set_by) > JUMP_TOLERANCE else timedelta(0)


def shift_schedule(connection: Connection, names: Iterable[str], by: timedelta) -> None:
    """Move the plans of some tiers to an earlier time, or to a later one by a negative span."""
    offset, listed = duration_microseconds(by), list(names)
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.tier.in_(listed))
        .values(
            {
                column: column - offset
                for column in (
                    outbox.c.due_at,
                    outbox.c.claimed_until,
                    outbox.c.enqueued_at,
                    outbox.c.written_at,
                    outbox.c.sent_at,
                    outbox.c.settled_at,
                )
            },
        ),
    )
    connection.execute(
        sa.update(tiers)
        .where(tiers.c.name.in_(listed))
        .values(
            {
                tiers.c.resume_at: tiers.c.resume_at - offset,
                tiers.c.level_at: tiers.c.level_at - offset,
            },
        ),
    )
