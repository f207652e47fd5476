"""The dependency plan of a statement, independent of parameter values and rows."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..changes.encoding import ValueKind, encode_parameter, sort_key_value
from .clock_values import ClockUse, Grain
from .dependency import Interval, Range, SemiJoin, Table
from .dependency_groups import DependencyGroup, KeyedTable
from .recorder import RenderRecord

MAX_COMBINATIONS = 200
"""The maximum number of ranges of one execution; a longer IN list does not narrow them."""

MAX_CACHED_GROUPS = 2048
"""The maximum number of groups of ranges in the cache, for all statements together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the statement, and its type's conversion of a value for the database."""

    name: str
    is_expanding: bool
    bind_processor: Callable[[Any], Any] | None

    def values_in(self, parameters: ParameterValues) -> list[Any] | None:
        """Return the parameter's value in this execution, or the values of its IN list.

        Return None if they were rendered into the statement (literal_execute).
        """
        if self.name not in (parameters.expanded if self.is_expanding else parameters.values):
            return None
        names = parameters.expanded[self.name] if self.is_expanding else [self.name]
        values = [parameters.values[name] for name in names]
        return [
            self.bind_processor(v) if self.bind_processor and v is not None else v for v in values
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultColumn:
    """An integer column of the result, to which a subquery of the selected columns refers."""

    position: int
    is_expanding: bool = True

    def values_in(self, parameters: ParameterValues) -> list[Any] | None:
        """Return the numbers in the rows, in ascending order; None if one value is no integer.

        A NULL equals nothing.
        """
        values = {row[self.position] for row in parameters.rows} - {None}
        return sorted(values) if all(type(value) is int for value in values) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterValues:
    """The values of one execution; `expanded` holds the parameter names of each IN list."""

    values: Mapping[str, Any]
    expanded: Mapping[str, Sequence[str]]
    rows: Sequence[Sequence[Any]] = ()
    """The rows of the result, for the parameters that are columns of it."""

    def cache_key(self, parameters: Iterable[Parameter | ResultColumn]) -> list[Any]:
        """Return the unconverted values of these parameters with their types: True is not 1."""
        values: list[Any] = []
        for parameter in parameters:
            if isinstance(parameter, ResultColumn):
                numbers = parameter.values_in(self)
                values += (len(numbers), *numbers) if numbers is not None else (_LIST_END,)
            elif not parameter.is_expanding:
                values.append(self.values.get(parameter.name, _LIST_END))
            elif parameter.name in self.expanded:
                values += (self.values[name] for name in self.expanded[parameter.name])
                values.append(_LIST_END)
        return [*values, *map(type, values)]


_LIST_END = object()

LastKeys = tuple[int | None, int | None]
"""The sort keys of an execution's last row: of the table itself, and of its semi-join."""

_NO_LAST_KEYS: LastKeys = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualityPlan:
    """A row matters only if its column equals one of the parameter's values."""

    column: str
    parameter: Parameter | ResultColumn
    kind: ValueKind = ValueKind.TEXT

    def encoded_values(self, parameters: ParameterValues) -> list[str] | None:
        """Return the encoded values; None if one of them has no encoding."""
        values = self.parameter.values_in(parameters)
        encoded_values: set[str] = set()
        for value in values or ():
            encoded = encode_parameter(value, self.kind)
            if encoded is not None:
                encoded_values.add(encoded)
            elif value is not None:
                return None
        return None if values is None else sorted(encoded_values)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalPlan:
    """The interval of the sort key in which a row must lie to matter."""

    column: str
    lower: Parameter | None
    upper: Parameter | None
    position: int | None
    limit: Parameter | None
    descending: bool
    has_time_zone: bool
    """Whether the column's instants have a time zone."""
    is_number: bool = False
    """Whether the column holds integers, not instants."""

    def interval(self, parameters: ParameterValues, last_key: int | None) -> Interval | None:
        """Return the interval of this execution: from the conditions and the last row."""
        low, high = (
            self._bound_value(self.lower, parameters),
            self._bound_value(self.upper, parameters),
        )
        if last_key is not None and self.descending:
            low = last_key if low is None else max(low, last_key)
        elif last_key is not None:
            high = last_key if high is None else min(high, last_key)
        if low is None and high is None:
            return None
        if low is not None and high is not None and low > high:
            high = low  # no row can match: use one key, which is coarser
        return Interval(column=self.column, low=low, high=high, is_number=self.is_number)

    def last_key(self, parameters: ParameterValues, rows: Sequence[Sequence[Any]]) -> int | None:
        """Return the sort key of the last row; None if there are fewer rows than the limit."""
        if self.position is None or self.limit is None or not rows:
            return None
        limit = parameters.values.get(self.limit.name)
        if not isinstance(limit, int) or len(rows) < limit:
            return None
        return self._sort_key(rows[-1][self.position])

    def _sort_key(self, value: Any) -> int | None:
        """Return the sort key of a value; None if a column of numbers holds something else."""
        return sort_key_value(value) if type(value) is int or not self.is_number else None

    def _bound_value(self, parameter: Parameter | None, parameters: ParameterValues) -> int | None:
        """Return a bound as a number; None if its value depends on the session's time zone."""
        values = (
            None if parameter is None or parameter.is_expanding else parameter.values_in(parameters)
        )
        value = values[0] if values else None
        if isinstance(value, datetime) and (value.tzinfo is not None) is not self.has_time_zone:
            return None
        return self._sort_key(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SemiJoinPlan:
    """A row matters only if another table has a joined row that these parameters select."""

    table: str
    joined_column: str
    own_column: str
    equalities: tuple[EqualityPlan, ...]
    interval: IntervalPlan | None = None

    def semi_joins(
        self, parameters: ParameterValues, last_key: int | None
    ) -> list[SemiJoin | None]:
        """Return a semi-join for each combination of values; only None if they have no encoding."""
        choices = [equal.encoded_values(parameters) for equal in self.equalities]
        if None in choices or math.prod(len(values or ()) for values in choices) > MAX_COMBINATIONS:
            return [None]
        names = [equal.column for equal in self.equalities]
        interval = self.interval.interval(parameters, last_key) if self.interval else None
        return [
            SemiJoin(
                table=self.table,
                joined_column=self.joined_column,
                own_column=self.own_column,
                equalities=tuple(zip(names, values, strict=True)),
                interval=interval,
            )
            for values in itertools.product(*(values or () for values in choices))
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TablePlan:
    """The part of a plan that concerns one table.

    If `referenced_columns` is None, the whole table is the dependency. `key_positions` are the
    positions of the primary key's columns in a result row.
    """

    table: str
    referenced_columns: frozenset[str] | None
    key_positions: tuple[tuple[str, int], ...] = ()
    selected_columns: frozenset[str] = frozenset()
    equalities: tuple[EqualityPlan, ...] = ()
    interval: IntervalPlan | None = None
    semi_join: SemiJoinPlan | None = None
    keyed_table: KeyedTable | None = field(init=False)
    whole_table: DependencyGroup = field(init=False)
    parameters: tuple[Parameter | ResultColumn, ...] = field(init=False)
    """The parameters on whose values the ranges depend."""
    has_interval: bool = field(init=False)
    """Whether the ranges also depend on the last row."""
    reads_result: bool = field(init=False)
    """Whether the ranges also depend on the values of a column of the result."""

    def __post_init__(self) -> None:
        """Compute the fields that are the same for each execution."""
        keyed = None
        if self.key_positions:
            keyed = KeyedTable(
                table=self.table, key_positions=self.key_positions, columns=self.selected_columns
            )
        used: list[Parameter | ResultColumn] = [
            equal.parameter
            for equal in (*self.equalities, *(self.semi_join.equalities if self.semi_join else ()))
        ]
        intervals = (self.interval, self.semi_join.interval if self.semi_join else None)
        used += [b for i in intervals if i for b in (i.lower, i.upper) if b]
        object.__setattr__(self, "keyed_table", keyed)
        object.__setattr__(self, "whole_table", DependencyGroup((Table(table=self.table),)))
        object.__setattr__(self, "parameters", tuple(dict.fromkeys(used)))
        object.__setattr__(self, "has_interval", any(intervals))
        reads_result = any(isinstance(one, ResultColumn) for one in used)
        object.__setattr__(self, "reads_result", reads_result)

    def add_to(
        self, record: RenderRecord, parameters: ParameterValues, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Add the dependencies of this execution to a record."""
        if self.referenced_columns is None:
            record.groups.add(self.whole_table)
            return
        if self.keyed_table is not None:
            record.add_rows(self.keyed_table, rows)
        if self.reads_result:
            parameters = replace(parameters, rows=rows)
        record.groups.add(self._cached_ranges(parameters, rows, self.referenced_columns))

    def _cached_ranges(
        self,
        parameters: ParameterValues,
        rows: Sequence[Sequence[Any]],
        referenced_columns: frozenset[str],
    ) -> DependencyGroup:
        """Return the ranges from the cache: pages are rendered repeatedly and share ranges."""
        last_keys = self._last_keys(parameters, rows) if self.has_interval else _NO_LAST_KEYS
        cache_key = (
            (self, last_keys, *parameters.cache_key(self.parameters))
            if self.parameters
            else (self, last_keys)
        )
        try:
            group = _group_cache.get(cache_key)
        except TypeError:  # a value that is not hashable
            return DependencyGroup(
                tuple(self._build_ranges(parameters, last_keys, referenced_columns))
            )
        if group is None:
            group = DependencyGroup(
                tuple(self._build_ranges(parameters, last_keys, referenced_columns))
            )
            if len(_group_cache) >= MAX_CACHED_GROUPS:
                _group_cache.clear()
            _group_cache[cache_key] = group
        return group

    def _last_keys(self, parameters: ParameterValues, rows: Sequence[Sequence[Any]]) -> LastKeys:
        joined_interval = self.semi_join.interval if self.semi_join else None
        return (
            self.interval.last_key(parameters, rows) if self.interval else None,
            joined_interval.last_key(parameters, rows) if joined_interval else None,
        )

    def _build_ranges(
        self, parameters: ParameterValues, last_keys: LastKeys, referenced_columns: frozenset[str]
    ) -> Iterator[Range]:
        last, last_joined = last_keys
        interval = self.interval.interval(parameters, last) if self.interval else None
        equalities = [
            (e.column, c)
            for e in self.equalities
            if (c := e.encoded_values(parameters)) is not None
        ]
        combinations = 1
        used_equalities: list[tuple[str, list[str]]] = []
        for column, values in equalities:
            if combinations * max(len(values), 1) <= MAX_COMBINATIONS:
                combinations *= max(len(values), 1)
                used_equalities.append((column, values))
        semi_joins = (
            self.semi_join.semi_joins(parameters, last_joined) if self.semi_join else [None]
        )
        for choice in itertools.product(*(values for _, values in used_equalities)):
            equal = tuple(zip((column for column, _ in used_equalities), choice, strict=True))
            for semi_join in semi_joins:
                yield Range(
                    table=self.table,
                    equalities=equal,
                    referenced_columns=referenced_columns,
                    interval=interval,
                    semi_join=semi_join,
                )


_group_cache: dict[tuple[Any, ...], DependencyGroup] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyPlan:
    """The plans of all tables that a statement reads."""

    tables: tuple[TablePlan, ...]
    clock: str = ""
    """The SQL function that returns the current time, or ""."""
    undeclared_columns: frozenset[tuple[str, str, str]] = frozenset()
    """The columns that would narrow the ranges (see `RenderRecord`)."""

    def add_to(
        self, record: RenderRecord, parameters: ParameterValues, rows: Sequence[Sequence[Any]]
    ) -> None:
        """Add the dependencies of an execution with these parameters and rows to a record."""
        if self.clock:
            what = f"the function {self.clock}() returns the current time"
            record.use_clock(ClockUse(what=what, grain=Grain.INSTANT))
        if record.is_dry_run:
            record.undeclared_columns |= self.undeclared_columns
        for source in self.tables:
            source.add_to(record, parameters, rows)
