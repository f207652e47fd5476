"""Room in the page index: what has expired leaves it, and when it is full the oldest do, purged."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.meta import forget, note, noted
from ..index.bound import Bound, Fullness, highest, recount
from ..index.page import Affected
from ..index.resolve import Resolution
from ..index.short import GROUP, forget_expired, take_surplus
from ..index.tables import page
from .enqueue import enqueue, everything
from .instants import micros
from .tier import Tier

logger = logging.getLogger(__name__)

TURNOVER = 100
"""So many old pages make room for new ones at a time, where the index is full."""

OLD = timedelta(days=1)
"""A page that nobody made anew for so long is seldom asked for."""

GRACE = timedelta(hours=1)
"""Clocks that differ by less than this let no page leave that lives."""

_LEFT = "left"
"""The note of the latest instant by which pages were let go as expired."""

_FULL = "the page index is full"
_MOST_EXPIRED = 2_000
_MOST_EVICTED = 1_000


def keep_room(
    connection: Connection, tiers: tuple[Tier, ...], now: datetime, bound: Bound | None
) -> None:
    """Let expired pages leave, and some that live where there are too many; count the rest.

    The caller holds the lock of resolving, and `tiers` are all that pages may be kept by.
    """
    top = highest(connection)
    _let_go(connection, tiers, now)
    found = recount(connection, top=top)
    if bound is None:
        return
    if _evict(connection, tiers, now, _surplus(found, bound, now)):
        logger.warning("index.full", extra={"pages": found.pages, "bound": bound.pages})
        recount(connection, top=top)
    if pages := take_surplus(connection, bound, _MOST_EVICTED):
        enqueue(connection, Resolution(pages=pages), tiers, now, cause=_FULL)


def _let_go(connection: Connection, tiers: tuple[Tier, ...], now: datetime) -> None:
    """Let expired pages leave; everything is owed where a clock that was ahead has done so before.

    What it let go may still be kept, and nobody will hear when it changes.
    """
    known = noted(connection, _LEFT)
    if known is not None and int(known) > micros(now + GRACE):
        logger.warning("index.clock_was_ahead")
        forget(connection, _LEFT)
        for tier in tiers:
            everything(connection, tier, "pages had left by a clock that was ahead", now)
    expired = page.c.expires_at < micros(now - GRACE)
    over = sa.select(page.c.id).where(expired).limit(_MOST_EXPIRED)
    gone = connection.execute(sa.delete(page).where(page.c.id.in_(over))).rowcount
    gone += forget_expired(connection, micros(now - GRACE), _MOST_EXPIRED)
    if gone:
        note(connection, _LEFT, str(micros(now)))


def _surplus(found: Fullness, bound: Bound, now: datetime) -> list[sa.Select[int]]:
    """The ids of the pages that have to leave: those that would expire first."""
    single = page.c.variant != GROUP
    first = sa.select(page.c.id).where(single).order_by(page.c.expires_at, page.c.id)
    leave = []
    if found.aside > bound.aside:
        leave.append(first.where(page.c.aside).limit(min(found.aside - bound.aside, _MOST_EVICTED)))
    if found.pages > bound.pages:
        leave.append(first.limit(min(found.pages - bound.pages, _MOST_EVICTED)))
    elif found.pages == bound.pages:
        leave.append(first.where(page.c.registered_at < micros(now - OLD)).limit(TURNOVER))
    return leave


def _evict(
    connection: Connection,
    tiers: tuple[Tier, ...],
    now: datetime,
    queries: Iterable[sa.Select[int]],
) -> bool:
    """Forget pages that live: in the same transaction every tier is owed their purge."""
    ids = {one for query in queries for one in connection.scalars(query)}
    if not ids:
        return False
    urls = sa.select(page.c.url).where(page.c.id.in_(ids))
    # Every form of a page leaves with it: a purge is of all of them.
    left = connection.execute(
        sa.delete(page)
        .where(page.c.url.in_(urls))
        .returning(page.c.id, page.c.url, page.c.tag, page.c.site)
    ).all()
    # As gone: when it loses something later, nobody will hear of it any more.
    pages = tuple(
        Affected(id=row.id, url=row.url, tag=row.tag, site=row.site, gone=True) for row in left
    )
    enqueue(connection, Resolution(pages=pages), tiers, now, cause=_FULL)
    return True
