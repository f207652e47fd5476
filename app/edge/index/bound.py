"""The bound of the index: how many pages it takes, and how few of those that there is no end of.

To count every page at each registration would cost more than to register it. So whoever keeps house
counts all, together with the highest id that there ever was, and what came later is told by its id.
That errs by ids that were given in vain, which count as pages until the next count.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.meta import note, noted
from .tables import page

_COUNTED = "pages"
_PART_ASIDE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Fullness:
    """How many pages there are, and how many of them are errors, redirects or answers to a query.

    `top` is the highest id that was seen when they were counted.
    """

    pages: int
    aside: int
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
        known = counted(connection)
        if _pages(connection, known) >= self.pages:
            return False
        return not aside or _aside(connection, known) < self.aside


def fullness(connection: Connection) -> Fullness:
    """How full the index is, by the last count and the ids since."""
    known = counted(connection)
    return Fullness(pages=_pages(connection, known), aside=_aside(connection, known), top=known.top)


def counted(connection: Connection) -> Fullness:
    """The last count; where there was none, a new one that is not noted."""
    said = noted(connection, _COUNTED)
    if said is None:
        return _count(connection)
    top, pages, aside = map(int, said.split())
    return Fullness(pages=pages, aside=aside, top=top)


def recount(connection: Connection, *, top: int) -> Fullness:
    """Count, and note it for all; the caller holds the lock of resolving, and deletes no more.

    `top` is the highest id from before it deleted.
    """
    found = _count(connection)
    highest = max(top, found.top, counted(connection).top)
    note(connection, _COUNTED, f"{highest} {found.pages} {found.aside}")
    return found


def highest(connection: Connection) -> int:
    """The highest id of a page."""
    return connection.scalar(_HIGHEST) or 0


_HIGHEST = sa.select(sa.func.max(page.c.id))
_LATER_ASIDE = (
    sa.select(sa.func.count()).select_from(page).where(page.c.aside, page.c.id > sa.bindparam("of"))
)


def _pages(connection: Connection, known: Fullness) -> int:
    return known.pages + max(highest(connection) - known.top, 0)


def _aside(connection: Connection, known: Fullness) -> int:
    return known.aside + (connection.scalar(_LATER_ASIDE, {"of": known.top}) or 0)


def _count(connection: Connection) -> Fullness:
    pages = connection.scalar(sa.select(sa.func.count()).select_from(page)) or 0
    aside = connection.scalar(_LATER_ASIDE, {"of": 0}) or 0
    return Fullness(pages=pages, aside=aside, top=highest(connection))
