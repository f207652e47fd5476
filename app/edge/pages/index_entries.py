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
from ..dependencies.dependency_groups import DependencyGroup, KeyedTable
from ..dependencies.recorder import RenderRecord
from .dependency_shape import DependencyShape, make_entry
from .interval_tree import NO_INTERVAL

EntryKey = tuple[int, int, int, int]
"""An entry's hash, node, low and high end."""

EntryShapes = dict[EntryKey, DependencyShape]


def entries_of_record(record: RenderRecord) -> EntryShapes:
    """The entries of a page, each with its shape."""
    found: EntryShapes = dict(map(cached_entry, record.single_dependencies))
    for group in record.groups:
        found.update(_entries_of_group(group))
    wider = _covering_tables(frozenset(record.row_keys))
    for keyed, keys in record.row_keys.items():
        # Rows that another statement read with all these columns, and others, are known by that.
        left = keys.difference(*(record.row_keys[other] for other in wider[keyed]))
        found.update(map(_entry_of_row, repeat(keyed), left))
    return found


@lru_cache(maxsize=512)  # pages of one kind are made of the same statements
def _covering_tables(read: frozenset[KeyedTable]) -> dict[KeyedTable, list[KeyedTable]]:
    """For the rows of each statement, those of others that read all their columns and more."""
    return {keyed: [other for other in read if keyed.is_covered_by(other)] for keyed in read}


def digest_of_entries(spots: Sequence[EntryKey]) -> str:
    """What tells sorted entries from others; the same in every process of a machine."""
    hashes = array("q", [hashed for hashed, node, _, _ in spots if node == NO_INTERVAL])
    intervals = array("q", chain.from_iterable(spot for spot in spots if spot[1] != NO_INTERVAL))
    said = b"%d " % len(hashes) + hashes.tobytes() + intervals.tobytes()
    return hashlib.blake2b(said, digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def cached_entry(dependency: Dependency) -> tuple[EntryKey, DependencyShape]:
    """The entry of one dependency."""
    made = make_entry(dependency)
    return (made.hash, made.node, made.low, made.high), _intern_shape(made.shape)


@lru_cache(maxsize=2048)
def _entries_of_group(group: DependencyGroup) -> tuple[tuple[EntryKey, DependencyShape], ...]:
    return tuple(cached_entry.__wrapped__(dependency) for dependency in group.dependencies)


@lru_cache(maxsize=16384)
def _entry_of_row(keyed: KeyedTable, key: Any) -> tuple[EntryKey, DependencyShape]:
    return cached_entry.__wrapped__(keyed.to_dependency(key))


@lru_cache(maxsize=2048)
def _intern_shape(shape: DependencyShape) -> DependencyShape:
    """The one object for all shapes that are equal to this one."""
    return shape
