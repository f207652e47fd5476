"""Claiming what a tier may be sent now, in one short transaction that ends before the sending.

A claim is a lease: whoever dies with it loses it. Its call is paid for when it is taken, so that
no crash makes an edge hear more calls than it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..drivers import Limits, Target
from .heard import Unheard
from .instants import instant, micros, span
from .quota import refilled, wait
from .state import OPEN, Kind, State, move
from .tables import outbox, split_urls
from .tables import tier as tiers
from .tier import Tier

LATE = timedelta(minutes=1)
"""Whoever waits longer than this for an inner tier is sent once all the same."""

BLOCKED = timedelta(seconds=1)
"""How soon to look again at what waits for an inner tier."""


Due = sa.Row[int, str, str, str, str, int, bool]
DueQuery = sa.Select[int, str, str, str, str, int, bool]
"""Entries with what is sent of them, and how often they failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Entries that are ours to send: in one call, each page once."""

    token: str
    ids: tuple[int, ...]
    targets: tuple[Target, ...] = ()
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Idle:
    """Nothing may be sent before `until`; None: nothing is owed."""

    until: datetime | None = None


def claim(
    connection: Connection,
    tier: Tier,
    limits: Limits,
    now: datetime,
    *,
    unheard: Unheard = Unheard(),  # noqa: B008 - frozen
) -> Claim | Idle:
    """Take what is due and allowed, or say when to ask again; writes, so hold the write lock."""
    row = known(connection, tier, limits, now)
    tier = tier.placed(row.depth, timedelta(microseconds=row.flight))
    if row.resume_at > micros(now):
        return Idle(until=instant(row.resume_at))
    passed = now - instant(row.level_at)
    level = refilled(row.level, passed, limits)
    patience = wait(level, limits)
    if patience:
        return Idle(until=now + patience)
    found = _due(connection, tier, limits, _asked(unheard, now))
    if not found:
        return Idle(until=_next(connection, tier, now))
    connection.execute(
        sa.update(tiers)
        .where(tiers.c.name == tier.name)
        .values(level=level - 1, level_at=micros(now)),
    )
    return _take(connection, found, now + limits.timeout + limits.slack)


def known(
    connection: Connection, tier: Tier, limits: Limits, now: datetime
) -> sa.Row[int, float, int, int, int]:
    """The tier's row, made when it is missing, and locked until the transaction ends."""
    found = connection.execute(_locked(connection, tier)).one_or_none()
    if found is None:
        introduce(connection, tier, now, burst=limits.burst)
        found = connection.execute(_locked(connection, tier)).one()
    return found


def _locked(connection: Connection, tier: Tier) -> sa.Select[int, float, int, int, int]:
    pace = (tiers.c.resume_at, tiers.c.level, tiers.c.level_at)
    query = sa.select(*pace, tiers.c.depth, tiers.c.flight)
    query = query.where(tiers.c.name == tier.name)
    return query.with_for_update() if connection.dialect.name == "postgresql" else query


def introduce(connection: Connection, tier: Tier, now: datetime, *, burst: int = 1) -> None:
    """Make a tier known, unless it is."""
    values = {
        "name": tier.name,
        "depth": tier.depth,
        "flight": span(tier.flight),
        "level": float(burst),
        "level_at": micros(now),
    }
    if connection.dialect.name == "sqlite":
        connection.execute(sa.insert(tiers).prefix_with("OR IGNORE").values(values))
        return
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only there

    connection.execute(insert(tiers).values(values).on_conflict_do_nothing())


def _asked(unheard: Unheard, now: datetime) -> dict[str, Any]:
    return {"now": micros(now), "gone": unheard.now, "gone_for_long": unheard.for_long}


def _due(connection: Connection, tier: Tier, limits: Limits, asked: dict[str, Any]) -> list[Due]:
    """What goes into one call: purges of everything alone, or pages that failed as often."""
    for kind in (Kind.EVERYTHING, Kind.PAGE):
        rows = _lock(connection, _ready(tier, kind).limit(limits.batch), asked)
        if rows and kind is Kind.EVERYTHING:
            return rows
        if rows:
            alike = [row for row in rows if row.blame == rows[0].blame]
            return _within(alike, max(limits.batch >> rows[0].blame, 1))
    return []


def _within(rows: list[Due], most: int) -> list[Due]:
    """The first entries that name no more pages than this in all; at least one entry."""
    count = 0
    for number, row in enumerate(rows):
        count += row.url.count("\n") + 1
        if number and count > most:
            return rows[:number]
    return rows


def _lock(connection: Connection, query: DueQuery, asked: dict[str, Any]) -> list[Due]:
    """The rows of a query, which nobody changes until the transaction ends."""
    if connection.dialect.name == "sqlite":
        return list(connection.execute(query, asked))
    locked = connection.execute(query.with_for_update(of=_one, skip_locked=True), asked).all()
    # A change may have joined a row between the query's snapshot and its lock, together with the
    # entries that the row must wait for now: only a second look sees those.
    ours = _one.c.id.in_([row.id for row in locked])
    return list(connection.execute(query.where(ours), asked)) if locked else []


_one = outbox.alias("one")
_inner = outbox.alias("inner_one")


_now = sa.bindparam("now", type_=sa.BigInteger)


