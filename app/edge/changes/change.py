"""A change as the log tells it: which row of which table, before and after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

RowImage = Mapping[str, Any]


class Op(StrEnum):
    """What happened: a row, a whole table, or anything at all."""

    INSERT = "I"
    UPDATE = "U"
    DELETE = "D"
    TRUNCATE = "T"
    EVERYTHING = "E"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the change log; `changed` names the columns that an update altered.

    `written` is by the database's clock, and None where nobody noted it.
    """

    table: str
    op: Op
    old: RowImage | None = None
    new: RowImage | None = None
    changed_columns: frozenset[str] = frozenset()
    written_at: datetime | None = field(default=None, compare=False)

    @property
    def images(self) -> tuple[RowImage, ...]:
        """The row as it was and as it is, as far as it was and is."""
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
        """Read an entry; what can't be read counts as a change of anything."""
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
"""The entry that says that anything may have changed."""
