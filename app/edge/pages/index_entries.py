"""Index entries of dependencies, computed once and cached for all responses.

Most dependencies of a page are those of its last copy, or of another page.
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
"""Hash, node, lower bound and upper bound of an entry."""

EntryShapes = dict[EntryKey, DependencyShape]


def entries_of_record(record: RenderRecord) -> EntryShapes:
    """Return the index entries of a page, each with its shape."""
    entries: EntryShapes = dict(map(cached_entry, record.single_dependencies))
    for group in record.groups:
        entries.update(_entries_of_group(group))
    wider = _covering_tables(frozenset(record.row_keys))
    for keyed, keys in record.row_keys.items():
        # Skip rows that another statement read with the same columns and more.
        uncovered = keys.difference(*(record.row_keys[other] for other in wider[keyed]))
        entries.update(map(_entry_of_row, repeat(keyed), uncovered))
    return entries


@lru_cache(maxsize=512)  # pages of one kind are made of the same statements
def _covering_tables(tables: frozenset[KeyedTable]) -> dict[KeyedTable, list[KeyedTable]]:
    """Map each statement's rows to those of statements that read all their columns and more."""
    return {keyed: [other for other in tables if keyed.is_covered_by(other)] for keyed in tables}


def digest_of_entries(entry_keys: Sequence[EntryKey]) -> str:
    """Return a digest of sorted entries; the same in every process of a machine."""
    hashes = array("q", [hashed for hashed, node, _, _ in entry_keys if node == NO_INTERVAL])
    intervals = array("q", chain.from_iterable(key for key in entry_keys if key[1] != NO_INTERVAL))
    content = b"%d " % len(hashes) + hashes.tobytes() + intervals.tobytes()
    return hashlib.blake2b(content, digest_size=16).hexdigest()


@lru_cache(maxsize=1024)
def cached_entry(dependency: Dependency) -> tuple[EntryKey, DependencyShape]:
    """Return the index entry of one dependency and its shape."""
    entry = make_entry(dependency)
    return (entry.hash, entry.node, entry.low, entry.high), _intern_shape(entry.shape)


@lru_cache(maxsize=2048)
def _entries_of_group(group: DependencyGroup) -> tuple[tuple[EntryKey, DependencyShape], ...]:
    return tuple(cached_entry.__wrapped__(dependency) for dependency in group.dependencies)


@lru_cache(maxsize=16384)
def _entry_of_row(keyed: KeyedTable, key: Any) -> tuple[EntryKey, DependencyShape]:
    return cached_entry.__wrapped__(keyed.to_dependency(key))


@lru_cache(maxsize=2048)
def _intern_shape(shape: DependencyShape) -> DependencyShape:
    """Return one shared object for all equal shapes."""
    return shape