@lru_cache(maxsize=64)
def _ready(tier: Tier, kind: Kind) -> DueQuery:
    """The entries that may be sent at `:now`; to make the query costs more than to ask it."""
    due = sa.or_(
        sa.and_(_one.c.state.in_([State.PENDING, State.SENT]), _one.c.due_at <= _now),
        sa.and_(_one.c.state == State.CLAIMED, _one.c.claimed_until <= _now),
    )
    sent = (_one.c.id, _one.c.kind, _one.c.url, _one.c.tag, _one.c.site)
    query = sa.select(*sent, _one.c.blame, _one.c.gone)
    # That it is open follows from `due`, but an index is found by it.
    query = query.where(_one.c.tier == tier.name, _one.c.kind == kind, _one.c.state.in_(OPEN), due)
    for blocker in _blockers(tier, kind):
        query = query.where(~sa.exists().where(blocker))
    return query.order_by(_one.c.due_at, _one.c.id)


def _blockers(tier: Tier, kind: Kind) -> list[sa.ColumnElement[bool]]:
    """The entries of inner tiers that an entry waits for.

    Its first purge waits until theirs was sent, as long as that tier can be purged at all; its
    second until they have settled, and for the flight of a response after that. A gateway that is
    not heard of any more is waited for by neither: it answers nothing by itself.
    """
    before = sa.and_(
        _inner.c.depth < tier.depth,
        sa.func.coalesce(_inner.c.origin, _inner.c.id) <= _one.c.upto,
    )
    broken = sa.exists().where(tiers.c.name == _inner.c.tier, tiers.c.breaker != "")
    first = sa.and_(
        _one.c.sent_at.is_(None),
        _inner.c.sent_at.is_(None),
        _inner.c.state.in_([State.PENDING, State.CLAIMED]),
        _inner.c.enqueued_at > _now - span(LATE),
        ~broken,
        ~_unheard("gone"),
    )
    settled = sa.func.coalesce(_inner.c.settled_at, _now)
    second = sa.and_(
        _one.c.sent_at.is_not(None),
        settled > _now - span(tier.flight),
        ~_unheard("gone_for_long"),
    )
    blocked = sa.and_(before, sa.or_(first, second))
    if kind is Kind.EVERYTHING:
        return [blocked]
    same = sa.and_(_inner.c.kind == Kind.PAGE, _inner.c.url == _one.c.url)
    return [sa.and_(same, blocked), sa.and_(_inner.c.kind == Kind.EVERYTHING, blocked)]


def _unheard(name: str) -> sa.ColumnElement[bool]:
    """Whether an entry is owed to one of the gateways of a parameter.

    What each of them said last stands beside its name, so that an entry counts only together with
    what was said by then: who is heard of again finds all that was not waited for in the outbox.
    """
    listed = sa.tuple_(tiers.c.name, tiers.c.seen_at).in_(sa.bindparam(name, expanding=True))
    return sa.exists().where(tiers.c.name == _inner.c.tier, listed)


def look(connection: Connection, tier: Tier, now: datetime) -> Idle | None:
    """Say that nothing is due and when something is; None: try to claim. Only reads."""
    soonest = connection.scalar(_SOONEST, {"tier": tier.name})
    if soonest is None:
        return Idle()
    return Idle(until=instant(soonest)) if soonest > micros(now) else None


def owed(connection: Connection, tier: Tier) -> tuple[Target, ...] | None:
    """The pages that a tier is owed, also those that somebody has claimed; None: everything."""
    rows = connection.execute(
        sa.select(outbox.c.kind, outbox.c.url, outbox.c.tag, outbox.c.site)
        .where(outbox.c.tier == tier.name, outbox.c.state.in_(OPEN))
        .distinct()
        .order_by(outbox.c.url, outbox.c.site),
    ).all()
    if any(row.kind == Kind.EVERYTHING for row in rows):
        return None
    targets = (
        Target(url=url, tag=row.tag, site=row.site) for row in rows for url in split_urls(row.url)
    )
    return tuple(dict.fromkeys(targets))


def being_sent(connection: Connection, tier: Tier) -> bool:
    """Tell whether somebody holds a claim."""
    held = sa.select(outbox.c.id).where(outbox.c.tier == tier.name, outbox.c.state == State.CLAIMED)
    return connection.execute(held.limit(1)).first() is not None


_until = sa.case((outbox.c.state == State.CLAIMED, outbox.c.claimed_until), else_=outbox.c.due_at)


_SOONEST = sa.select(sa.func.min(_until)).where(
    outbox.c.tier == sa.bindparam("tier"), outbox.c.state.in_(OPEN)
)
_LATER = _SOONEST.where(_until > sa.bindparam("now"))


def _next(connection: Connection, tier: Tier, now: datetime) -> datetime | None:
    """When to look again, when what is due is blocked: soon, or sooner when more gets due."""
    soonest = connection.scalar(_SOONEST, {"tier": tier.name})
    if soonest is None:
        return None
    later = connection.scalar(_LATER, {"tier": tier.name, "now": micros(now)})
    again = now + BLOCKED
    if soonest > micros(now):
        return instant(soonest)
    return again if later is None else min(instant(later), again)


def _take(
    connection: Connection,
    rows: list[Due],
    until: datetime,
) -> Claim:
    token = uuid4().hex
    ids = tuple(row.id for row in rows)
    move(
        connection,
        State.CLAIMED,
        outbox.c.id.in_(ids),
        claimed_by=token,
        claimed_until=micros(until),
        attempts=outbox.c.attempts + 1,
    )
    pages = [row for row in rows if row.kind == Kind.PAGE]
    targets = {
        (row.site, url, row.tag): Target(url=url, tag=row.tag, site=row.site, gone=row.gone)
        for row in sorted(pages, key=lambda row: bool(row.gone))
        for url in split_urls(row.url)
    }
    return Claim(
        token=token,
        ids=ids,
        targets=tuple(targets.values()),
        everything=rows[0].kind == Kind.EVERYTHING,
    )
