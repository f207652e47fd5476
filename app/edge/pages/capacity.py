"""The bound of the index: how many pages it takes, and how few of those that there is no end of.

Answers to queries that are kept for long have a tenth. Short-lived pages (`short.py`) are not
among them: each of their kinds has room for a tenth as many beside the pages.

To count every page at each registration would cost more than to register it. So whoever keeps house
counts all, together with the highest id that there ever was, and what came later is told by its id.
That errs by ids that were given in vain, which count as pages until the next count.
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
    """How many pages there are, and how many of them are errors, redirects or answers to a query.

    `top` is the highest id that was seen when they were counted. `short` are short-lived pages,
    which are not among `pages` and have room of their own.
    """

    pages: int
    open_ended: int
    short: int = 0
    highest_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexCapacity:
    """How many pages the index takes; a tenth of them may be such as readers make up at will."""

    max_pages: int

    @property
    def max_open_ended(self) -> int:
        """How many of them may be errors, redirects and answers to a query."""
        return self.max_pages // _OPEN_ENDED_FRACTION

    def has_room(self, connection: Connection, *, open_ended: bool) -> bool:
        """Tell whether a page that is not registered yet may be."""
        last_count, top = _read_last_count(connection)
        if last_count.pages + max(top - last_count.highest_id, 0) >= self.max_pages:
            return False
        return (
            not open_ended
            or last_count.open_ended + _count_open_ended(connection, last_count.highest_id)
            < self.max_open_ended
        )


def estimate_size(connection: Connection) -> IndexSize:
    """How full the index is, by the last count and the ids since."""
    last_count, top = _read_last_count(connection)
    short = connection.scalar(sa.select(sa.func.count()).select_from(short_page)) or 0
    return IndexSize(
        pages=last_count.pages + max(top - last_count.highest_id, 0),
        open_ended=last_count.open_ended + _count_open_ended(connection, last_count.highest_id),
        short=short,
        highest_id=max(top, last_count.highest_id),
    )


def count_and_store(connection: Connection, *, top: int) -> IndexSize:
    """Count, and note it for all; the caller holds the lock of resolving, and deletes no more.

    `top` is the highest id from before it deleted.
    """
    size, last_count = _count_pages(connection), _read_last_count(connection)[0]
    ever = max(top, size.highest_id, last_count.highest_id)
    set_meta(connection, _COUNTED, f"{ever} {size.pages} {size.open_ended}")
    return size


def highest_page_id(connection: Connection) -> int:
    """The highest id of a page."""
    return _SELECT_HIGHEST_ID.fetch_all(connection)[0][0] or 0


_highest = sa.select(sa.func.max(page.c.id))
_meta = sa.table(META, sa.column("name"), sa.column("value"))
_note = sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("name"))
_count_all = sa.select(sa.func.count()).select_from(page)
# Spelt as the partial index is, or SQLite does not see that it suffices.
_count_aside = _count_all.where(sa.text("edge_page.aside"), page.c.id > sa.bindparam("after"))

_SELECT_HIGHEST_ID = PreparedStatement(_highest)
_SELECT_LAST_COUNT = PreparedStatement(
    sa.select(_note.scalar_subquery(), _highest.scalar_subquery()), "name"
)
_SELECT_PAGE_COUNT = PreparedStatement(_count_all)
_SELECT_OPEN_ENDED_COUNT = PreparedStatement(_count_aside, "after")


def _read_last_count(connection: Connection) -> tuple[IndexSize, int]:
    """The last count, or a new one where there was none; and the highest id now."""
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
