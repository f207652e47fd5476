"""Clock jumps: when the system clock is set, all planned instants are shifted with it.

Otherwise purges would be late after the clock was set back; after it was set forward, second purges
would come too early and calls would exceed the quota.
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
"""A smaller difference is a normal clock adjustment and is ignored."""


@dataclass(slots=True)
class ClockJumpDetector:
    """Compares the system clock with the monotonic clock."""

    last_now: datetime | None = None
    last_monotonic: float = 0.0

    def measure_jump(self, now: datetime, monotonic: float) -> timedelta:
        """Return how far the clock was set since the last call; negative if it was set back."""
        before, elapsed = self.last_now, timedelta(seconds=monotonic - self.last_monotonic)
        self.last_now, self.last_monotonic = now, monotonic
        if before is None:
            return timedelta(0)
        # A pause of this process or machine is not a clock jump.
        set_by = now - before if now < before else max(now - before - elapsed, timedelta(0))
        return set_by if abs(set_by) > JUMP_TOLERANCE else timedelta(0)


def shift_schedule(connection: Connection, names: Iterable[str], by: timedelta) -> None:
    """Move the planned instants of tiers to an earlier time; to a later one if `by` is negative."""
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
