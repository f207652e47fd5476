"""Put purges into the outbox, in the transaction that resolved the changes.

A change joins an existing entry only if no relay has claimed it: a claimed entry may have been sent
before the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.timestamps import to_microseconds
from ..pages.page import AffectedPage
from ..pages.resolve import Resolution, resolve
from .entry_state import EntryKind, EntryState
from .tables import join_urls, outbox
from .tier import Tier, sort_inside_out

NOTIFY_CHANNEL = "edge_relay"
"""The PostgreSQL channel that notifies relays of new entries."""

_CHUNK = 400


def resolve_and_enqueue(connection: Connection, tiers: Iterable[Tier], now: datetime) -> Resolution:
    """Resolve every unresolved change, and queue the purges of each tier.

    Call it in its own transaction, which must hold SQLite's write lock from its beginning.
    """
    resolution = resolve(connection)
    before = _last_entry_id(connection)
    enqueue_resolution(connection, resolution, tiers, now)
    if resolution.first_written_at is not None:
        values = {"written_at": to_microseconds(resolution.first_written_at)}
        connection.execute(sa.update(outbox).where(outbox.c.id > before).values(values))
    return resolution


def enqueue_resolution(
    connection: Connection,
    resolution: Resolution,
    tiers: Iterable[Tier],
    now: datetime,
    *,
    cause: str = "",
) -> None:
    """Queue the purges of a resolution for each tier; the caller holds the resolver lock."""
    if not resolution.pages and not resolution.everything_reason:
        return
    count = resolution.change_count
    cause = (
        cause or resolution.everything_reason or ("1 change" if count == 1 else f"{count} changes")
    )
    tiers = sort_inside_out(tiers)
    single = pages_with_own_entry(resolution.pages, tiers)
    folded = tuple(set(resolution.pages).difference(single))
    for tier in tiers:
        if resolution.everything_reason:
            enqueue_everything(connection, tier, cause, now)
        elif not _extend_pending_everything(
            connection, tier, _last_entry_id(connection), None, untried=True
        ):
            entry_values = _new_entry(tier, cause, now, _last_entry_id(connection))
            lasting = [page for page in single if page.outlives(tier.ignored_lifetime)]
            _enqueue_pages(connection, tier, lasting, entry_values)
            if not tier.by_url:
                _enqueue_short_pages(connection, folded, entry_values)
            coalesce_backlog(connection, tier, now)
    notify_relays(connection)


def notify_relays(connection: Connection) -> None:
    """Wake the relays of other processes when this transaction commits (PostgreSQL only)."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {NOTIFY_CHANNEL}")


def coalesce_backlog(connection: Connection, tier: Tier, now: datetime) -> bool:
    """Replace the pending pages of a tier by one purge of everything if they are too many."""
    pending_count = (
        connection.scalar(sa.select(sa.func.count()).where(*_is_pending(tier, EntryKind.PAGE))) or 0
    )
    if pending_count <= tier.max_backlog:
        return False
    enqueue_everything(connection, tier, f"{pending_count} pages were waiting to be purged", now)
    return True


def enqueue_everything(connection: Connection, tier: Tier, cause: str, now: datetime) -> None:
    """Queue a purge of everything for a tier, in place of its pending pages."""
    deleted_rows = connection.execute(
        sa.delete(outbox)
        .where(
            *_is_pending(tier, EntryKind.PAGE),
            outbox.c.id.in_(_unlocked_page_entries(connection, tier)),
        )
        .returning(outbox.c.id, outbox.c.enqueued_at),
    ).all()
    upto = _last_entry_id(connection)
    origin = min((row.id for row in deleted_rows), default=None)
    since = min((row.enqueued_at for row in deleted_rows), default=to_microseconds(now))
    if _extend_pending_everything(connection, tier, upto, origin):
        return
    values = _new_entry(tier, cause, now, upto)
    values |= {"kind": EntryKind.EVERYTHING, "origin": origin, "enqueued_at": since}
    connection.execute(sa.insert(outbox).values(values))


def _enqueue_pages(
    connection: Connection,
    tier: Tier,
    pages: Sequence[AffectedPage],
    entry_values: dict[str, object],
) -> None:
    by_site: dict[str, list[AffectedPage]] = defaultdict(list)
    for page in pages:
        by_site[page.site].append(page)
    for site in sorted(by_site):
        _enqueue_pages_of_site(connection, tier, by_site[site], entry_values | {"site": site})


