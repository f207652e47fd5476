"""Coarse dependencies: what a response reads of which tables, without the values it compared.

Pages that readers can invent (unknown addresses, searches) differ in those values alone, so all
of them share a few sets of coarse dependencies. A coarse dependency matches every change that the
exact one matches, and more.
"""

from __future__ import annotations

from functools import lru_cache

from ..reads.dependency import Dependency, Part, Range, Row, Table
from ..reads.found import Group, Keyed
from ..reads.recorder import Record
from .entries import Entries, Spot, entry_of
from .shape import Shape


def coarse_entries(record: Record) -> Entries:
    """The entries of everything that a response reads, each without compared values."""
    found: Entries = dict(map(_entry, record.noted))
    for group in record.groups:
        found.update(_entries_of_group(group))
    for keyed, keys in record.rows.items():
        if keys:
            spot, shape = _entry_of_rows(keyed)
            found[spot] = shape
    return found


def coarse(dependency: Dependency) -> Dependency:
    """The same dependency without the values, the interval and the linked row it asks for."""
    if isinstance(dependency, Part | Table):
        return dependency
    if isinstance(dependency, Row):
        return Range(table=dependency.table, mentioned=dependency.columns)
    # A row can enter the range by a change of a compared column.
    compared = frozenset(name for name, _ in dependency.equal)
    ordered = frozenset({dependency.between.column}) if dependency.between else frozenset()
    return Range(table=dependency.table, mentioned=dependency.mentioned | compared | ordered)


@lru_cache(maxsize=4096)
def _entry(dependency: Dependency) -> tuple[Spot, Shape]:
    return entry_of(coarse(dependency))


@lru_cache(maxsize=2048)
def _entries_of_group(group: Group) -> tuple[tuple[Spot, Shape], ...]:
    return tuple(entry_of(coarse(dependency)) for dependency in group.dependencies)


@lru_cache(maxsize=2048)
def _entry_of_rows(keyed: Keyed) -> tuple[Spot, Shape]:
    return entry_of(Range(table=keyed.table, mentioned=keyed.columns))
