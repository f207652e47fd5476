"""One entry of the change log: a row of a table, before and after a write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

RowImage = Mapping[str, Any]


class Op(StrEnum):
    """The operation that was logged; `EVERYTHING` means that anything may have changed."""

    INSERT = "I"
    UPDATE = "U"
    DELETE = "D"
    TRUNCATE = "T"
    EVERYTHING = "E"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the change log; `changed_columns` names the columns that an update altered.

    `written_at` is read from the database's clock. It is None if the entry has no time.
    """

    table: str
    op: Op
    old: RowImage | None = None
    new: RowImage | None = None
    changed_columns: frozenset[str] = frozenset()
    written_at: datetime | None = field(default=None, compare=False)

    @property
    def images(self) -> tuple[RowImage, ...]:
        """The row images of this change: old and new, without the one that does not exist."""
        return tuple(image for image in (self.old, self.new) if image is not None)

    @classmethod
    def from_row(
        cls,
        table: str,
        op: str,
        images: tuple[str | None, str | None],
        changed_columns: str | None,
        written_at: datetime | None = None,
    ) -> Change:
        """Make a change from the columns of a log entry.

        An entry that can't be parsed means that anything may have changed.
        """
        try:
            old, new = (json.loads(image) if image else None for image in images)
            names = frozenset(json.loads(changed_columns)) if changed_columns else frozenset()
            return cls(
                table=table,
                op=Op(op),
                old=old,
                new=new,
                changed_columns=names,
                written_at=written_at,
            )
        except ValueError:
            return replace(EVERYTHING_CHANGED, written_at=written_at)


EVERYTHING_CHANGED = Change(table="*", op=Op.EVERYTHING)
"""The change that is logged when anything may have changed."""
