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

from ..reads.dependency import Dependency, Part, Range, Row, Table
from ..reads.found import Group, Keyed
from ..reads.recorder import Record
from .entries import Entries, Spot, entries, entry_of
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


def entries_without_address(record: Record, url: str) -> Entries:
    """The exact entries of a response, but for what was compared with a part of its URL."""
    compared = {
        dependency: _without_address(dependency, unquote(url).casefold())
        for dependency in (
            *record.noted,
            *(d for group in record.groups for d in group.dependencies),
        )
        if isinstance(dependency, Range)
    }
    found = entries(record)
    for exact in compared:
        found.pop(entry_of(exact)[0], None)
    found.update(map(entry_of, compared.values()))
    return found


def _without_address(dependency: Range, url: str) -> Range:
    """The range without the values that stand in the URL; a short value must be a word of it."""
    words = set(re.split(r"[^\w]+", url))

    def is_in_url(value: str) -> bool:
        text = value.casefold()
        return text in url if len(text) > _SHORT_VALUE else text in words

    dropped = frozenset(name for name, value in dependency.equal if is_in_url(value))
    via = dependency.via
    if via is not None and any(is_in_url(value) for _, value in via.equal):
        via = None
    return replace(
        dependency,
        equal=tuple(pair for pair in dependency.equal if pair[0] not in dropped),
        mentioned=dependency.mentioned | dropped,
        via=via,
    )


_SHORT_VALUE = 3


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
