"""The shape of a dependency, without its values: what a change must be compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Protocol

from ..changes.change import Change, Image, Op
from ..reads.dependency import Dependency, Part, Range, Row, Via
from ..reads.encoding import encode, is_unspelt
from .interval import ALWAYS, HIGHEST, LOWEST, placed


class Through(NamedTuple):
    """The other row that a row must have to matter: where it is found, and what of it is compared.

    `column` is the other's, `key` the row's own; `equal` and `sort` are columns of the other.
    """

    table: str
    column: str
    key: str
    sort: str
    equal: tuple[str, ...]

    def spelt(self) -> list[str]:
        """All of it as one list."""
        return [self.table, self.column, self.key, self.sort, *self.equal]

    @classmethod
    def read(cls, spelt: Sequence[str]) -> Through | None:
        """The same from the list; None from an empty one."""
        if not spelt:
            return None
        table, column, key, sort, *equal = spelt
        return cls(table=table, column=column, key=key, sort=sort, equal=tuple(equal))


class State(NamedTuple):
    """What another row was at some moment: the values that are compared, and its sort key."""

    values: tuple[str | None, ...]
    sort: int | None


class Others(Protocol):
    """What the other rows are, and were since the changes before."""

    def of(self, through: Through, key: str | None) -> Iterable[State]:
        """The states of the other rows for a row with this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What dependencies of one kind have in common.

    `columns` are those whose change is heard; `equal` those whose values are hashed; `sort` is
    the key of the interval, or empty; `via` is the other row that must exist, whose values are
    hashed too. The interval is the row's own or the other's, never both.
    """

    kind: str
    table: str
    columns: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    sort: str = ""
    via: Through | None = None
    digest: str = field(init=False, compare=False, repr=False)
    """A name for the shape that is the same in every process."""

    def __post_init__(self) -> None:
        """Work out the digest."""
        object.__setattr__(self, "digest", _digest(self))

    def hash(self, values: tuple[str | None, ...]) -> int:
        """The shape with its values, as 64 bits; a collision only purges too much."""
        whole = json.dumps([self.digest, values])
        made = hashlib.blake2b(whole.encode(), digest_size=8).digest()
        return int.from_bytes(made, "big", signed=True)

    def hears(self, change: Change) -> bool:
        """Tell whether a change alters anything that the shape looks at."""
        if self.kind == "table" or change.op is not Op.UPDATE:
            return True
        return not change.changed.isdisjoint(self.columns)

    def probes(self, change: Change, others: Others) -> Iterator[tuple[int, int | None] | None]:
        """The hashes that a change can match, each with its sort key; None: cannot be told."""
        for image in change.images:
            if any(name not in image or is_unspelt(image[name]) for name in self.equal):
                yield None
                continue
            values, key = (
                tuple(encode(image[name]) for name in self.equal),
                sort_key(image, self.sort),
            )
            if self.via is None:
                yield self.hash(values), key
            elif self.via.key not in image or is_unspelt(image[self.via.key]):
                yield None
            else:
                for state in others.of(self.via, encode(image[self.via.key])):
                    yield self.hash((*values, *state.values)), state.sort if self.via.sort else key


def sort_key(image: Image, column: str) -> int | None:
    """A row's place in an interval; None where it has none, so that it lies in every one."""
    key = image.get(column) if column else None
    return key if isinstance(key, int) else None


@lru_cache(maxsize=4096)
def _digest(shape: Shape) -> str:
    via = shape.via.spelt() if shape.via else []
    said = [shape.kind, shape.table, shape.columns, shape.equal, shape.sort, via]
    whole = json.dumps(said)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dependency as the index keeps it."""

    shape: Shape
    hash: int
    node: int = ALWAYS
    low: int = LOWEST
    high: int = HIGHEST


def entry(dependency: Dependency) -> Entry:
    """How the index keeps a dependency."""
    if isinstance(dependency, Row):
        shape = Shape(
            kind="row",
            table=dependency.table,
            columns=tuple(sorted(dependency.columns)),
            equal=tuple(name for name, _ in dependency.key),
        )
        return Entry(shape=shape, hash=shape.hash(tuple(value for _, value in dependency.key)))
    if isinstance(dependency, Range):
        return _range(dependency)
    if isinstance(dependency, Part):
        return _part(dependency)
    shape = Shape(kind="table", table=dependency.table)
    return Entry(shape=shape, hash=shape.hash(()))


@lru_cache(maxsize=4096)
def _part(found: Part) -> Entry:
    """Every page has the same few parts."""
    shape = Shape(kind="part", table=found.of_table, equal=("name", "digest"))
    return Entry(shape=shape, hash=shape.hash((found.name, found.digest)))


def _range(found: Range) -> Entry:
    equal = tuple(sorted(found.equal))
    own = found.between is not None
    through = _through(found.via, sorted_already=own) if found.via else None
    shape = Shape(
        kind="range",
        table=found.table,
        columns=tuple(sorted(found.mentioned)),
        equal=tuple(name for name, _ in equal),
        sort=found.between.column if found.between else "",
        via=through,
    )
    linked = sorted(found.via.equal) if found.via else ()
    hashed = shape.hash(tuple(value for _, value in (*equal, *linked)))
    between = found.between or (found.via.between if found.via else None)
    if between is None:
        return Entry(shape=shape, hash=hashed)
    node, low, high = placed(between.low, between.high)
    return Entry(shape=shape, hash=hashed, node=node, low=low, high=high)


def _through(via: Via, *, sorted_already: bool) -> Through:
    between = None if sorted_already else via.between
    return Through(
        table=via.table,
        column=via.column,
        key=via.key,
        sort=between.column if between else "",
        equal=tuple(sorted(name for name, _ in via.equal)),
    )
