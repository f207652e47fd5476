"""Coarse dependencies: what a response reads of which tables, without the values it compared.

Pages that readers can invent (unknown addresses, searches) differ in those values alone, so all
of them share a few sets of coarse dependencies. A coarse dependency matches every change that the
exact one matches, and more. Of an unknown address, only what was compared with a part of the
address is made coarse: a page that is not there is not purged by the save of a draft.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote

from ..dependencies.dependency import Dependency, Part, Range, Row, Table
from ..dependencies.dependency_groups import DependencyGroup, KeyedTable
from ..dependencies.recorder import RenderRecord
from .dependency_shape import DependencyShape
from .index_entries import EntryKey, EntryShapes, cached_entry, entries_of_record


def coarse_entries(record: RenderRecord) -> EntryShapes:
    """The entries of everything that a response reads, each without compared values."""
    entries: EntryShapes = dict(map(_entry, record.single_dependencies))
    for group in record.groups:
        entries.update(_entries_of_group(group))
    for keyed, keys in record.row_keys.items():
        if keys:
            spot, shape = _entry_of_rows(keyed)
            entries[spot] = shape
    return entries


def entries_without_address(record: RenderRecord, url: str) -> EntryShapes:
    """The exact entries of a response, but for what was compared with a part of its URL."""
    compared = {
        dependency: _without_address(dependency, unquote(url).casefold())
        for dependency in (
            *record.single_dependencies,
            *(d for group in record.groups for d in group.dependencies),
        )
        if isinstance(dependency, Range)
    }
    entries = entries_of_record(record)
    for exact in compared:
        entries.pop(cached_entry(exact)[0], None)
    entries.update(map(cached_entry, compared.values()))
    return entries


def _without_address(dependency: Range, url: str) -> Range:
    """The range without the values that stand in the URL; a short value must be a word of it."""
    words = set(re.split(r"[^\w]+", url))

    def is_in_url(value: str) -> bool:
        text = value.casefold()
        return text in url if len(text) > _SHORT_VALUE else text in words

    dropped = frozenset(name for name, value in dependency.equalities if is_in_url(value))
    via = dependency.semi_join
    if via is not None and any(is_in_url(value) for _, value in via.equalities):
        via = None
    return replace(
        dependency,
        equalities=tuple(pair for pair in dependency.equalities if pair[0] not in dropped),
        referenced_columns=dependency.referenced_columns | dropped,
        semi_join=via,
    )


_SHORT_VALUE = 3


def coarse(dependency: Dependency) -> Dependency:
    """The same dependency without the values, the interval and the linked row it asks for."""
    if isinstance(dependency, Part | Table):
        return dependency
    if isinstance(dependency, Row):
        return Range(table=dependency.table, referenced_columns=dependency.columns)
    # A row can enter the range by a change of a compared column.
    compared = frozenset(name for name, _ in dependency.equalities)
    ordered = frozenset({dependency.interval.column}) if dependency.interval else frozenset()
    return Range(
        table=dependency.table,
        referenced_columns=dependency.referenced_columns | compared | ordered,
    )


@lru_cache(maxsize=4096)
def _entry(dependency: Dependency) -> tuple[EntryKey, DependencyShape]:
    return cached_entry(coarse(dependency))


@lru_cache(maxsize=2048)
def _entries_of_group(group: DependencyGroup) -> tuple[tuple[EntryKey, DependencyShape], ...]:
    return tuple(cached_entry(coarse(dependency)) for dependency in group.dependencies)


@lru_cache(maxsize=2048)
def _entry_of_rows(keyed: KeyedTable) -> tuple[EntryKey, DependencyShape]:
    return cached_entry(Range(table=keyed.table, referenced_columns=keyed.columns))
