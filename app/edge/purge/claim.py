"""Claim the entries that may be sent to a tier now, in a short transaction before the call.

A claim is a lease: it expires if the process dies. The quota for its call is taken with the claim,
so that a crash never leads to more calls than the edge allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..cdn import CallLimits, PurgeTarget
from ..changes.timestamps import duration_microseconds, from_microseconds, to_microseconds
from .entry_state import OPEN_STATES, EntryKind, EntryState, move
from .gateway_heartbeats import SilentGateways
from .quota import refill, time_until_token
from .tables import outbox, split_urls
from .tables import tier as tiers
from .tier import Tier

OVERDUE_AFTER = timedelta(minutes=1)
"""An entry that has waited longer than this for an inner tier is sent anyway."""

BLOCKED_RETRY = timedelta(seconds=1)
"""How soon to check again whether blocked entries may be sent."""


DueEntry = sa.Row[int, str, str, str, str, int, bool]
DueEntryQuery = sa.Select[int, str, str, str, str, int, bool]
"""The columns of entries that are sent, and how often each entry failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Entries that this process has claimed, to be sent in one call, each page once."""

    token: str
    ids: tuple[int, ...]
    targets: tuple[PurgeTarget, ...] = ()
    purges_everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing may be sent before `until`; None: the outbox holds nothing for this tier."""

    until: datetime | None = None


def claim_entries(
    connection: Connection,
    tier: Tier,
    limits: CallLimits,
    now: datetime,
    *,
    silent_gateways: SilentGateways = SilentGateways(),  # noqa: B008 - frozen
) -> Claim | Idle:
    """Claim due entries within the quota, or return when to try again; needs the write lock."""
    row = lock_tier_row(connection, tier, limits, now)
    tier = tier.at_least(row.depth, timedelta(microseconds=row.flight))
    if row.resume_at > to_microseconds(now):
        return Idle(until=from_microseconds(row.resume_at))
    elapsed = now - from_microseconds(row.level_at)
    level = refill(row.level, elapsed, limits)
    patience = time_until_token(level, limits)
    if patience:
        return Idle(until=now + patience)
    entries = _select_batch(connection, tier, limits, _query_parameters(silent_gateways, now))
    if not entries:
        return Idle(until=_next_check(connection, tier, now))
    connection.execute(
        sa.update(tiers)
        .where(tiers.c.name == tier.name)
        .values(level=level - 1, level_at=to_microseconds(now)),
    )
    return _set_claimed(connection, entries, now + limits.timeout + limits.claim_margin)


def lock_tier_row(
    connection: Connection, tier: Tier, limits: CallLimits, now: datetime
) -> sa.Row[int, float, int, int, int]:
    """Return the row of a tier, inserted if missing, and locked until the transaction ends."""
    row = connection.execute(_tier_row_query(connection, tier)).one_or_none()
    if row is None:
        insert_tier(connection, tier, now, burst=limits.burst)
        row = connection.execute(_tier_row_query(connection, tier)).one()
    return row


def _tier_row_query(connection: Connection, tier: Tier) -> sa.Select[int, float, int, int, int]:
    pace = (tiers.c.resume_at, tiers.c.level, tiers.c.level_at)
    query = sa.select(*pace, tiers.c.depth, tiers.c.flight)
    query = query.where(tiers.c.name == tier.name)
    return query.with_for_update() if connection.dialect.name == "postgresql" else query


def insert_tier(connection: Connection, tier: Tier, now: datetime, *, burst: int = 1) -> None:
    """Insert the row of a tier, unless it exists."""
    values = {
        "name": tier.name,
        "depth": tier.depth,
        "flight": duration_microseconds(tier.max_flight_time),
        "level": float(burst),
        "level_at": to_microseconds(now),
    }
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(tiers).prefix_with("OR IGNORE").values(values))
        return
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only there

    connection.execute(insert(tiers).values(values).on_conflict_do_nothing())


def _query_parameters(silent_gateways: SilentGateways, now: datetime) -> dict[str, Any]:
    return {
        "now": to_microseconds(now),
        "gone": silent_gateways.silent,
        "gone_for_long": silent_gateways.silent_past_flight,
    }


