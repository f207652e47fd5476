"""A plan: what a statement reads, still without its parameters and rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .clock import ClockUse, Grain
from .dependency import Between, Range, Table, Via
from .encoding import spelt, whole
from .found import Group, Keyed
from .recorder import Record

MOST_RANGES = 200
"""More equalities than this (a long IN list) are not told apart."""

MOST_GROUPS = 2048
"""So many groups of ranges are remembered, of all statements together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A parameter of the statement, and how its type spells a value for the database."""

    name: str
    many: bool
    process: Callable[[Any], Any] | None

    def values(self, parameters: Parameters) -> list[Any] | None:
        """The parameter's values in this execution: one, or those of an IN list.

        None when they were written into the statement itself (literal_execute).
        """
        if self.name not in (parameters.expanded if self.many else parameters.values):
            return None
        names = parameters.expanded[self.name] if self.many else [self.name]
        found = [parameters.values[name] for name in names]
        return [self.process(v) if self.process and v is not None else v for v in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The values of one execution; `expanded` names the parts of each IN list."""

    values: Mapping[str, Any]
    expanded: Mapping[str, Sequence[str]]

    def drawn(self, bounds: Iterable[Bound]) -> list[Any]:
        """The values of these parameters as they were given, and their types: True is not 1."""
        found: list[Any] = []
        for bound in bounds:
            if not bound.many:
                found.append(self.values.get(bound.name, _END))
            elif bound.name in self.expanded:
                found += (self.values[name] for name in self.expanded[bound.name])
                found.append(_END)
        return [*found, *map(type, found)]


_END = object()

Ends = tuple[int | None, int | None]
"""The sort keys of an execution's last row: of the table itself, and of the one that it links."""

