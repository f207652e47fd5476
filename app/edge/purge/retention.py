"""Retention in the page index: delete expired pages, and evict and purge pages if it is full."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.metadata import delete_meta, get_meta, set_meta
from ..changes.timestamps import to_microseconds
from ..pages.capacity import IndexCapacity, IndexSize, count_and_store, highest_page_id
from ..pages.page import AffectedPage
from ..pages.resolve import Resolution
from ..pages.short_lived import GROUP, forget_expired, take_surplus
from ..pages.tables import page
from .outbox import enqueue_everything, enqueue_resolution
from .tier import Tier

logger = logging.getLogger(__name__)

EVICTION_BATCH = 100
"""The number of old pages that are evicted at a time when the index is full."""

EVICTABLE_AGE = timedelta(days=1)
"""A page that was not registered again for this long is rarely requested."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""Clock differences below this delete no page that caches may still hold."""

_EXPIRED_UP_TO_KEY = "left"
"""The metadata key of the latest instant at which expired pages were deleted."""

_FULL = "the page index is full"
_MAX_EXPIRED = 2_000
_MAX_EVICTED = 1_000


def expire_and_evict(
    connection: Connection, tiers: tuple[Tier, ...], now: datetime, capacity: IndexCapacity | None
) -> None:
    """Delete expired pages, evict pages if there are too many, and count the rest.

    The caller holds the resolver lock; `tiers` are all tiers that may hold pages.
    """
    top = highest_page_id(connection)
    _delete_expired(connection, tiers, now)
    size = count_and_store(connection, top=top)
    if capacity is None:
        return
    if _evict_pages(connection, tiers, now, _eviction_queries(size, capacity, now)):
        logger.warning(
            "index.full: the page index holds %d of at most %d pages; old pages are evicted",
            size.pages,
            capacity.max_pages,
            extra={"pages": size.pages, "bound": capacity.max_pages},
        )
        count_and_store(connection, top=top)
    if pages := take_surplus(connection, capacity, _MAX_EVICTED):
        enqueue_resolution(connection, Resolution(pages=pages), tiers, now, cause=_FULL)


def _delete_expired(connection: Connection, tiers: tuple[Tier, ...], now: datetime) -> None:
    """Delete expired pages; purge everything if an earlier run did so while the clock was ahead.

    Caches may still hold those pages, and changes would no longer purge them.
    """
    stored_instant = get_meta(connection, _EXPIRED_UP_TO_KEY)
    if stored_instant is not None and int(stored_instant) > to_microseconds(now + CLOCK_TOLERANCE):
        logger.warning(
            "index.clock_was_ahead: pages were deleted as expired while the system clock was ahead;"
            " everything is purged"
        )
        delete_meta(connection, _EXPIRED_UP_TO_KEY)
        for tier in tiers:
            enqueue_everything(
                connection, tier, "pages were deleted while the clock was ahead", now
            )
    expired = page.c.expires_at < to_microseconds(now - CLOCK_TOLERANCE)
    over = sa.select(page.c.id).where(expired).limit(_MAX_EXPIRED)
    deleted_count = connection.execute(sa.delete(page).where(page.c.id.in_(over))).rowcount
    deleted_count += forget_expired(
        connection, to_microseconds(now - CLOCK_TOLERANCE), _MAX_EXPIRED
    )
    if deleted_count:
        set_meta(connection, _EXPIRED_UP_TO_KEY, str(to_microseconds(now)))


def _eviction_queries(
    size: IndexSize, capacity: IndexCapacity, now: datetime
) -> list[sa.Select[int]]:
    """Return queries for the ids of pages to evict, the next to expire first."""
    single = page.c.variant != GROUP
    first = sa.select(page.c.id).where(single).order_by(page.c.expires_at, page.c.id)
    queries = []
    if size.open_ended > capacity.max_open_ended:
        queries.append(
            first.where(page.c.aside).limit(
                min(size.open_ended - capacity.max_open_ended, _MAX_EVICTED)
            )
        )
    if size.pages > capacity.max_pages:
        queries.append(first.limit(min(size.pages - capacity.max_pages, _MAX_EVICTED)))
    elif size.pages == capacity.max_pages:
        queries.append(
            first.where(page.c.registered_at < to_microseconds(now - EVICTABLE_AGE)).limit(
                EVICTION_BATCH
            )
        )
    return queries


def _evict_pages(
    connection: Connection,
    tiers: tuple[Tier, ...],
    now: datetime,
    queries: Iterable[sa.Select[int]],
) -> bool:
    """Evict pages and queue their purge for every tier in the same transaction."""
    ids = {one for query in queries for one in connection.scalars(query)}
    if not ids:
        return False
    urls = sa.select(page.c.url).where(page.c.id.in_(ids))
    # All variants of a page are deleted, because a purge affects all of them.
    rows = connection.execute(
        sa.delete(page)
        .where(page.c.url.in_(urls))
        .returning(page.c.id, page.c.url, page.c.tag, page.c.site)
    ).all()
    # Hard, because later removals of content would not find the page in the index.
    pages = tuple(
        AffectedPage(id=row.id, url=row.url, tag=row.tag, site=row.site, hard_purge=True)
        for row in rows
    )
    enqueue_resolution(connection, Resolution(pages=pages), tiers, now, cause=_FULL)
    return True
