"""A clock that was set back: what was planned by it moves along, or purges would be late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .instants import span
from .tables import outbox
from .tables import tier as tiers

TOLERANCE = timedelta(seconds=1)
"""A step back of less than this is a clock being adjusted, and only delays by as much."""


def set_back(connection: Connection, names: Iterable[str], by: timedelta) -> None:
    """Move the plans of some tiers to an earlier time."""
    moved, listed = span(by), list(names)
    connection.execute(
        sa.update(outbox)
        .where(outbox.c.tier.in_(listed))
        .values(
            {
                column: column - moved
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
                tiers.c.resume_at: tiers.c.resume_at - moved,
                tiers.c.level_at: tiers.c.level_at - moved,
            },
        ),
    )
