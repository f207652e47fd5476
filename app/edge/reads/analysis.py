"""From a compiled SELECT to a plan of what it reads; made once per statement, run per execution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import SelectBase

from .clauses import (
    by_name,
    comparison,
    equality,
    folds,
    follows_key,
    is_key,
    linking,
    sort_key,
    starred,
)
from .columns import Columns
from .encoding import comparable, read_as_kept
from .plan import Bound, Equal, Interval, Link, Plan, Source
from .readable import Unreadable, check_columns, check_parts, clock_function
from .rendered import Rendered, Written, rendered
from .schema import Schema
from .scope import Element, elements

__all__ = ["Plan", "Unreadable", "analyse"]

_LOWER = (operators.gt, operators.ge)
_UPPER = (operators.lt, operators.le)
_EXTENSIONS = (
    "_post_body_clause",
    "_post_criteria_clause",
    "_post_select_clause",
    "_pre_columns_clause",
)
"""What a dialect may add to a SELECT: DISTINCT ON, for one."""


def analyse(compiled: SQLCompiler, schema: Schema, *, clock: bool = False) -> Plan:
    """The plan of a compiled SELECT. Raises Unreadable, with the reason.

    With `clock` a SQL function that gives the present moment is no reason: the plan names it.
    """
    state = compiled.compile_state
    statement: Any = getattr(state, "statement", None) if state is not None else None
    statement = compiled.statement if statement is None else statement
    if isinstance(statement, sa.TextClause):
        raise Unreadable(f"the tables in raw SQL are not known: {statement.text[:80]!r}")
    if not isinstance(statement, SelectBase):
        raise Unreadable(f"a {type(statement).__name__} is not a SELECT that can be understood")
    written = rendered(compiled, statement)
    for part in (statement, *(one.select for one in written.selects)):
        check_parts(part, schema, compiled.dialect)
    for one in written.selects:
        check_columns(one.select, schema, compiled.dialect)
    parts = (statement, *(one.select for one in written.selects))
    asked = next(filter(None, map(clock_function, parts)), "")
    if asked and not clock:
        raise Unreadable(f"the function {asked}() gives the present moment")
    sources: list[Source] = []
    for one in written.selects:
        sources += _Reader(written=written, schema=schema, one=one).sources()
    return Plan(sources=tuple(sources), clock=asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads one SELECT of a statement."""

    written: Rendered
    schema: Schema
    one: Written

    @property
    def select(self) -> Any:
        """The SELECT itself."""
        return self.one.select

    @property
    def columns(self) -> Columns:
        """What it does with columns."""
        return Columns(written=self.written, one=self.one)

    def sources(self) -> Iterator[Source]:
        """What each table of this SELECT contributes."""
        found = elements(self.select)
        if found is None or (starred(self.select) and not self.one.existing):
            yield from self._coarse()
            return
        for element in found:
            if element.table.name in self.schema.derived:
                yield from self._bases(element.table.name)
            else:
                yield self._source(element, found)

    def _coarse(self) -> Iterator[Source]:
        """Whole tables, where the FROM clause holds more than tables and their aliases."""
        for source in self.select.get_final_froms():
            for part in visitors.iterate(source):
                if isinstance(part, sa.TableClause):
                    yield from self._bases(part.name)

    def _bases(self, name: str) -> Iterator[Source]:
        for base in self.schema.derived.get(name, (name,)):
            yield Source(table=base, mentioned=None)

    def _source(self, element: Element, others: list[Element]) -> Source:
        positions, selected = self.columns.returned(element)
        self._check_silent(element, selected)
        key = tuple(column.name for column in element.table.primary_key)
        kept = all(map(read_as_kept, element.table.primary_key))
        keyed = bool(key) and kept and all(name in positions for name in key)
        plain_rows = self._plain_rows() and not by_name(self.select)
        mentioned = self.columns.mentioned(element, but_selected=keyed and plain_rows)
        parent = keyed and not mentioned.difference(key)
        link = self._child(element, others, key) if parent else None
        link = link or self._link(element, others, key)
        return Source(
            table=element.table.name,
            mentioned=frozenset(mentioned),
            key=tuple((name, positions[name]) for name in key) if keyed else (),
            selected=frozenset(selected),
            equal=tuple(self._equalities(element)),
            interval=self._interval(element, positions),
            link=link,
        )

    def _link(self, element: Element, others: list[Element], key: tuple[str, ...]) -> Link | None:
        """The other row through which alone a row of `element` can get here, if there is one.

        A link that refers to it comes before a row to which it refers as a link.
        """
        if element.nullable:
            return None
        usable = [
            other
            for other in others
            if not (other is element or other.nullable or other.table.name in self.schema.derived)
        ]
        links = (self._through_link(element, other, key) for other in usable)
        owners = (self._through_owner(element, other) for other in usable)
        return next((link for link in (*links, *owners) if link is not None), None)

    def _through_link(self, element: Element, other: Element, key: tuple[str, ...]) -> Link | None:
        """`other` as the link that a row of `element` must have, a post its topic."""
        column = linking(element, other, key[0]) if len(key) == 1 else None
        equal = tuple(self._equalities(other))
        if not (column and equal and is_key(other, column)):
            return None
        if not (comparable(element.table.c[key[0]]) and comparable(other.table.c[column])):
            return None
        return Link(table=other.table.name, column=column, key=key[0], equal=equal)

    def _through_owner(self, element: Element, other: Element) -> Link | None:
        """`other` as the row that a link in `element` must lead to, a topic's link to its post."""
        key = tuple(column.name for column in other.table.primary_key)
        column = linking(other, element, key[0]) if len(key) == 1 else None
        if not (column and self._images(element, column) and self._images(other, key[0])):
            return None
        positions, _ = self.columns.returned(other)
        equal, interval = tuple(self._equalities(other)), self._interval(other, positions)
        if not equal and interval is None:
            return None
        return Link(
            table=other.table.name, column=key[0], key=column, equal=equal, interval=interval
        )

    def _child(self, element: Element, others: list[Element], key: tuple[str, ...]) -> Link | None:
        """The table through whose foreign key alone a row of `element` can get here.

        Where the key was kept there is no such row yet when its parent comes; but the key is
        kept by whoever writes, and a shell may not have. As that is rare, a list of values is
        one dependency and not one for each.
        """
        if len(key) != 1 or not comparable(element.table.c[key[0]]):
            return None
        for other in others:
            if other is element or other.table.name in self.schema.derived:
                continue
            for condition in element.filters:
                column = follows_key(condition, element, other, key[0])
                if column is not None and self._images(other, column):
                    equal = tuple(e for e in self._equalities(other) if not e.bound.many)
                    return Link(table=other.table.name, column=column, key=key[0], equal=equal)
        return None

    def _check_silent(self, element: Element, selected: set[str]) -> None:
        """Refuse to read a column whose changes nobody hears of."""
        silent = self.schema.watched[element.table.name].silent
        read = selected | self.columns.mentioned(element, but_selected=False) if silent else set()
        for name in sorted(read.intersection(silent)):
            said = f"the column {name} of {element.table.name} was declared silent"
            raise Unreadable(f"{said}, so its changes are not heard")

    def _plain_rows(self) -> bool:
        """Tell whether each row of the result is one of the tables' own, and none is left out."""
        select = self.select
        folded = select._distinct or select._group_by_clauses or select._having_criteria  # noqa: SLF001 - SQLAlchemy has no public name for them
        return not folded and all(getattr(select, name) is None for name in _EXTENSIONS)

    def _images(self, element: Element, name: str) -> bool:
        """Tell whether a change's images hold a column, so that it can be compared there."""
        declared = self.schema.watched[element.table.name].columns
        column = element.table.c[name]
        return (name in declared or column.primary_key) and comparable(column)

    def _equalities(self, element: Element) -> Iterator[Equal]:
        for condition in element.filters:
            column, bind = equality(condition)
            if column is None or bind is None or not element.owns(column):
                continue
            if self._images(element, column.name):
                kind = element.table.c[column.name].type
                number = isinstance(kind, sa.Integer | sa.Boolean)
                yield Equal(column=column.name, bound=self._bound(bind), number=number)

    def _bound(self, bind: BindParameter[Any]) -> Bound:
        dialect = self.written.compiled.dialect
        processor = bind.type.dialect_impl(dialect).bind_processor(dialect)
        return Bound(name=self._name(bind), many=bind.expanding, process=processor)

    def _name(self, bind: BindParameter[Any]) -> str:
        """What the compiler calls a parameter."""
        return self.written.compiled.bind_names.get(bind, bind.key)

    def _interval(self, element: Element, positions: dict[str, int]) -> Interval | None:
        """The part of a sort key's range that a result can come from."""
        instants = self.schema.watched[element.table.name].instants
        if not self.one.outermost:
            return None
        order = self.select._order_by_clauses  # noqa: SLF001 - as above
        cut = order and self._plain_rows() and not self._folds() and not element.nullable
        first = sort_key(order[0]) if cut else (None, False)
        for name in instants:
            limits = self._inequalities(element, name)
            column, descending = first
            sorted_by = column is not None and element.owns(column) and column.name == name
            kept = sorted_by and read_as_kept(element.table.c[name])
            position = positions.get(name) if kept else None
            limit = self._limit() if position is not None else None
            if limit or any(limits):
                return Interval(
                    column=name,
                    lower=limits[0],
                    upper=limits[1],
                    position=position if limit else None,
                    limit=limit,
                    descending=descending,
                    zoned=bool(getattr(element.table.c[name].type, "timezone", False)),
                )
        return None

    def _folds(self) -> bool:
        """Tell whether a value may come from rows beyond the last one shown: a count, a window."""
        return any(folds(column) for column in self.select._raw_columns)  # noqa: SLF001 - as above

    def _limit(self) -> Bound | None:
        clause = self.select._limit_clause  # noqa: SLF001 - as above
        if not isinstance(clause, BindParameter):
            return None
        return Bound(name=self._name(clause), many=False, process=None)

    def _inequalities(self, element: Element, name: str) -> tuple[Bound | None, Bound | None]:
        lower = upper = None
        for condition in element.filters:
            column, bind, operator = comparison(condition)
            if column is None or bind is None or not element.owns(column) or column.name != name:
                continue
            if operator in _LOWER:
                lower = self._bound(bind)
            elif operator in _UPPER:
                upper = self._bound(bind)
        return lower, upper
