"""Precision: of the pages that changes purged and that were made anew, how many had changed.

Each page counts for itself, in the row that its registration writes anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import page


@dataclass(frozen=True, slots=True, kw_only=True)
class Precision:
    """How often pages were made anew after a purge, and how often with the same bytes."""

    rendered_again: int = 0
    unchanged: int = 0

    @property
    def ratio(self) -> float | None:
        """The share of purges that were needed, from 0 to 1; None before the first."""
        return 1 - self.unchanged / self.rendered_again if self.rendered_again else None

    def to_json(self) -> dict[str, int]:
        """Return JSON-ready data; its keys are public."""
        return {"renewed": self.rendered_again, "unchanged": self.unchanged}

    def to_text(self) -> str:
        """The same for people."""
        if self.ratio is None:
            return "No purged page was made anew yet."
        needed = self.rendered_again - self.unchanged
        return (
            f"Of {self.rendered_again} purged pages that were made anew, {needed} had changed: "
            f"a precision of {self.ratio:.2f}."
        )


def total_precision(connection: Connection) -> Precision:
    """That of all purges of pages that are still registered."""
    renewed, unchanged = connection.execute(_SUMS).one()
    return Precision(rendered_again=renewed, unchanged=unchanged)


def set_purged(connection: Connection, ids: Sequence[int]) -> None:
    """Note that a change purges these few hundred; the caller holds the lock of resolving."""
    connection.execute(_SET_PURGED, {"ids": ids})


def precision_updates(etag: sa.ColumnElement[str]) -> dict[str, Any]:
    """What a registration under this ETag writes into the row of a page that it finds."""
    same = sa.and_(page.c.purged, page.c.etag == etag)
    return {
        "purged": sa.false(),
        "renewed": page.c.renewed + sa.case((page.c.purged, _ONE), else_=_NONE),
        "unchanged": page.c.unchanged + sa.case((same, _ONE), else_=_NONE),
    }


_ONE, _NONE = (sa.literal_column(number, sa.Integer) for number in ("1", "0"))
_SUMS = sa.select(
    *(sa.func.coalesce(sa.func.sum(column), 0) for column in (page.c.renewed, page.c.unchanged))
)
_SET_PURGED = (
    sa.update(page)
    .where(page.c.id.in_(sa.bindparam("ids", expanding=True)))
    .values(purged=sa.true())
)
