"""What a query read, as values; and the one rule that says which changes touch it.

A dependency is sound when every change that can alter the query's result matches it: that is
the only thing that must be true here, and coarser is always allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..changes.change import Change, Op, RowImage
from ..changes.encoding import encode_value, has_no_encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A closed interval of a sort key in whole numbers; None is open to that side.

    An image whose key is absent or NULL lies in every interval.
    """

    column: str
    low: int | None = None
    high: int | None = None

    def contains(self, image: RowImage) -> bool:
        """Tell whether a row's key may lie in the interval."""
        key = image.get(self.column)
        if not isinstance(key, int):
            return True
        return (self.low is None or key >= self.low) and (self.high is None or key <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiJoin:
    """A row of another table that must exist for a row to matter.

    It is the link for what is linked, a post's topic for one, and what is linked for the link.
    Its `column` equals the row's own `key`, others the values in `equal`, and its sort key lies
    `between`. The query depends on the other table too.
    """

    table: str
    joined_column: str
    own_column: str
    equalities: tuple[tuple[str, str], ...]
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, known by its primary key, and the columns of it that were read."""

    table: str
    key: tuple[tuple[str, str], ...]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The rows of a table that could have stood in a result, whether they did or not.

    `mentioned` are the columns that decide whether and where a row stands in it. Whether the
    row that `via` asks for exists is not known here: it counts as existing.
    """

    table: str
    equalities: tuple[tuple[str, str], ...] = ()
    referenced_columns: frozenset[str]
    interval: Interval | None = None
    semi_join: SemiJoin | None = None

    def contains(self, image: RowImage) -> bool:
        """Tell whether a row with this image may lie in the range."""
        same = all(
            column not in image or _equals(image[column], value)
            for column, value in self.equalities
        )
        return same and (self.interval is None or self.interval.contains(image))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A whole table: whatever is not understood more finely."""

    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Something outside the database: a template, a static file or a setting, and its content."""

    kind: str
    name: str
    digest: str

    @property
    def log_table(self) -> str:
        """How the change log calls parts of this kind, as if they were rows of a table."""
        return f"part:{self.kind}"


Dependency = Row | Range | Table | Part


def matches(dependency: Dependency, change: Change) -> bool:
    """Tell whether a change may alter what the dependency stands for."""
    if change.op is Op.EVERYTHING:
        return True
    if isinstance(dependency, Part):
        return _part_matches(dependency, change)
    if change.table != dependency.table:
        return False
    if change.op is Op.TRUNCATE or isinstance(dependency, Table):
        return True
    if isinstance(dependency, Row):
        return _row_matches(dependency, change)
    reads_changed_column = change.op is not Op.UPDATE or bool(
        change.changed_columns & dependency.referenced_columns
    )
    return reads_changed_column and any(dependency.contains(image) for image in change.images)


def _part_matches(part: Part, change: Change) -> bool:
    """A release says which content of a part is no longer shown."""
    if change.table != part.log_table or change.old is None:
        return False
    return (change.old["name"], change.old["digest"]) == (part.name, part.digest)


def _row_matches(row: Row, change: Change) -> bool:
    reads_changed_column = change.op is not Op.UPDATE or bool(change.changed_columns & row.columns)
    return reads_changed_column and any(
        all(_equals(image.get(column), value) for column, value in row.key)
        for image in change.images
    )


def _equals(value: Any, parameter: str) -> bool:
    """Tell whether a value of an image may be the one that a page was found by."""
    return has_no_encoding(value) or encode_value(value) == parameter
