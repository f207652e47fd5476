"""Dependencies of a response, and the rule that decides whether a change matches one.

A dependency is sound if every change that can alter the query's result matches it. A coarser
dependency is always allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..changes.change import Change, Op, RowImage
from ..changes.encoding import encode_value, has_no_encoding
from .part import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A closed interval of an integer sort key; None means that the side is unbounded.

    A row image whose key is missing or NULL lies in every interval.
    """

    column: str
    low: int | None = None
    high: int | None = None
    is_number: bool = False
    """Whether the key is a number of the row itself, not an instant in microseconds."""

    def contains(self, image: RowImage) -> bool:
        """Return whether a row's key may lie in the interval."""
        key = image.get(self.column)
        if not isinstance(key, int):
            return True
        return (self.low is None or key >= self.low) and (self.high is None or key <= self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiJoin:
    """A row of another table that must exist for a row to matter.

    For example the association row of a post and its topic. Its `joined_column` equals the row's
    `own_column`, its other columns equal the values in `equalities`, and its sort key lies in
    `interval`. The query depends on the other table too.
    """

    table: str
    joined_column: str
    own_column: str
    equalities: tuple[tuple[str, str], ...]
    interval: Interval | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row, identified by its primary key, and the columns of it that were read."""

    table: str
    key: tuple[tuple[str, str], ...]
    columns: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The rows of a table that could be in a result, whether they exist or not.

    `referenced_columns` decide whether and where a row is in the result. The row that `semi_join`
    requires counts as existing, because this class can't look it up.
    """

    table: str
    equalities: tuple[tuple[str, str], ...] = ()
    referenced_columns: frozenset[str]
    interval: Interval | None = None
    semi_join: SemiJoin | None = None

    def contains(self, image: RowImage) -> bool:
        """Return whether a row with this image may lie in the range."""
        same = all(
            column not in image or _equals(image[column], value)
            for column, value in self.equalities
        )
        return same and (self.interval is None or self.interval.contains(image))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A whole table, if nothing finer can be determined."""

    table: str


Dependency = Row | Range | Table | Part
"""Something that a response was built from; a change that matches it affects the response."""


def matches(dependency: Dependency, change: Change) -> bool:
    """Return whether a change may alter what the response read."""
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
    """Return whether a release logged that this content of the part is no longer used."""
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
    """Return whether a value of a row image may equal an encoded parameter."""
    return has_no_encoding(value) or encode_value(value) == parameter
