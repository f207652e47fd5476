"""What the relay does now and then: dead letters, backlogs, trimming; and a person's verbs."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import micros
from ..pages.capacity import Bound
from ..pages.resolver_lock import exclude
from .entry_state import OPEN, Kind, State, move
from .outbox import everything, fold, notify
from .retention import keep_room
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

KEPT = timedelta(days=1)
"""Settled entries are kept so long, to tell how fast purges are."""

EVERY = timedelta(minutes=1)

_CHUNK = 2_000


def keep_house(
    connection: Connection, tiers_: tuple[Tier, ...], now: datetime, bound: Bound | None = None
) -> None:
    """Owe everything where dead letters or a backlog ask for it, and trim what is over."""
    exclude(connection)
    for tier in tiers_:
        fold(connection, tier, now)
        _bury(connection, tier, now)
    _trim(connection, now)
    keep_room(connection, tiers_, now, bound)


def _bury(connection: Connection, tier: Tier, now: datetime) -> None:
    """A dead letter that nobody looked after becomes a purge of everything."""
    dead = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.c.due_at), sa.func.max(outbox.c.id)).where(
            outbox.c.tier == tier.name, outbox.c.state == State.DEAD
        ),
    ).one()
    count, since, newest = dead
    if not count or since > micros(now - tier.patience):
        return
    owed = connection.scalar(
        sa.select(outbox.c.id)
        .where(
            outbox.c.tier == tier.name,
            outbox.c.kind == Kind.EVERYTHING,
            outbox.c.state.in_(OPEN),
            outbox.c.upto >= newest,
        )
        .limit(1),
    )
    if owed is None:
        everything(connection, tier, f"{count} pages could not be purged one by one", now)


def _trim(connection: Connection, now: datetime) -> None:
    over = sa.select(outbox.c.id).where(
        outbox.c.state == State.SETTLED, outbox.c.settled_at < micros(now - KEPT)
    )
    connection.execute(sa.delete(outbox).where(outbox.c.id.in_(over.limit(_CHUNK))))


def retry(connection: Connection, tier: Tier, now: datetime) -> int:
    """Send dead letters and postponed purges of a tier again now; return how many there are."""
    postponed = connection.execute(
        sa.update(outbox)
        .where(
            outbox.c.tier == tier.name,
            outbox.c.state == State.PENDING,
            outbox.c.last_error != "",
        )
        .values(due_at=sa.case((outbox.c.due_at > micros(now), micros(now)), else_=outbox.c.due_at))
    ).rowcount
    count = postponed + move(
        connection,
        State.PENDING,
        outbox.c.tier == tier.name,
        come_from=(State.DEAD,),
        due_at=micros(now),
        sent_at=None,
        again=tier.flight > timedelta(0),
        attempts=0,
        blame=0,
    )
    notify(connection)
    return count


def resume(connection: Connection, name: str) -> None:
    """Ask a tier again at once, as when a person has given it another credential."""
    connection.execute(
        sa.update(tiers).where(tiers.c.name == name).values(resume_at=0, failures=0),
    )
    notify(connection)


def retire(connection: Connection, name: str) -> None:
    """Forget a tier that is gone for good; nothing waits for it any more."""
    connection.execute(sa.delete(outbox).where(outbox.c.tier == name))
    connection.execute(sa.delete(tiers).where(tiers.c.name == name))