def _select_batch(
    connection: Connection, tier: Tier, limits: CallLimits, params: dict[str, Any]
) -> list[DueEntry]:
    """Return the entries for one call: purges of everything, or pages with equal failure counts."""
    for kind in (EntryKind.EVERYTHING, EntryKind.PAGE):
        rows = _lock_entries(connection, _due_entries_query(tier, kind).limit(limits.batch), params)
        if rows and kind is EntryKind.EVERYTHING:
            return rows
        if rows:
            alike = [row for row in rows if row.blame == rows[0].blame]
            return _within(alike, max(limits.batch >> rows[0].blame, 1))
    return []


def _within(rows: list[DueEntry], most: int) -> list[DueEntry]:
    """Return the first entries that name at most `most` pages in total, but at least one entry."""
    count = 0
    for number, row in enumerate(rows):
        count += row.url.count("\n") + 1
        if number and count > most:
            return rows[:number]
    return rows


def _lock_entries(
    connection: Connection, query: DueEntryQuery, params: dict[str, Any]
) -> list[DueEntry]:
    """Return the rows of a query, locked until the transaction ends."""
    if connection.dialect.name == "sqlite":
        return list(connection.execute(query, params))
    locked = connection.execute(query.with_for_update(of=_entry, skip_locked=True), params).all()
    # A change may have joined a row between the snapshot of the query and its lock, and added
    # entries that the row must now wait for: only a second query sees them.
    ours = _entry.c.id.in_([row.id for row in locked])
    return list(connection.execute(query.where(ours), params)) if locked else []


_entry = outbox.alias("one")
_inner_entry = outbox.alias("inner_one")


_now = sa.bindparam("now", type_=sa.BigInteger)


@lru_cache(maxsize=64)
def _due_entries_query(tier: Tier, kind: EntryKind) -> DueEntryQuery:
    """Return the query for entries that may be sent at `:now`; cached, as it is costly to build."""
    due = sa.or_(
        sa.and_(_entry.c.state.in_([EntryState.PENDING, EntryState.SENT]), _entry.c.due_at <= _now),
        sa.and_(_entry.c.state == EntryState.CLAIMED, _entry.c.claimed_until <= _now),
    )
    columns = (_entry.c.id, _entry.c.kind, _entry.c.url, _entry.c.tag, _entry.c.site)
    query = sa.select(*columns, _entry.c.blame, _entry.c.gone)
    # The condition on open states follows from `due`, but the database needs it to use the index.
    query = query.where(
        _entry.c.tier == tier.name, _entry.c.kind == kind, _entry.c.state.in_(OPEN_STATES), due
    )
    for blocker in _blocking_conditions(tier, kind):
        query = query.where(~sa.exists().where(blocker))
    return query.order_by(_entry.c.due_at, _entry.c.id)


