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

from ..changes.meta import note
from ..changes.tables import META
from .prepared import Prepared
from .tables import page, short_page

_COUNTED = "pages"
_PART_ASIDE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Fullness:
    """How many pages there are, and how many of them are errors, redirects or answers to a query.

    `top` is the highest id that was seen when they were counted. `short` are short-lived pages,
    which are not among `pages` and have room of their own.
    """

    pages: int
    aside: int
    short: int = 0
    top: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """How many pages the index takes; a tenth of them may be such as readers make up at will."""

    pages: int

    @property
    def aside(self) -> int:
        """How many of them may be errors, redirects and answers to a query."""
        return self.pages // _PART_ASIDE

    def has_room(self, connection: Connection, *, aside: bool) -> bool:
        """Tell whether a page that is not registered yet may be."""
        known, top = _counted(connection)
        if known.pages + max(top - known.top, 0) >= self.pages:
            return False
        return not aside or known.aside + _aside(connection, known.top) < self.aside


def fullness(connection: Connection) -> Fullness:
    """How full the index is, by the last count and the ids since."""
    known, top = _counted(connection)
    short = connection.scalar(sa.select(sa.func.count()).select_from(short_page)) or 0
    return Fullness(
        pages=known.pages + max(top - known.top, 0),
        aside=known.aside + _aside(connection, known.top),
        short=short,
        top=max(top, known.top),
    )


def recount(connection: Connection, *, top: int) -> Fullness:
    """Count, and note it for all; the caller holds the lock of resolving, and deletes no more.

    `top` is the highest id from before it deleted.
    """
    found, known = _count(connection), _counted(connection)[0]
    ever = max(top, found.top, known.top)
    note(connection, _COUNTED, f"{ever} {found.pages} {found.aside}")
    return found


def highest(connection: Connection) -> int:
    """The highest id of a page."""
    return _HIGHEST.rows(connection)[0][0] or 0


_highest = sa.select(sa.func.max(page.c.id))
_meta = sa.table(META, sa.column("name"), sa.column("value"))
_note = sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("name"))
_count_all = sa.select(sa.func.count()).select_from(page)
# Spelt as the partial index is, or SQLite does not see that it suffices.
_count_aside = _count_all.where(sa.text("edge_page.aside"), page.c.id > sa.bindparam("after"))

_HIGHEST = Prepared(_highest)
_KNOWN = Prepared(sa.select(_note.scalar_subquery(), _highest.scalar_subquery()), "name")
_COUNT = Prepared(_count_all)
_ASIDE = Prepared(_count_aside, "after")


def _counted(connection: Connection) -> tuple[Fullness, int]:
    """The last count, or a new one where there was none; and the highest id now."""
    ((said, top),) = _KNOWN.rows(connection, _COUNTED)
    if said is None:
        return _count(connection), top or 0
    then, pages, aside = map(int, said.split())
    return Fullness(pages=pages, aside=aside, top=then), top or 0


def _aside(connection: Connection, after: int) -> int:
    found: int = _ASIDE.rows(connection, after)[0][0]
    return found


def _count(connection: Connection) -> Fullness:
    pages: int = _COUNT.rows(connection)[0][0]
    return Fullness(pages=pages, aside=_aside(connection, 0), top=highest(connection))
