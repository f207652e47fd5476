"""Coarse dependencies: the tables and columns that a response reads, without compared values.

Pages that readers can invent (unknown URLs, searches) differ only in those values, so all of them
share a few sets of coarse dependencies. A coarse dependency matches every change that the exact
dependency matches, and more. For an unknown URL, only values that occur in the URL are left out, so
saving a draft does not purge 404 responses.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from urllib.parse import unquote

from ..dependencies.dependency import Dependency, Range, Row, Table
from ..dependencies.dependency_groups import DependencyGroup, KeyedTable
from ..dependencies.part import Part
from ..dependencies.recorder import RenderRecord
from .dependency_shape import DependencyShape
from .index_entries import EntryKey, EntryShapes, cached_entry, entries_of_record


def coarse_entries(record: RenderRecord) -> EntryShapes:
    """Return the index entries of all dependencies of a response, without compared values."""
    entries: EntryShapes = dict(map(_entry, record.single_dependencies))
    for group in record.groups:
        entries.update(_entries_of_group(group))
    for keyed, keys in record.row_keys.items():
        if keys:
            entry_key, shape = _entry_of_rows(keyed)
            entries[entry_key] = shape
    return entries


def entries_without_address(record: RenderRecord, url: str) -> EntryShapes:
    """Return the exact index entries of a response, without values that occur in its URL."""
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
    """Return the range without values that occur in the URL.

    A value of at most three characters must be a whole word of the URL.
    """
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
    """Return the dependency without its values, its interval and its semi-join."""
    if isinstance(dependency, Part | Table):
        return dependency
    if isinstance(dependency, Row):
        return Range(table=dependency.table, referenced_columns=dependency.columns)
    # A change of a compared column can move a row into the range.
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
