"""The shape of a dependency, without its values: what a change must be compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from ..changes.change import Change, Image, Op
from ..reads.dependency import Dependency, Part, Range, Row, Via
from ..reads.encoding import encode
from .interval import ALWAYS, HIGHEST, LOWEST, placed


class Links(Protocol):
    """The links that exist now."""

    def of(self, via: tuple[str, ...], key: str | None) -> Iterable[tuple[str | None, ...]]:
        """The values of each link of a row with this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What dependencies of one kind have in common.

    `columns` are those whose change is heard; `equal` those whose values are hashed; `sort` is
    the key of the interval, or empty. `via` is the table, the column and the own key of a link
    that must exist, and then the link's columns whose values are hashed too.
    """

    kind: str
    table: str
    columns: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    sort: str = ""
    via: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A name for the shape that is the same in every process."""
        return _digest(self)

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

    def probes(self, change: Change, links: Links) -> Iterator[tuple[int, int | None] | None]:
        """The hashes that a change can match, each with its sort key; None: cannot be told."""
        for image in change.images:
            if any(name not in image for name in (*self.equal, *self.via[2:3])):
                yield None
                continue
            values = tuple(encode(image[name]) for name in self.equal)
            for linked in self._linked(image, links):
                yield self.hash((*values, *linked)), self._key(image)

    def _linked(self, image: Image, links: Links) -> Iterable[tuple[str | None, ...]]:
        return links.of(self.via, encode(image[self.via[2]])) if self.via else [()]

    def _key(self, image: Image) -> int | None:
        key = image.get(self.sort) if self.sort else None
        return key if isinstance(key, int) else None


@lru_cache(maxsize=4096)
def _digest(shape: Shape) -> str:
    said = [shape.kind, shape.table, shape.columns, shape.equal, shape.sort, shape.via]
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
    shape = Shape(
        kind="range",
        table=found.table,
        columns=tuple(sorted(found.mentioned)),
        equal=tuple(name for name, _ in equal),
        sort=found.between.column if found.between else "",
        via=_named(found.via) if found.via else (),
    )
    linked = sorted(found.via.equal) if found.via else ()
    hashed = shape.hash(tuple(value for _, value in (*equal, *linked)))
    if found.between is None:
        return Entry(shape=shape, hash=hashed)
    node, low, high = placed(found.between.low, found.between.high)
    return Entry(shape=shape, hash=hashed, node=node, low=low, high=high)


def _named(via: Via) -> tuple[str, ...]:
    return (via.table, via.column, via.key, *sorted(name for name, _ in via.equal))
