"""Precision: the share of purged and re-rendered pages whose content had changed.

The counts are stored per page, in the row that its registration writes anyway.
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
    """How often pages were rendered again after a purge, and how often with identical content."""

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
        """Return one line for the terminal."""
        if self.ratio is None:
            return "No purged page has been rendered again yet."
        needed = self.rendered_again - self.unchanged
        return (
            f"Of {self.rendered_again} purged pages that were rendered again, "
            f"{needed} had changed: a precision of {self.ratio:.2f}."
        )


def total_precision(connection: Connection) -> Precision:
    """Return the precision over all pages that are still registered."""
    renewed, unchanged = connection.execute(_SUMS).one()
    return Precision(rendered_again=renewed, unchanged=unchanged)


def set_purged(connection: Connection, ids: Sequence[int]) -> None:
    """Mark at most a few hundred pages as purged; the caller holds the resolver lock."""
    connection.execute(_SET_PURGED, {"ids": ids})


def precision_updates(etag: sa.ColumnElement[str]) -> dict[str, Any]:
    """Return the values that a registration with this ETag writes into an existing row."""
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