def _blocking_conditions(tier: Tier, kind: EntryKind) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for entries of inner tiers that block an entry.

    Its first purge waits until theirs were sent, unless that tier cannot be purged. Its second
    purge waits until they are settled and one time of flight has passed. Neither purge waits for
    a silent gateway: its lease has ended, so it serves nothing from its store.
    """
    before = sa.and_(
        _inner_entry.c.depth < tier.depth,
        sa.func.coalesce(_inner_entry.c.origin, _inner_entry.c.id) <= _entry.c.upto,
    )
    broken = sa.exists().where(tiers.c.name == _inner_entry.c.tier, tiers.c.breaker != "")
    first = sa.and_(
        _entry.c.sent_at.is_(None),
        _inner_entry.c.sent_at.is_(None),
        _inner_entry.c.state.in_([EntryState.PENDING, EntryState.CLAIMED]),
        _inner_entry.c.enqueued_at > _now - duration_microseconds(OVERDUE_AFTER),
        ~broken,
        ~_is_of_silent_gateway("gone"),
    )
    settled_at = sa.func.coalesce(_inner_entry.c.settled_at, _now)
    second = sa.and_(
        _entry.c.sent_at.is_not(None),
        settled_at > _now - duration_microseconds(tier.max_flight_time),
        ~_is_of_silent_gateway("gone_for_long"),
    )
    blocked = sa.and_(before, sa.or_(first, second))
    if kind is EntryKind.EVERYTHING:
        return [blocked]
    same = sa.and_(_inner_entry.c.kind == EntryKind.PAGE, _inner_entry.c.url == _entry.c.url)
    return [sa.and_(same, blocked), sa.and_(_inner_entry.c.kind == EntryKind.EVERYTHING, blocked)]


def _is_of_silent_gateway(name: str) -> sa.ColumnElement[bool]:
    """Return the condition that an inner entry belongs to one of the gateways in a parameter.

    The parameter holds the name and the last heartbeat of each gateway. So a gateway that has sent
    a newer heartbeat is not skipped; its outstanding purges are all in the outbox.
    """
    listed = sa.tuple_(tiers.c.name, tiers.c.seen_at).in_(sa.bindparam(name, expanding=True))
    return sa.exists().where(tiers.c.name == _inner_entry.c.tier, listed)


def next_due(connection: Connection, tier: Tier, now: datetime) -> Idle | None:
    """Return when the next entry is due; None if one is due now. Only reads."""
    soonest = connection.scalar(_NEXT_AVAILABLE, {"tier": tier.name})
    if soonest is None:
        return Idle()
    return Idle(until=from_microseconds(soonest)) if soonest > to_microseconds(now) else None


def outstanding_urls(connection: Connection, tier: Tier) -> tuple[PurgeTarget, ...] | None:
    """Return the outstanding pages of a tier, claimed ones included; None: everything."""
    rows = connection.execute(
        sa.select(outbox.c.kind, outbox.c.url, outbox.c.tag, outbox.c.site)
        .where(outbox.c.tier == tier.name, outbox.c.state.in_(OPEN_STATES))
        .distinct()
        .order_by(outbox.c.url, outbox.c.site),
    ).all()
    if any(row.kind == EntryKind.EVERYTHING for row in rows):
        return None
    targets = (
        PurgeTarget(url=url, tag=row.tag, site=row.site)
        for row in rows
        for url in split_urls(row.url)
    )
    return tuple(dict.fromkeys(targets))


def has_claimed_entries(connection: Connection, tier: Tier) -> bool:
    """Return whether any process holds a claim for the tier."""
    query = sa.select(outbox.c.id).where(
        outbox.c.tier == tier.name, outbox.c.state == EntryState.CLAIMED
    )
    return connection.execute(query.limit(1)).first() is not None


_available_at = sa.case(
    (outbox.c.state == EntryState.CLAIMED, outbox.c.claimed_until), else_=outbox.c.due_at
)


_NEXT_AVAILABLE = sa.select(sa.func.min(_available_at)).where(
    outbox.c.tier == sa.bindparam("tier"), outbox.c.state.in_(OPEN_STATES)
)
_NEXT_AVAILABLE_AFTER = _NEXT_AVAILABLE.where(_available_at > sa.bindparam("now"))


def _next_check(connection: Connection, tier: Tier, now: datetime) -> datetime | None:
    """Return when to check again while due entries are blocked: soon, or when the next is due."""
    soonest = connection.scalar(_NEXT_AVAILABLE, {"tier": tier.name})
    if soonest is None:
        return None
    later = connection.scalar(
        _NEXT_AVAILABLE_AFTER, {"tier": tier.name, "now": to_microseconds(now)}
    )
    next_check = now + BLOCKED_RETRY
    if soonest > to_microseconds(now):
        return from_microseconds(soonest)
    return next_check if later is None else min(from_microseconds(later), next_check)


def _set_claimed(
    connection: Connection,
    rows: list[DueEntry],
    until: datetime,
) -> Claim:
    token = uuid4().hex
    ids = tuple(row.id for row in rows)
    move(
        connection,
        EntryState.CLAIMED,
        outbox.c.id.in_(ids),
        claimed_by=token,
        claimed_until=to_microseconds(until),
        attempts=outbox.c.attempts + 1,
    )
    pages = [row for row in rows if row.kind == EntryKind.PAGE]
    targets = {
        (row.site, url, row.tag): PurgeTarget(
            url=url, tag=row.tag, site=row.site, hard_purge=row.gone
        )
        for row in sorted(pages, key=lambda row: bool(row.gone))
        for url in split_urls(row.url)
    }
    return Claim(
        token=token,
        ids=ids,
        targets=tuple(targets.values()),
        purges_everything=rows[0].kind == EntryKind.EVERYTHING,
    )
