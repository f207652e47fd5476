"""Putting purges into the outbox, in the transaction that resolved the changes.

Only an entry that nobody has claimed takes in another change: what was sent already was sent
before that change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..index.page import Affected
from ..index.resolve import Resolution, resolve
from .instants import micros
from .state import Kind, State
from .tables import join_urls, outbox
from .tier import Tier, inside_out

CHANNEL = "edge_relay"
"""Where PostgreSQL tells relays that something is owed."""

_CHUNK = 400


def settle_changes(connection: Connection, tiers: Iterable[Tier], now: datetime) -> Resolution:
    """Resolve every change that nobody resolved, and owe each tier its purges.

    Call it in a transaction of its own that holds SQLite's write lock from its beginning.
    """
    resolution = resolve(connection)
    before = _last(connection)
    enqueue(connection, resolution, tiers, now)
    if resolution.since is not None:
        written = {"written_at": micros(resolution.since)}
        connection.execute(sa.update(outbox).where(outbox.c.id > before).values(written))
    return resolution


def enqueue(
    connection: Connection,
    resolution: Resolution,
    tiers: Iterable[Tier],
    now: datetime,
    *,
    cause: str = "",
) -> None:
    """Owe each tier the purges of a resolution; the caller holds the lock of resolving."""
    if not resolution.pages and not resolution.everything:
        return
    count = resolution.changes
    cause = cause or resolution.everything or ("1 change" if count == 1 else f"{count} changes")
    tiers = inside_out(tiers)
    single = apart(resolution.pages, tiers)
    folded = tuple(set(resolution.pages).difference(single))
    for tier in tiers:
        if resolution.everything:
            everything(connection, tier, cause, now)
        elif not _join_everything(connection, tier, _last(connection), None, untried=True):
            owed = _owed(tier, cause, now, _last(connection))
            lasting = [page for page in single if page.outlives(tier.ignored_lifetime)]
            _pages(connection, tier, lasting, owed)
            if not tier.by_url:
                _fold_short(connection, folded, owed)
            fold(connection, tier, now)
    notify(connection)


def notify(connection: Connection) -> None:
    """Wake the relays of other processes once this transaction commits, where that can be done."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


def fold(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Fold the pages that wait for a tier into one purge of everything, when they are too many."""
    waiting = connection.scalar(sa.select(sa.func.count()).where(*_waiting(tier, Kind.PAGE))) or 0
    if waiting <= tier.backlog:
        return False
    everything(connection, tier, f"{waiting} pages were waiting to be purged", now)
    return True


def everything(connection: Connection, tier: Tier, cause: str, now: datetime) -> None:
    """Owe a tier a purge of everything, in place of all that waits for it."""
    gone = connection.execute(
        sa.delete(outbox)
        .where(*_waiting(tier, Kind.PAGE), outbox.c.id.in_(_unlocked(connection, tier)))
        .returning(outbox.c.id, outbox.c.enqueued_at),
    ).all()
    upto = _last(connection)
    origin = min((row.id for row in gone), default=None)
    since = min((row.enqueued_at for row in gone), default=micros(now))
    if _join_everything(connection, tier, upto, origin):
        return
    values = _owed(tier, cause, now, upto)
    values |= {"kind": Kind.EVERYTHING, "origin": origin, "enqueued_at": since}
    connection.execute(sa.insert(outbox).values(values))


def _pages(
    connection: Connection, tier: Tier, pages: Sequence[Affected], owed: dict[str, object]
) -> None:
    by_site: dict[str, list[Affected]] = defaultdict(list)
    for page in pages:
        by_site[page.site].append(page)
    for site in sorted(by_site):
        _pages_of_site(connection, tier, by_site[site], owed | {"site": site})


def _pages_of_site(
    connection: Connection, tier: Tier, pages: Sequence[Affected], owed: dict[str, object]
) -> None:
    """Owe a tier the purges of pages that were registered under one site."""
    tags = {page.url: page.tag for page in pages}
    gone = {page.url for page in pages if page.gone}
    for chunk in _chunks(sorted(tags)):
        now_gone = sa.or_(outbox.c.gone, outbox.c.url.in_(sorted(gone.intersection(chunk))))
        same_pages = sa.and_(outbox.c.site == owed["site"], outbox.c.url.in_(chunk))
        joined = connection.scalars(
            sa.update(outbox)
            .where(*_waiting(tier, Kind.PAGE), same_pages)
            .values(upto=owed["upto"], gone=now_gone)
            .returning(outbox.c.url),
        ).all()
        rows = [
            owed | {"url": url, "tag": tags[url], "gone": url in gone}
            for url in chunk
            if url not in joined
        ]
        if rows:
            connection.execute(sa.insert(outbox), rows)


def apart(pages: Iterable[Affected], tiers: Iterable[Tier]) -> tuple[Affected, ...]:
    """The pages that every tier is owed one by one.

    An edge that is purged by URL needs each of them, but for those that it keeps for a minute.
    An entry waits for the entry of the same URL at inner tiers, so that these are owed them in
    the same way.
    """
    by_url = [tier for tier in tiers if tier.by_url]
    return tuple(
        page
        for page in pages
        if page.short is None or any(page.outlives(tier.ignored_lifetime) for tier in by_url)
    )


def _fold_short(connection: Connection, pages: Iterable[Affected], owed: dict[str, object]) -> None:
    """Queue the purges of short-lived pages: one entry lists the URLs of many."""
    urls: dict[tuple[str, str], set[str]] = defaultdict(set)
    for page in pages:
        urls[page.site, page.tag].add(page.url)
    rows = [
        owed | {"url": join_urls(chunk), "tag": tag, "site": site, "gone": True}
        for (site, tag), of_site in sorted(urls.items())
        for chunk in _chunks(sorted(of_site))
    ]
    if rows:
        connection.execute(sa.insert(outbox), rows)


def _join_everything(
    connection: Connection, tier: Tier, upto: int, origin: int | None, *, untried: bool = False
) -> bool:
    """Let a purge of everything that waits stand for more; pages join one that never failed."""
    where = _waiting(tier, Kind.EVERYTHING)
    if untried:
        where = (*where, outbox.c.attempts == 0)
    values = {"upto": upto}
    if origin is not None:
        known = sa.func.coalesce(outbox.c.origin, outbox.c.id)
        values["origin"] = sa.case((known < origin, known), else_=origin)  # type: ignore[assignment]  # an expression of the column's type
    joined = connection.execute(sa.update(outbox).where(*where).values(values))
    return joined.rowcount > 0


def _waiting(tier: Tier, kind: Kind) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        outbox.c.tier == tier.name,
        outbox.c.kind == kind,
        outbox.c.state == State.PENDING,
    )


def _unlocked(connection: Connection, tier: Tier) -> sa.Select[int]:
    """The pages that wait and that nobody is claiming at this moment."""
    found = sa.select(outbox.c.id).where(*_waiting(tier, Kind.PAGE))
    if connection.dialect.name == "postgresql":
        return found.with_for_update(skip_locked=True)
    return found


def _owed(tier: Tier, cause: str, now: datetime, upto: int) -> dict[str, object]:
    return {
        "tier": tier.name,
        "depth": tier.depth,
        "kind": Kind.PAGE,
        "state": State.PENDING,
        "again": tier.flight > timedelta(0),
        "upto": upto,
        "due_at": micros(now),
        "enqueued_at": micros(now),
        "cause": cause,
    }


def _last(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(outbox.c.id))) or 0


def _chunks(urls: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(urls), _CHUNK):
        yield urls[start : start + _CHUNK]
