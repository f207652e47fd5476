"""Entries: how the index keeps what a response was built from, worked out once for all responses.

Most of what a page shows was shown by its last copy, or by another page.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any

from ..dependencies.dependency import Dependency
from ..dependencies.dependency_groups import Group, Keyed
from ..dependencies.recorder import Record
from .dependency_shape import Shape, entry
from .interval_tree import ALWAYS

Spot = tuple[int, int, int, int]
"""An entry's hash, node, low and high end."""

Entries = dict[Spot, Shape]


def entries(record: Record) -> Entries:
    """The entries of a page, each with its shape."""
    found: Entries = dict(map(entry_of, record.noted))
    for group in record.groups:
        found.update(_of_group(group))
    wider = _wider(frozenset(record.rows))
    for keyed, keys in record.rows.items():
        # Rows that another statement read with all these columns, and others, are known by that.
        left = keys.difference(*(record.rows[other] for other in wider[keyed]))
        found.update(map(_of_row, repeat(keyed), left))
    return found


@lru_cache(maxsize=512)  # pages of one kind are made of the same statements
def _wider(read: frozenset[Keyed]) -> dict[Keyed, list[Keyed]]:
    """For the rows of each statement, those of others that read all their columns and more."""
    return {keyed: [other for other in read if keyed.is_less_than(other)] for keyed in read}


def digest(spots: Sequence[Spot]) -> str:
    """What tells sorted entries from others; the same in every process of a machine."""
    hashes = array("q", [hashed for hashed, node, _, _ in spots if node == ALWAYS])
    intervals = array("q", chain.from_iterable(spot for spot in spots if spot[1] != ALWAYS))
    said = b"%d " % len(hashes) + hashes.tobytes() + intervals.tobytes()
    return hashlib.blake2b(said, digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def entry_of(dependency: Dependency) -> tuple[Spot, Shape]:
    """The entry of one dependency."""
    made = entry(dependency)
    return (made.hash, made.node, made.low, made.high), _known(made.shape)


@lru_cache(maxsize=2048)
def _of_group(group: Group) -> tuple[tuple[Spot, Shape], ...]:
    return tuple(entry_of.__wrapped__(dependency) for dependency in group.dependencies)


@lru_cache(maxsize=16384)
def _of_row(keyed: Keyed, key: Any) -> tuple[Spot, Shape]:
    return entry_of.__wrapped__(keyed.dependency(key))


@lru_cache(maxsize=2048)
def _known(shape: Shape) -> Shape:
    """The one object for all shapes that are equal to this one."""
    return shape