_NO_ENDS: Ends = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equal:
    """A row matters only when its column equals one of the parameter's values.

    A column of numbers equals texts that are spelt differently, '05' for one.
    """

    column: str
    bound: Bound
    number: bool = False

    def choices(self, parameters: Parameters) -> list[str] | None:
        """The values, spelt; None when one of them has no spelling."""
        given = self.bound.values(parameters)
        found: set[str] = set()
        for value in given or ():
            encoded = None if self.number and isinstance(value, str) else spelt(value)
            if encoded is not None:
                found.add(encoded)
            elif value is not None:
                return None
        return None if given is None else sorted(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where on the sort key a row must lie to matter."""

    column: str
    lower: Bound | None
    upper: Bound | None
    position: int | None
    limit: Bound | None
    descending: bool
    zoned: bool
    """Whether the column's instants have a zone."""

    def between(self, parameters: Parameters, last: int | None) -> Between | None:
        """The interval of this execution: from the conditions, and down to the last row."""
        low, high = self._number(self.lower, parameters), self._number(self.upper, parameters)
        if last is not None and self.descending:
            low = last if low is None else max(low, last)
        elif last is not None:
            high = last if high is None else min(high, last)
        if low is None and high is None:
            return None
        if low is not None and high is not None and low > high:
            high = low  # conditions that nothing meets: one key is kept, which is coarser
        return Between(column=self.column, low=low, high=high)

    def last(self, parameters: Parameters, rows: Sequence[Sequence[Any]]) -> int | None:
        """The key of the last row; None when fewer rows came than were asked for."""
        if self.position is None or self.limit is None or not rows:
            return None
        limit = parameters.values.get(self.limit.name)
        if not isinstance(limit, int) or len(rows) < limit:
            return None
        return whole(rows[-1][self.position])

    def _number(self, bound: Bound | None, parameters: Parameters) -> int | None:
        """A bound as a number; None where the database would convert it by its session's zone."""
        values = None if bound is None or bound.many else bound.values(parameters)
        value = values[0] if values else None
        if isinstance(value, datetime) and (value.tzinfo is not None) is not self.zoned:
            return None
        return whole(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A row matters only where another table has a row for it that these parameters allow."""

    table: str
    column: str
    key: str
    equal: tuple[Equal, ...]
    interval: Interval | None = None

    def vias(self, parameters: Parameters, last: int | None) -> list[Via | None]:
        """One for each combination of values; just None when they can't be told."""
        choices = [equal.choices(parameters) for equal in self.equal]
        if None in choices or math.prod(len(values or ()) for values in choices) > MOST_RANGES:
            return [None]
        names = [equal.column for equal in self.equal]
        between = self.interval.between(parameters, last) if self.interval else None
        return [
            Via(
                table=self.table,
                column=self.column,
                key=self.key,
                equal=tuple(zip(names, values, strict=True)),
                between=between,
            )
            for values in itertools.product(*(values or () for values in choices))
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """What one table contributes to a statement.

    `mentioned` is None when the whole table counts. `key` holds the positions of the primary
    key in a result row.
    """

    table: str
    mentioned: frozenset[str] | None
    key: tuple[tuple[str, int], ...] = ()
    selected: frozenset[str] = frozenset()
    equal: tuple[Equal, ...] = ()
    interval: Interval | None = None
    link: Link | None = None
    keyed: Keyed | None = field(init=False)
    whole: Group = field(init=False)
    bounds: tuple[Bound, ...] = field(init=False)
    """The parameters that tell its ranges from those of another execution."""
    sorts: bool = field(init=False)
    """Whether its last row tells its ranges from others, too."""

    def __post_init__(self) -> None:
        """Work out what is the same in each execution."""
        keyed = None
        if self.key:
            keyed = Keyed(table=self.table, key=self.key, columns=self.selected)
        used = [equal.bound for equal in (*self.equal, *(self.link.equal if self.link else ()))]
        intervals = (self.interval, self.link.interval if self.link else None)
        used += [b for i in intervals if i for b in (i.lower, i.upper) if b]
        object.__setattr__(self, "keyed", keyed)
        object.__setattr__(self, "whole", Group((Table(table=self.table),)))
        object.__setattr__(self, "bounds", tuple(dict.fromkeys(used)))
        object.__setattr__(self, "sorts", any(intervals))

    def note(self, record: Record, parameters: Parameters, rows: Sequence[Sequence[Any]]) -> None:
        """Note what this execution depends on."""
        if self.mentioned is None:
            record.groups.add(self.whole)
            return
        if self.keyed is not None:
            record.read_rows(self.keyed, rows)
        record.groups.add(self._ranges(parameters, rows, self.mentioned))

    def _ranges(
        self, parameters: Parameters, rows: Sequence[Sequence[Any]], mentioned: frozenset[str]
    ) -> Group:
        """The ranges, remembered: most pages are made again, and share ranges with others."""
        ends = self._ends(parameters, rows) if self.sorts else _NO_ENDS
        asked = (self, ends, *parameters.drawn(self.bounds)) if self.bounds else (self, ends)
        try:
            known = _groups.get(asked)
        except TypeError:  # a value that can't be looked up
            return Group(tuple(self._told_apart(parameters, ends, mentioned)))
        if known is None:
            known = Group(tuple(self._told_apart(parameters, ends, mentioned)))
            if len(_groups) >= MOST_GROUPS:
                _groups.clear()
            _groups[asked] = known
        return known

    def _ends(self, parameters: Parameters, rows: Sequence[Sequence[Any]]) -> Ends:
        linked = self.link.interval if self.link else None
        return (
            self.interval.last(parameters, rows) if self.interval else None,
            linked.last(parameters, rows) if linked else None,
        )

    def _told_apart(
        self, parameters: Parameters, ends: Ends, mentioned: frozenset[str]
    ) -> Iterator[Range]:
        last, linked = ends
        between = self.interval.between(parameters, last) if self.interval else None
        chosen = [(e.column, c) for e in self.equal if (c := e.choices(parameters)) is not None]
        combinations = 1
        kept: list[tuple[str, list[str]]] = []
        for column, values in chosen:
            if combinations * max(len(values), 1) <= MOST_RANGES:
                combinations *= max(len(values), 1)
                kept.append((column, values))
        vias = self.link.vias(parameters, linked) if self.link else [None]
        for choice in itertools.product(*(values for _, values in kept)):
            equal = tuple(zip((column for column, _ in kept), choice, strict=True))
            for via in vias:
                yield Range(
                    table=self.table, equal=equal, mentioned=mentioned, between=between, via=via
                )


_groups: dict[tuple[Any, ...], Group] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a statement reads, table by table."""

    sources: tuple[Source, ...]
    clock: str = ""
    """The SQL function that asks for the present moment, if there is one."""

    def note(self, record: Record, parameters: Parameters, rows: Sequence[Sequence[Any]]) -> None:
        """Note what one execution with these parameters and result rows depends on."""
        if self.clock:
            what = f"the function {self.clock}() gives the present moment"
            record.use_clock(ClockUse(what=what, grain=Grain.INSTANT))
        for source in self.sources:
            source.note(record, parameters, rows)