def _enqueue_pages_of_site(
    connection: Connection,
    tier: Tier,
    pages: Sequence[AffectedPage],
    entry_values: dict[str, object],
) -> None:
    """Queue the purges of pages that were registered under one site."""
    tags = {page.url: page.tag for page in pages}
    hard_purge_urls = {page.url for page in pages if page.hard_purge}
    for chunk in _chunks(sorted(tags)):
        is_hard_purge = sa.or_(
            outbox.c.gone, outbox.c.url.in_(sorted(hard_purge_urls.intersection(chunk)))
        )
        same_pages = sa.and_(outbox.c.site == entry_values["site"], outbox.c.url.in_(chunk))
        updated_urls = connection.scalars(
            sa.update(outbox)
            .where(*_is_pending(tier, EntryKind.PAGE), same_pages)
            .values(upto=entry_values["upto"], gone=is_hard_purge)
            .returning(outbox.c.url),
        ).all()
        rows = [
            entry_values | {"url": url, "tag": tags[url], "gone": url in hard_purge_urls}
            for url in chunk
            if url not in updated_urls
        ]
        if rows:
            connection.execute(sa.insert(outbox), rows)


def pages_with_own_entry(
    pages: Iterable[AffectedPage], tiers: Iterable[Tier]
) -> tuple[AffectedPage, ...]:
    """Return the pages that get an entry of their own at every tier.

    An edge that is purged by URL needs one entry per page, except for pages that it leaves to
    expire. An entry waits for the entry of the same URL at inner tiers, so these get the same
    entries.
    """
    by_url = [tier for tier in tiers if tier.by_url]
    return tuple(
        page
        for page in pages
        if page.short is None or any(page.outlives(tier.ignored_lifetime) for tier in by_url)
    )


def _enqueue_short_pages(
    connection: Connection, pages: Iterable[AffectedPage], entry_values: dict[str, object]
) -> None:
    """Queue the purges of short-lived pages: one entry lists many URLs."""
    urls: dict[tuple[str, str], set[str]] = defaultdict(set)
    for page in pages:
        urls[page.site, page.tag].add(page.url)
    rows = [
        entry_values | {"url": join_urls(chunk), "tag": tag, "site": site, "gone": True}
        for (site, tag), of_site in sorted(urls.items())
        for chunk in _chunks(sorted(of_site))
    ]
    if rows:
        connection.execute(sa.insert(outbox), rows)


def _extend_pending_everything(
    connection: Connection, tier: Tier, upto: int, origin: int | None, *, untried: bool = False
) -> bool:
    """Extend a pending purge of everything to later ids; return whether there was one.

    With `untried`, only an entry that was never attempted is extended.
    """
    where = _is_pending(tier, EntryKind.EVERYTHING)
    if untried:
        where = (*where, outbox.c.attempts == 0)
    values = {"upto": upto}
    if origin is not None:
        current_origin = sa.func.coalesce(outbox.c.origin, outbox.c.id)
        values["origin"] = sa.case((current_origin < origin, current_origin), else_=origin)  # type: ignore[assignment]  # an expression of the column's type
    result = connection.execute(sa.update(outbox).where(*where).values(values))
    return result.rowcount > 0


def _is_pending(tier: Tier, kind: EntryKind) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        outbox.c.tier == tier.name,
        outbox.c.kind == kind,
        outbox.c.state == EntryState.PENDING,
    )


def _unlocked_page_entries(connection: Connection, tier: Tier) -> sa.Select[int]:
    """Return the query for pending pages that no transaction is claiming at this moment."""
    query = sa.select(outbox.c.id).where(*_is_pending(tier, EntryKind.PAGE))
    if connection.dialect.name == "postgresql":
        return query.with_for_update(skip_locked=True)
    return query


def _new_entry(tier: Tier, cause: str, now: datetime, upto: int) -> dict[str, object]:
    return {
        "tier": tier.name,
        "depth": tier.depth,
        "kind": EntryKind.PAGE,
        "state": EntryState.PENDING,
        "again": tier.max_flight_time > timedelta(0),
        "upto": upto,
        "due_at": to_microseconds(now),
        "enqueued_at": to_microseconds(now),
        "cause": cause,
    }


def _last_entry_id(connection: Connection) -> int:
    return connection.scalar(sa.select(sa.func.max(outbox.c.id))) or 0


def _chunks(urls: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(urls), _CHUNK):
        yield urls[start : start + _CHUNK]
