"""The shape of a dependency, without its values: what a change must be compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..changes.change import Change, Op, RowImage
from ..changes.encoding import encode_value, has_no_encoding
from ..dependencies.dependency import Dependency, Part, Range, Row, SemiJoin
from .interval_tree import MAX_KEY, MIN_KEY, NO_INTERVAL, place_interval


class SemiJoinShape(NamedTuple):
    """The other row that a row must have to matter: where it is found, and what of it is compared.

    `column` is the other's, `key` the row's own; `equal` and `sort` are columns of the other.
    """

    table: str
    joined_column: str
    own_column: str
    sort_column: str
    equality_columns: tuple[str, ...]

    def to_list(self) -> list[str]:
        """All of it as one list."""
        return [
            self.table,
            self.joined_column,
            self.own_column,
            self.sort_column,
            *self.equality_columns,
        ]

    @classmethod
    def from_list(cls, spelt: Sequence[str]) -> SemiJoinShape | None:
        """The same from the list; None from an empty one."""
        if not spelt:
            return None
        table, column, key, sort, *equal = spelt
        return cls(
            table=table,
            joined_column=column,
            own_column=key,
            sort_column=sort,
            equality_columns=tuple(equal),
        )


class JoinedRowState(NamedTuple):
    """What another row was at some moment: the values that are compared, and its sort key."""

    values: tuple[str | None, ...]
    sort: int | None


class JoinedRowLookup(Protocol):
    """What the other rows are, and were since the changes before."""

    def states_for(self, through: SemiJoinShape, key: str | None) -> Iterable[JoinedRowState]:
        """The states of the other rows for a row with this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyShape:
    """What dependencies of one kind have in common.

    `columns` are those whose change is heard; `equal` those whose values are hashed; `sort` is
    the key of the interval, or empty; `via` is the other row that must exist, whose values are
    hashed too. The interval is the row's own or the other's, never both.
    """

    kind: str
    table: str
    columns: tuple[str, ...] = ()
    equality_columns: tuple[str, ...] = ()
    sort_column: str = ""
    semi_join: SemiJoinShape | None = None
    digest: str = field(init=False, compare=False, repr=False)
    """A name for the shape that is the same in every process."""

    def __post_init__(self) -> None:
        """Work out the digest."""
        object.__setattr__(self, "digest", _digest(self))

    def hash_values(self, values: tuple[str | None, ...]) -> int:
        """The shape with its values, as 64 bits; a collision only purges too much."""
        whole = json.dumps([self.digest, values])
        made = hashlib.blake2b(whole.encode(), digest_size=8).digest()
        return int.from_bytes(made, "big", signed=True)

    def may_match(self, change: Change) -> bool:
        """Tell whether a change alters anything that the shape looks at."""
        if self.kind == "table" or change.op is not Op.UPDATE:
            return True
        return not change.changed_columns.isdisjoint(self.columns)

    def lookups(
        self, change: Change, others: JoinedRowLookup
    ) -> Iterator[tuple[int, int | None] | None]:
        """The hashes that a change can match, each with its sort key; None: cannot be told."""
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
                for state in others.states_for(
                    self.semi_join, encode_value(image[self.semi_join.own_column])
                ):
                    yield (
                        self.hash_values((*values, *state.values)),
                        state.sort if self.semi_join.sort_column else key,
                    )


def sort_key(image: RowImage, column: str) -> int | None:
    """A row's place in an interval; None where it has none, so that it lies in every one."""
    key = image.get(column) if column else None
    return key if isinstance(key, int) else None


@lru_cache(maxsize=4096)
def _digest(shape: DependencyShape) -> str:
    via = shape.semi_join.to_list() if shape.semi_join else []
    said = [shape.kind, shape.table, shape.columns, shape.equality_columns, shape.sort_column, via]
    whole = json.dumps(said)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """One dependency as the index keeps it."""

    shape: DependencyShape
    hash: int
    node: int = NO_INTERVAL
    low: int = MIN_KEY
    high: int = MAX_KEY


def make_entry(dependency: Dependency) -> IndexEntry:
    """How the index keeps a dependency."""
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
def _part_entry(found: Part) -> IndexEntry:
    """Every page has the same few parts."""
    shape = DependencyShape(kind="part", table=found.log_table, equality_columns=("name", "digest"))
    return IndexEntry(shape=shape, hash=shape.hash_values((found.name, found.digest)))


def _range_entry(found: Range) -> IndexEntry:
    equal = tuple(sorted(found.equalities))
    own = found.interval is not None
    through = _semi_join_shape(found.semi_join, sorted_already=own) if found.semi_join else None
    shape = DependencyShape(
        kind="range",
        table=found.table,
        columns=tuple(sorted(found.referenced_columns)),
        equality_columns=tuple(name for name, _ in equal),
        sort_column=found.interval.column if found.interval else "",
        semi_join=through,
    )
    linked = sorted(found.semi_join.equalities) if found.semi_join else ()
    hashed = shape.hash_values(tuple(value for _, value in (*equal, *linked)))
    between = found.interval or (found.semi_join.interval if found.semi_join else None)
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
