"""The shape of a dependency, without its values: the columns by which changes are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..changes.change import Change, Op, RowImage
from ..changes.encoding import encode_value, has_no_encoding
from ..dependencies.dependency import Dependency, Range, Row, SemiJoin
from ..dependencies.part import Part
from .interval_tree import MAX_KEY, MIN_KEY, NO_INTERVAL, place_interval


class SemiJoinShape(NamedTuple):
    """The joined row that must exist for a row to match, and the columns that are compared.

    `own_column` is a column of the row itself; the other columns belong to the joined row.
    """

    table: str
    joined_column: str
    own_column: str
    sort_column: str
    equality_columns: tuple[str, ...]

    def to_list(self) -> list[str]:
        """Return all fields as one list, as the index stores them."""
        return [
            self.table,
            self.joined_column,
            self.own_column,
            self.sort_column,
            *self.equality_columns,
        ]

    @classmethod
    def from_list(cls, items: Sequence[str]) -> SemiJoinShape | None:
        """Return the shape from its stored list; None from an empty list."""
        if not items:
            return None
        table, column, key, sort, *equal = items
        return cls(
            table=table,
            joined_column=column,
            own_column=key,
            sort_column=sort,
            equality_columns=tuple(equal),
        )


class JoinedRowState(NamedTuple):
    """One state of a joined row: its compared values and its sort key."""

    values: tuple[str | None, ...]
    sort: int | None


class JoinedRowLookup(Protocol):
    """Finds the current and the earlier unresolved states of joined rows."""

    def states_for(self, through: SemiJoinShape, key: str | None) -> Iterable[JoinedRowState]:
        """Return the states of the joined rows for a row with this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyShape:
    """What dependencies of one kind have in common.

    A change matters if it changes one of `columns`. The values of `equality_columns` are hashed.
    `sort_column` is the column of the interval, or empty. `semi_join` is the joined row that must
    exist; its values are hashed too. The interval is on the row or on the joined row, never both.
    """

    kind: str
    table: str
    columns: tuple[str, ...] = ()
    equality_columns: tuple[str, ...] = ()
    sort_column: str = ""
    semi_join: SemiJoinShape | None = None
    digest: str = field(init=False, compare=False, repr=False)
    """Identifies the shape; the same in every process."""

    def __post_init__(self) -> None:
        """Compute the digest."""
        object.__setattr__(self, "digest", _digest(self))

    def hash_values(self, values: tuple[str | None, ...]) -> int:
        """Hash the shape with its values to 64 bits; a collision only purges too much."""
        whole = json.dumps([self.digest, values])
        hash_bytes = hashlib.blake2b(whole.encode(), digest_size=8).digest()
        return int.from_bytes(hash_bytes, "big", signed=True)

    def may_match(self, change: Change) -> bool:
        """Return whether a change may match dependencies of this shape."""
        if self.kind == "table" or change.op is not Op.UPDATE:
            return True
        return not change.changed_columns.isdisjoint(self.columns)

    def lookups(
        self, change: Change, joined_rows: JoinedRowLookup
    ) -> Iterator[tuple[int, int | None] | None]:
        """Yield the hashes that a change can match, each with its sort key.

        None means that the hash cannot be computed from the logged values.
        """
        for image in change.images:
            if any(
                name not in image or has_no_encoding(image[name]) for name in self.equality_columns
            ):
                yield None
                continue
            values, key = (
                tuple(encode_value(image[name]) for name in self.equality_columns),
                sort_key(image, self.sort_column),
            )
            if self.semi_join is None:
                yield self.hash_values(values), key
            elif self.semi_join.own_column not in image or has_no_encoding(
                image[self.semi_join.own_column]
            ):
                yield None
            else:
                for state in joined_rows.states_for(
                    self.semi_join, encode_value(image[self.semi_join.own_column])
                ):
                    yield (
                        self.hash_values((*values, *state.values)),
                        state.sort if self.semi_join.sort_column else key,
                    )


def sort_key(image: RowImage, column: str) -> int | None:
    """Return the sort key of a row; None if it has none, so that it lies in every interval."""
    key = image.get(column) if column else None
    return key if isinstance(key, int) else None


@lru_cache(maxsize=4096)
def _digest(shape: DependencyShape) -> str:
    via = shape.semi_join.to_list() if shape.semi_join else []
    fields = [
        shape.kind,
        shape.table,
        shape.columns,
        shape.equality_columns,
        shape.sort_column,
        via,
    ]
    whole = json.dumps(fields)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One dependency as the index stores it."""

    shape: DependencyShape
    hash: int
    node: int = NO_INTERVAL
    low: int = MIN_KEY
    high: int = MAX_KEY


def make_entry(dependency: Dependency) -> IndexEntry:
    """Return the index entry of a dependency."""
    if isinstance(dependency, Row):
        shape = DependencyShape(
            kind="row",
            table=dependency.table,
            columns=tuple(sorted(dependency.columns)),
            equality_columns=tuple(name for name, _ in dependency.key),
        )
        return IndexEntry(
            shape=shape, hash=shape.hash_values(tuple(value for _, value in dependency.key))
        )
    if isinstance(dependency, Range):
        return _range_entry(dependency)
    if isinstance(dependency, Part):
        return _part_entry(dependency)
    shape = DependencyShape(kind="table", table=dependency.table)
    return IndexEntry(shape=shape, hash=shape.hash_values(()))


@lru_cache(maxsize=4096)
def _part_entry(part: Part) -> IndexEntry:
    """Return the index entry of a part; cached because all pages have the same few parts."""
    shape = DependencyShape(kind="part", table=part.log_table, equality_columns=("name", "digest"))
    return IndexEntry(shape=shape, hash=shape.hash_values((part.name, part.digest)))


def _range_entry(dependency: Range) -> IndexEntry:
    equal = tuple(sorted(dependency.equalities))
    own = dependency.interval is not None
    through = (
        _semi_join_shape(dependency.semi_join, sorted_already=own) if dependency.semi_join else None
    )
    shape = DependencyShape(
        kind="range",
        table=dependency.table,
        columns=tuple(sorted(dependency.referenced_columns)),
        equality_columns=tuple(name for name, _ in equal),
        sort_column=dependency.interval.column if dependency.interval else "",
        semi_join=through,
    )
    linked = sorted(dependency.semi_join.equalities) if dependency.semi_join else ()
    hashed = shape.hash_values(tuple(value for _, value in (*equal, *linked)))
    between = dependency.interval or (
        dependency.semi_join.interval if dependency.semi_join else None
    )
    if between is None:
        return IndexEntry(shape=shape, hash=hashed)
    node, low, high = place_interval(between.low, between.high)
    return IndexEntry(shape=shape, hash=hashed, node=node, low=low, high=high)


def _semi_join_shape(via: SemiJoin, *, sorted_already: bool) -> SemiJoinShape:
    between = None if sorted_already else via.interval
    return SemiJoinShape(
        table=via.table,
        joined_column=via.joined_column,
        own_column=via.own_column,
        sort_column=between.column if between else "",
        equality_columns=tuple(sorted(name for name, _ in via.equalities)),
    )
