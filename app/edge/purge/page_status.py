"""The status of one page at each tier: outstanding purges, the last purge, and the breaker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import from_microseconds
from .breaker import open_breakers
from .entry_state import OPEN_STATES, EntryKind, EntryState
from .tables import outbox
from .tables import tier as tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTierStatus:
    """The status of a page at a tier; purges of everything count as purges of the page.

    `waiting_since`: when the first purge was queued. `second_purge_at`: when the second purge is
    due. `purged_at`: the last purge. `is_refused`: the page is a dead letter. `breaker`: why the
    tier cannot be purged. `last_success`: the last accepted call of the tier.
    """

    tier: str
    waiting_since: datetime | None = None
    second_purge_at: datetime | None = None
    purged_at: datetime | None = None
    is_refused: bool = False
    breaker: str = ""
    last_success: datetime | None = None

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""
        if self.breaker:
            since = f" since {_format_instant(self.last_success)}" if self.last_success else ""
            yield f"{self.tier} can't be purged{since}: {self.breaker}."
        if self.waiting_since:
            yield f"{self.tier}: a purge waits since {_format_instant(self.waiting_since)}."
        if self.second_purge_at:
            due = _format_instant(self.second_purge_at)
            yield f"{self.tier}: the second purge is due at {due}."
        if self.is_refused:
            yield f"{self.tier}: the purge was refused and is a dead letter."
        when = (
            f"last purged at {_format_instant(self.purged_at)}"
            if self.purged_at
            else "no purge is outstanding"
        )
        if self.purged_at or not (self.waiting_since or self.second_purge_at or self.is_refused):
            yield f"{self.tier}: {when}."

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        instants = {
            "owed": self.waiting_since,
            "again": self.second_purge_at,
            "purged": self.purged_at,
            "worked": self.last_success,
        }
        texts = {name: at and at.isoformat() for name, at in instants.items()}
        return {"tier": self.tier, **texts, "refused": self.is_refused, "broken": self.breaker}


def page_status(connection: Connection, url: str, now: datetime) -> tuple[PageTierStatus, ...]:
    """Return the status of a page at each known tier."""
    broken = open_breakers(connection, now)
    rows = connection.execute(sa.select(tiers.c.name, tiers.c.last_success)).all()
    last_successes = {row.name: row.last_success for row in rows}
    rows_by_tier = {row.tier: row for row in connection.execute(_STATUS_QUERY, {"of": url})}
    tier_rows = [
        (name, rows_by_tier.get(name)) for name in sorted({*last_successes, *rows_by_tier})
    ]
    return tuple(
        PageTierStatus(
            tier=name,
            waiting_since=_instant(row and row.owed),
            second_purge_at=_instant(row and row.again),
            purged_at=_instant(row and row.purged),
            is_refused=bool(row and row.refused),
            breaker=broken.get(name, ""),
            last_success=_instant(last_successes.get(name)),
        )
        for name, row in tier_rows
    )


_open = outbox.c.state.in_(OPEN_STATES)
_STATUS_QUERY = (
    sa.select(
        outbox.c.tier,
        sa.func.min(
            sa.case((sa.and_(_open, outbox.c.sent_at.is_(None)), outbox.c.enqueued_at))
        ).label("owed"),
        sa.func.min(
            sa.case((sa.and_(_open, outbox.c.sent_at.is_not(None)), outbox.c.due_at))
        ).label("again"),
        sa.func.max(sa.func.coalesce(outbox.c.settled_at, outbox.c.sent_at)).label("purged"),
        sa.func.sum(sa.case((outbox.c.state == EntryState.DEAD, 1), else_=0)).label("refused"),
    )
    .where(sa.or_(outbox.c.url == sa.bindparam("of"), outbox.c.kind == EntryKind.EVERYTHING))
    .group_by(outbox.c.tier)
)


def _instant(at: int | None) -> datetime | None:
    return None if at is None else from_microseconds(at)


def _format_instant(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
