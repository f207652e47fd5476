"""Capacity of the page index: the maximum number of pages, and the share of open-ended URLs.

Responses to queries that are stored for long may use a tenth of it. Short-lived pages
(`short_lived.py`) are counted separately: each kind may have a tenth as many rows.

Counting every page at each registration would cost more than the registration. So maintenance
counts all pages and stores the result with the highest id that was ever assigned. Later pages are
estimated from the ids assigned since then. Ids that were assigned but not used count as pages until
the next count.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.metadata import set_meta
from ..changes.prepared_statement import PreparedStatement
from ..changes.tables import META
from .tables import page, short_page

_COUNTED = "pages"
_OPEN_ENDED_FRACTION = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSize:
    """The number of pages, and how many of them have open-ended URLs (errors, redirects, queries).

    `highest_id` is the highest page id at the time of the count. `short` counts short-lived pages,
    which are not included in `pages` and have limits of their own.
    """

    pages: int
    open_ended: int
    short: int = 0
    highest_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCapacity:
    """The maximum number of pages; a tenth of them may have URLs that readers invent."""

    max_pages: int

    @property
    def max_open_ended(self) -> int:
        """The maximum number of errors, redirects and responses to queries."""
        return self.max_pages // _OPEN_ENDED_FRACTION

    def has_room(self, connection: Connection, *, open_ended: bool) -> bool:
        """Return whether there is room for a page that is not registered yet."""
        last_count, top = _read_last_count(connection)
        if last_count.pages + max(top - last_count.highest_id, 0) >= self.max_pages:
            return False
        return (
            not open_ended
            or last_count.open_ended + _count_open_ended(connection, last_count.highest_id)
            < self.max_open_ended
        )


def estimate_size(connection: Connection) -> IndexSize:
    """Return the size of the index, estimated from the last count and the ids assigned since."""
    last_count, top = _read_last_count(connection)
    short = connection.scalar(sa.select(sa.func.count()).select_from(short_page)) or 0
    return IndexSize(
        pages=last_count.pages + max(top - last_count.highest_id, 0),
        open_ended=last_count.open_ended + _count_open_ended(connection, last_count.highest_id),
        short=short,
        highest_id=max(top, last_count.highest_id),
    )


def count_and_store(connection: Connection, *, top: int) -> IndexSize:
    """Count the pages and store the result for all processes.

    The caller holds the resolver lock and must not delete pages afterwards. `top` is the
    highest page id before the deletions of this transaction.
    """
    size, last_count = _count_pages(connection), _read_last_count(connection)[0]
    ever = max(top, size.highest_id, last_count.highest_id)
    set_meta(connection, _COUNTED, f"{ever} {size.pages} {size.open_ended}")
    return size


def highest_page_id(connection: Connection) -> int:
    """Return the highest page id; 0 for an empty index."""
    return _SELECT_HIGHEST_ID.fetch_all(connection)[0][0] or 0


_highest = sa.select(sa.func.max(page.c.id))
_meta = sa.table(META, sa.column("name"), sa.column("value"))
_note = sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("name"))
_count_all = sa.select(sa.func.count()).select_from(page)
# Written exactly as in the partial index: otherwise SQLite does not use that index.
_count_aside = _count_all.where(sa.text("edge_page.aside"), page.c.id > sa.bindparam("after"))

_SELECT_HIGHEST_ID = PreparedStatement(_highest)
_SELECT_LAST_COUNT = PreparedStatement(
    sa.select(_note.scalar_subquery(), _highest.scalar_subquery()), "name"
)
_SELECT_PAGE_COUNT = PreparedStatement(_count_all)
_SELECT_OPEN_ENDED_COUNT = PreparedStatement(_count_aside, "after")


def _read_last_count(connection: Connection) -> tuple[IndexSize, int]:
    """Return the last count, or a new one if none is stored, and the highest id now."""
    ((value, top),) = _SELECT_LAST_COUNT.fetch_all(connection, _COUNTED)
    if value is None:
        return _count_pages(connection), top or 0
    then, pages, aside = map(int, value.split())
    return IndexSize(pages=pages, open_ended=aside, highest_id=then), top or 0


def _count_open_ended(connection: Connection, after: int) -> int:
    count: int = _SELECT_OPEN_ENDED_COUNT.fetch_all(connection, after)[0][0]
    return count


def _count_pages(connection: Connection) -> IndexSize:
    pages: int = _SELECT_PAGE_COUNT.fetch_all(connection)[0][0]
    return IndexSize(
        pages=pages,
        open_ended=_count_open_ended(connection, 0),
        highest_id=highest_page_id(connection),
    )
