"""Periodic maintenance of the outbox, and the operations that a person runs on a tier."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import to_microseconds
from ..pages.capacity import IndexCapacity
from ..pages.resolver_lock import acquire_resolver_lock
from .entry_state import OPEN_STATES, EntryKind, EntryState, move
from .outbox import coalesce_backlog, enqueue_everything, notify_relays
from .retention import expire_and_evict
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

KEEP_SETTLED = timedelta(days=1)
"""How long settled entries are kept, to report the latency of purges."""

MAINTENANCE_INTERVAL = timedelta(minutes=1)

_CHUNK = 2_000


def run_maintenance(
    connection: Connection,
    tiers_: tuple[Tier, ...],
    now: datetime,
    capacity: IndexCapacity | None = None,
) -> None:
    """Escalate dead letters and large backlogs, and delete old entries and expired pages."""
    acquire_resolver_lock(connection)
    for tier in tiers_:
        coalesce_backlog(connection, tier, now)
        _escalate_dead_letters(connection, tier, now)
    _delete_settled(connection, now)
    expire_and_evict(connection, tiers_, now, capacity)


def _escalate_dead_letters(connection: Connection, tier: Tier, now: datetime) -> None:
    """Queue a purge of everything if a dead letter is older than `dead_letter_timeout`."""
    dead = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.c.due_at), sa.func.max(outbox.c.id)).where(
            outbox.c.tier == tier.name, outbox.c.state == EntryState.DEAD
        ),
    ).one()
    count, since, newest = dead
    if not count or since > to_microseconds(now - tier.dead_letter_timeout):
        return
    pending_entry_id = connection.scalar(
        sa.select(outbox.c.id)
        .where(
            outbox.c.tier == tier.name,
            outbox.c.kind == EntryKind.EVERYTHING,
            outbox.c.state.in_(OPEN_STATES),
            outbox.c.upto >= newest,
        )
        .limit(1),
    )
    if pending_entry_id is None:
        enqueue_everything(connection, tier, f"{count} pages could not be purged one by one", now)


def _delete_settled(connection: Connection, now: datetime) -> None:
    over = sa.select(outbox.c.id).where(
        outbox.c.state == EntryState.SETTLED,
        outbox.c.settled_at < to_microseconds(now - KEEP_SETTLED),
    )
    connection.execute(sa.delete(outbox).where(outbox.c.id.in_(over.limit(_CHUNK))))


def retry_dead_letters(connection: Connection, tier: Tier, now: datetime) -> int:
    """Queue dead letters and postponed purges of a tier for sending now; return how many."""
    postponed = connection.execute(
        sa.update(outbox)
        .where(
            outbox.c.tier == tier.name,
            outbox.c.state == EntryState.PENDING,
            outbox.c.last_error != "",
        )
        .values(
            due_at=sa.case(
                (outbox.c.due_at > to_microseconds(now), to_microseconds(now)),
                else_=outbox.c.due_at,
            )
        )
    ).rowcount
    count = postponed + move(
        connection,
        EntryState.PENDING,
        outbox.c.tier == tier.name,
        come_from=(EntryState.DEAD,),
        due_at=to_microseconds(now),
        sent_at=None,
        again=tier.max_flight_time > timedelta(0),
        attempts=0,
        blame=0,
    )
    notify_relays(connection)
    return count


def resume_tier(connection: Connection, name: str) -> None:
    """End the pause of a tier, for example after new credentials were set."""
    connection.execute(
        sa.update(tiers).where(tiers.c.name == name).values(resume_at=0, failures=0),
    )
    notify_relays(connection)


def retire_tier(connection: Connection, name: str) -> None:
    """Delete a tier and its entries; no purge waits for it afterwards."""
    connection.execute(sa.delete(outbox).where(outbox.c.tier == name))
    connection.execute(sa.delete(tiers).where(tiers.c.name == name))
