"""The tables in the FROM clause of a SELECT, with the conditions that filter each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BooleanClauseList, ColumnElement
from sqlalchemy.sql.selectable import (
    CTE,
    Alias,
    FromClause,
    FromGrouping,
    Join,
    SelectBase,
    Subquery,
)

from .sqlalchemy_private import is_textual_label

Condition = ColumnElement[Any]


@dataclass(slots=True)
class FromTable:
    """A table or a table alias in a FROM clause."""

    source: FromClause
    table: sa.Table
    nullable: bool
    filters: list[Condition] = field(default_factory=list)
    """The conditions that a row must satisfy to matter."""
    left_joins: list[tuple[FromTable, Condition]] = field(default_factory=list)
    """Tables that are LEFT JOINed to this one on a single condition; they filter no rows."""

    def owns(self, column: object) -> bool:
        """Return whether `column` is a column of this table."""
        if not isinstance(column, sa.ColumnClause) or column.table is None:
            return False
        # The ORM annotates copies of a table, which have the same hash as the table.
        return hash(column.table) == hash(self.source)

    def column_named_by(self, part: Any) -> str:
        """Return the column of this table that part of a statement may mean, or "".

        A bare name may be a column of any table.
        """
        if is_textual_label(part):
            label = part.element
            return next((c.name for c in self.table.c if label in self._names(c)), "")
        if isinstance(part, sa.ColumnClause) and (part.table is None or self.owns(part)):
            return str(part.name)
        return ""

    def _names(self, column: sa.Column[object]) -> set[str]:
        owners = {self.table.name, getattr(self.source, "name", "")}
        return {column.key, column.name, *(f"{owner}_{column.name}" for owner in owners)}


def conjuncts(condition: Condition | None) -> Iterator[Condition]:
    """Yield the parts of a condition that are joined with AND."""
    if condition is None:
        return
    if isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for part in condition.clauses:
            yield from conjuncts(part)
    else:
        yield condition


def from_tables(select: sa.Select[Any], froms: Sequence[Any]) -> list[FromTable] | None:
    """Return the tables of a SELECT with their filters; None if it reads from anything else.

    `froms` is its FROM clause. A table that a subquery correlates is not in it: the SELECT around
    the subquery depends on that table, with all columns that the whole statement references.
    """
    tables: list[FromTable] = []
    for source in froms:
        part = _tables_of(source)
        if part is None:
            return None
        tables += part
    where = list(conjuncts(select.whereclause))
    for element in tables:
        if not element.nullable:
            element.filters += where
    return tables


def _tables_of(source: FromClause) -> list[FromTable] | None:
    if isinstance(source, FromGrouping):  # a join in parentheses, as a LEFT JOIN of two tables
        return _tables_of(source.element)
    if isinstance(source, Join):
        return _tables_of_join(source)
    if isinstance(source, Subquery | CTE) and isinstance(source.element, SelectBase):
        return []  # its own SELECT is analysed separately; it is the same if that result is
    table = source.element if isinstance(source, Alias) else source
    if not isinstance(table, sa.Table):
        return None
    return [FromTable(source=source, table=table, nullable=False)]


def _tables_of_join(join: Join) -> list[FromTable] | None:
    left_tables, right_tables = _tables_of(join.left), _tables_of(join.right)
    if left_tables is None or right_tables is None:
        return None
    on = list(conjuncts(join.onclause))
    optional = left_tables + right_tables if join.full else right_tables if join.isouter else []
    filtered = [] if join.full else right_tables if join.isouter else left_tables + right_tables
    for element in filtered:
        if not element.nullable:
            element.filters += on
    for element in optional:
        element.nullable = True
    if join.isouter and not join.full and len(right_tables) == len(on) == 1:
        for element in left_tables:
            element.left_joins.append((right_tables[0], on[0]))
    return left_tables + right_tables
