"""Analyse a compiled SELECT once; its plan gives the dependencies of each execution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import SelectBase

from ..changes.column_comparison import is_byte_comparable, value_kind
from ..changes.encoding import ValueKind
from . import sqlalchemy_private as private
from .clauses import (
    contains_function_or_window,
    find_foreign_key,
    foreign_key_in,
    has_plain_result,
    is_primary_key_column,
    parse_comparison,
    parse_equality,
    parse_sort_key,
    selects_star,
    sorts_by_label,
)
from .compiled_selects import CompiledSelect, CompiledStatement, collect_selects
from .correlation import OuterSelect, integer_equalities
from .from_clause import FromTable, from_tables
from .plan import DependencyPlan, EqualityPlan, IntervalPlan, Parameter, SemiJoinPlan, TablePlan
from .public_schema import PublicSchema
from .query_check import UnshareableQueryError, check_columns, check_shareable, clock_function
from .select_columns import SelectColumns

__all__ = ["DependencyPlan", "UnshareableQueryError", "analyse_select"]

_LOWER = (operators.gt, operators.ge)
_UPPER = (operators.lt, operators.le)


def analyse_select(
    compiled: SQLCompiler, schema: PublicSchema, *, clock: bool = False
) -> DependencyPlan:
    """Return the dependency plan of a compiled SELECT.

    With `clock`, a SQL function that returns the current time is allowed, and the plan names it.

    Raises:
        UnshareableQueryError: the tables can't be determined or are not public.
    """
    state = compiled.compile_state
    statement: Any = getattr(state, "statement", None) if state is not None else None
    statement = compiled.statement if statement is None else statement
    if isinstance(statement, sa.TextClause):
        raise UnshareableQueryError(f"the tables in raw SQL are not known: {statement.text[:80]!r}")
    if not isinstance(statement, SelectBase):
        raise UnshareableQueryError(
            f"a {type(statement).__name__} is not a SELECT that can be analysed"
        )
    compiled_statement = collect_selects(compiled, statement)
    for part in (
        statement,
        *(compiled_select.select for compiled_select in compiled_statement.selects),
    ):
        check_shareable(part, schema, compiled.dialect)
    for compiled_select in compiled_statement.selects:
        check_columns(compiled_select.select, schema, compiled.dialect)
    parts = (statement, *(compiled_select.select for compiled_select in compiled_statement.selects))
    clock_name = next(filter(None, map(clock_function, parts)), "")
    if clock_name and not clock:
        raise UnshareableQueryError(f"the function {clock_name}() returns the current time")
    analysers = [
        _SelectAnalyser(statement=compiled_statement, schema=schema, compiled_select=one)
        for one in compiled_statement.selects
    ]
    return DependencyPlan(
        tables=tuple(plan for one in analysers for plan in one.table_plans()),
        clock=clock_name,
        undeclared_columns=frozenset(use for one in analysers for use in one.undeclared_columns()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SelectAnalyser:
    """Analyses one SELECT of a statement."""

    statement: CompiledStatement
    schema: PublicSchema
    compiled_select: CompiledSelect

    @property
    def select(self) -> Any:
        """The SELECT as SQLAlchemy compiled it."""
        return self.compiled_select.select

    @property
    def columns(self) -> SelectColumns:
        """The columns that the SELECT returns and references."""
        return SelectColumns(statement=self.statement, compiled_select=self.compiled_select)

    def table_plans(self) -> Iterator[TablePlan]:
        """Return the plan of each table of this SELECT."""
        tables = from_tables(self.select, self.compiled_select.froms)
        if tables is None or (selects_star(self.select) and not self.compiled_select.is_exists):
            yield from self._whole_tables()
            return
        for element in tables:
            if element.table.name in self.schema.derived_tables:
                yield from self._base_tables(element.table.name)
            else:
                yield self._table_plan(element, tables)

    def _whole_tables(self) -> Iterator[TablePlan]:
        """Return whole tables, if the FROM clause contains more than tables and their aliases."""
        for source in self.compiled_select.froms:
            for part in visitors.iterate(source):
                if isinstance(part, sa.TableClause):
                    yield from self._base_tables(part.name)

    def _base_tables(self, name: str) -> Iterator[TablePlan]:
        for base in self.schema.derived_tables.get(name, (name,)):
            yield TablePlan(table=base, referenced_columns=None)

    def _table_plan(self, element: FromTable, others: list[FromTable]) -> TablePlan:
        positions, selected = self.columns.result_positions(element)
        self._reject_ignored_columns(element, selected)
        key = tuple(column.name for column in element.table.primary_key)
        has_plain_key = all(map(has_plain_result, element.table.primary_key))
        returns_key = bool(key) and has_plain_key and all(name in positions for name in key)
        plain_rows = self._returns_table_rows() and not sorts_by_label(self.select)
        referenced_columns = self.columns.referenced_columns(
            element, exclude_selected=returns_key and plain_rows
        )
        parent = returns_key and not referenced_columns.difference(key)
        semi_join = self._join_from_foreign_key(element, others, key) if parent else None
        semi_join = semi_join or self._semi_join(element, others, key)
        return TablePlan(
            table=element.table.name,
            referenced_columns=frozenset(referenced_columns),
            key_positions=tuple((name, positions[name]) for name in key) if returns_key else (),
            selected_columns=frozenset(selected),
            equalities=tuple(self._equality_plans(element)),
            interval=self._interval_plan(element, positions, numbers=True),
            semi_join=semi_join,
        )

    def _semi_join(
        self, element: FromTable, others: list[FromTable], key: tuple[str, ...]
    ) -> SemiJoinPlan | None:
        """Return the join that each result row of `element` must satisfy, if there is one.

        A join from an association row is preferred to a join from the row that it refers to.
        A row on the optional side of a LEFT JOIN matters only with a row of the other side for
        which the ON clause holds, so a join from the row that it refers to is usable as well.
        """
        usable = [
            other
            for other in others
            if not (
                other is element or other.nullable or other.table.name in self.schema.derived_tables
            )
        ]
        linked = () if element.nullable else usable
        links = (self._join_from_association(element, other, key) for other in linked)
        owners = (self._join_from_target(element, other) for other in usable)
        return next((link for link in (*links, *owners) if link is not None), None)

    def _join_from_association(
        self, element: FromTable, other: FromTable, key: tuple[str, ...]
    ) -> SemiJoinPlan | None:
        """Return the semi-join of `element` with its association table `other`."""
        column = find_foreign_key(element, other, key[0]) if len(key) == 1 else None
        equal = tuple(self._equality_plans(other))
        if not (column and equal and is_primary_key_column(other, column)):
            return None
        if not (
            is_byte_comparable(element.table.c[key[0]])
            and is_byte_comparable(other.table.c[column])
        ):
            return None
        return SemiJoinPlan(
            table=other.table.name, joined_column=column, own_column=key[0], equalities=equal
        )

    def _join_from_target(self, element: FromTable, other: FromTable) -> SemiJoinPlan | None:
        """Return the semi-join of the association table `element` with its target `other`."""
        key = tuple(column.name for column in other.table.primary_key)
        column = find_foreign_key(other, element, key[0]) if len(key) == 1 else None
        if not (
            column and self._is_in_images(element, column) and self._is_in_images(other, key[0])
        ):
            return None
        positions, _ = self.columns.result_positions(other)
        equal, interval = tuple(self._equality_plans(other)), self._interval_plan(other, positions)
        if not equal and interval is None:
            return None
        return SemiJoinPlan(
            table=other.table.name,
            joined_column=key[0],
            own_column=column,
            equalities=equal,
            interval=interval,
        )

    def _join_from_foreign_key(
        self, element: FromTable, others: list[FromTable], key: tuple[str, ...]
    ) -> SemiJoinPlan | None:
        """Return the semi-join with a table whose foreign key refers to `element`, or None.

        With foreign keys enforced, no child row can exist before its parent. A SQLite shell may
        not enforce them, so the semi-join is recorded anyway. Because that is rare, an IN list
        becomes one dependency.
        """
        if len(key) != 1 or not is_byte_comparable(element.table.c[key[0]]):
            return None
        for other in others:
            if other is element or other.table.name in self.schema.derived_tables:
                continue
            for condition in element.filters:
                column = foreign_key_in(condition, element, other, key[0])
                if column is not None and self._is_in_images(other, column):
                    equal = tuple(
                        e for e in self._equality_plans(other) if not e.parameter.is_expanding
                    )
                    return SemiJoinPlan(
                        table=other.table.name,
                        joined_column=column,
                        own_column=key[0],
                        equalities=equal,
                    )
        return None

    def _reject_ignored_columns(self, element: FromTable, selected: set[str]) -> None:
        """Raise an error if the SELECT reads a column whose changes are not logged."""
        ignored_columns = self.schema.tables[element.table.name].ignored_columns
        read_columns = (
            selected | self.columns.referenced_columns(element, exclude_selected=False)
            if ignored_columns
            else set()
        )
        for name in sorted(read_columns.intersection(ignored_columns)):
            message = f"the column {name} of {element.table.name} is in `ignored_columns`"
            raise UnshareableQueryError(f"{message}, so its changes are not logged")

    def _returns_table_rows(self) -> bool:
        """Return whether each result row is a row of the tables (no GROUP BY, no DISTINCT)."""
        select = self.select
        return not (
            private.has_distinct(select)
            or private.group_by_clauses(select)
            or private.having_criteria(select)
            or private.has_dialect_clause(select)
        )

    def _is_in_images(self, element: FromTable, name: str) -> bool:
        """Return whether row images contain a column whose values can be compared."""
        declared = self.schema.tables[element.table.name].compared_columns
        column = element.table.c[name]
        return (name in declared or column.primary_key) and is_byte_comparable(column)

    def _equality_plans(self, element: FromTable) -> Iterator[EqualityPlan]:
        for condition in element.filters:
            column, bind = parse_equality(condition)
            if column is None or bind is None or not element.owns(column):
                continue
            if self._is_in_images(element, column.name):
                kind = value_kind(element.table.c[column.name], self.statement.compiled.dialect)
                yield EqualityPlan(column=column.name, parameter=self._parameter(bind), kind=kind)
        if not self.compiled_select.is_outermost:
            yield from self._correlated_equality_plans(element)

    def undeclared_columns(self) -> Iterator[tuple[str, str, str]]:
        """Yield the columns of equalities, and of the first sort key before a limit, to declare."""
        for element in from_tables(self.select, self.compiled_select.froms) or ():
            declared = self.schema.tables.get(element.table.name)
            if declared is None:
                continue
            for condition in element.filters:
                column, bind = parse_equality(condition)
                if column is not None and bind is not None and element.owns(column):
                    own = element.table.c[column.name]
                    if is_byte_comparable(own) and not self._is_in_images(element, own.name):
                        yield element.table.name, own.name, "compared_columns"
            for name, declaration in self._undeclared_sort_key(element):
                if name not in declared.instant_columns:
                    yield element.table.name, name, declaration

    def _undeclared_sort_key(self, element: FromTable) -> Iterator[tuple[str, str]]:
        images = set(self._number_columns(element))
        for column in element.table.columns if self._limit() is not None else ():
            if not self._is_sorted_by(element, column.name)[0]:
                continue
            if isinstance(column.type, sa.DateTime):
                yield column.name, "instant_columns"
            elif isinstance(column.type, sa.Integer) and column.name not in images:
                yield column.name, "compared_columns"

    def _correlated_equality_plans(self, element: FromTable) -> Iterator[EqualityPlan]:
        """Yield the equalities of a subquery's table with integers of the statement's rows."""
        outer = OuterSelect.find(self.statement)
        if outer is None:
            return
        for condition in element.filters:
            for name, column in integer_equalities(condition, element):
                parameter = outer.parameter_of(column)
                if parameter is not None and self._is_in_images(element, name):
                    yield EqualityPlan(column=name, parameter=parameter, kind=ValueKind.NUMBER)

    def _parameter(self, bind: BindParameter[Any]) -> Parameter:
        dialect = self.statement.compiled.dialect
        processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
        return Parameter(
            name=self._parameter_name(bind), is_expanding=bind.expanding, bind_processor=processor
        )

    def _parameter_name(self, bind: BindParameter[Any]) -> str:
        """Return the compiler's name of a parameter."""
        return self.statement.compiled.bind_names.get(bind, bind.key)

    def _interval_plan(
        self, element: FromTable, positions: dict[str, int], *, numbers: bool = False
    ) -> IntervalPlan | None:
        """Return the interval of a sort key in which result rows can lie.

        The key is an instant or, with `numbers`, also an integer whose value row images contain.
        An integer is compared like an instant: a row image or a result whose value is not an
        integer (SQLite stores any value in any column) bounds nothing and lies in every interval.
        """
        if not self.compiled_select.is_outermost:
            return None
        names = self.schema.tables[element.table.name].instant_columns
        names += tuple(self._number_columns(element)) if numbers else ()
        plans = [self._interval_of(element, name, positions.get(name)) for name in names]
        present = [plan for plan in plans if plan is not None]
        return next((plan for plan in present if plan.limit), next(iter(present), None))

    def _number_columns(self, element: FromTable) -> Iterator[str]:
        """Yield the columns of integers whose values are part of each row image."""
        for column in element.table.columns:
            if isinstance(column.type, sa.Integer) and self._is_in_images(element, column.name):
                yield column.name

    def _interval_of(
        self, element: FromTable, name: str, position: int | None
    ) -> IntervalPlan | None:
        lower, upper = self._interval_bounds(element, name)
        is_sorted, descending = self._is_sorted_by(element, name)
        limit = self._limit() if is_sorted and position is not None else None
        if not (limit or lower or upper):
            return None
        kind = element.table.c[name].type
        return IntervalPlan(
            column=name,
            lower=lower,
            upper=upper,
            position=position if limit else None,
            limit=limit,
            descending=descending,
            has_time_zone=bool(getattr(kind, "timezone", False)),
            is_number=isinstance(kind, sa.Integer),
        )

    def _is_sorted_by(self, element: FromTable, name: str) -> tuple[bool, bool]:
        """Return whether rows of the table are sorted by this column first, and descending."""
        order = private.order_by_clauses(self.select)
        is_list = (
            order and self._returns_table_rows() and not self._aggregates() and not element.nullable
        )
        column, descending = parse_sort_key(order[0]) if is_list else (None, False)
        is_sorted = column is not None and element.owns(column) and column.name == name
        return is_sorted and has_plain_result(element.table.c[name]), descending

    def _aggregates(self) -> bool:
        """Return whether a value may come from rows after the last one (a count, a window)."""
        return any(map(contains_function_or_window, private.raw_columns(self.select)))

    def _limit(self) -> Parameter | None:
        clause = private.limit_clause(self.select)
        if not isinstance(clause, BindParameter):
            return None
        return Parameter(name=self._parameter_name(clause), is_expanding=False, bind_processor=None)

    def _interval_bounds(
        self, element: FromTable, name: str
    ) -> tuple[Parameter | None, Parameter | None]:
        lower = upper = None
        for condition in element.filters:
            column, bind, operator = parse_comparison(condition)
            if column is None or bind is None or not element.owns(column) or column.name != name:
                continue
            if operator in _LOWER:
                lower = self._parameter(bind)
            elif operator in _UPPER:
                upper = self._parameter(bind)
        return lower, upper
