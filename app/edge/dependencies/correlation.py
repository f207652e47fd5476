"""Equalities between a subquery's table and a row of the statement that contains the subquery.

The subquery of `SELECT id, (SELECT count(*) FROM comment WHERE post_id = post.id) FROM post` is
evaluated once for each row of the result. Only comments whose `post_id` is the `id` of one of these
rows affect its values, and a row that enters the result is a change of `post`, which has
dependencies of its own. So `post_id` can only have the values that the result contains as `id`.

This holds if the outermost SELECT returns rows of its tables (no DISTINCT, GROUP BY, aggregate or
window) and has subqueries only among its selected columns: then no comment decides which rows it
returns. The name `post` in the subquery must also mean that table: no other SELECT of the
statement reads it under the same name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.sql.selectable import SelectBase

from . import sqlalchemy_private as private
from .clauses import (
    contains_function_or_window,
    has_plain_result,
    sorts_by_label,
    underlying_column,
)
from .compiled_selects import CompiledSelect, CompiledStatement
from .from_clause import Condition, FromTable, from_tables
from .plan import ResultColumn
from .select_columns import SelectColumns


def integer_equalities(condition: Condition, element: FromTable) -> Iterator[tuple[str, Any]]:
    """Yield the column of `element` and the other column of an equality of two integer columns."""
    if not isinstance(condition, BinaryExpression) or condition.operator is not operators.eq:
        return
    sides = (condition.left, condition.right), (condition.right, condition.left)
    for own, other in sides:
        own_column, other_column = underlying_column(own), underlying_column(other)
        if own_column is None or other_column is None or not element.owns(own_column):
            continue
        if element.owns(other_column) or not isinstance(other_column.type, sa.Integer):
            continue
        if isinstance(element.table.c[own_column.name].type, sa.Integer):
            yield own_column.name, other_column


@dataclass(frozen=True, slots=True, kw_only=True)
class OuterSelect:
    """The outermost SELECT of a statement, whose subqueries are all among its columns."""

    statement: CompiledStatement
    compiled_select: CompiledSelect
    tables: tuple[FromTable, ...]

    @classmethod
    def find(cls, statement: CompiledStatement) -> OuterSelect | None:
        """Return the outermost SELECT; None if a subquery may decide which rows it returns."""
        outermost = [one for one in statement.selects if one.is_outermost]
        if len(outermost) != 1 or not _returns_rows(outermost[0].select):
            return None
        tables = from_tables(outermost[0].select, outermost[0].froms)
        if tables is None:
            return None
        return cls(statement=statement, compiled_select=outermost[0], tables=tuple(tables))

    def parameter_of(self, column: Any) -> ResultColumn | None:
        """Return the position of a column in the result; None if it may be of another SELECT."""
        owners = [table for table in self.tables if table.owns(column)]
        if len(owners) != 1 or self._is_read_elsewhere(column):
            return None
        stored = owners[0].table.c[column.name]
        columns = SelectColumns(statement=self.statement, compiled_select=self.compiled_select)
        position = columns.result_positions(owners[0])[0].get(column.name)
        if position is None or not isinstance(stored.type, sa.Integer):
            return None
        return ResultColumn(position=position) if has_plain_result(stored) else None

    def _is_read_elsewhere(self, column: Any) -> bool:
        """Return whether another SELECT reads from the table or alias of this column."""
        sources = (
            part
            for one in self.statement.selects
            if one is not self.compiled_select
            for source in one.froms
            for part in visitors.iterate(source)
        )
        return any(hash(part) == hash(column.table) for part in sources)


def _returns_rows(select: Any) -> bool:
    """Return whether each result row is a row of its tables that no subquery has chosen."""
    columns = private.raw_columns(select)
    if any(map(contains_function_or_window, columns)) or sorts_by_label(select):
        return False
    if (
        private.has_distinct(select)
        or private.group_by_clauses(select)
        or private.having_criteria(select)
        or private.has_dialect_clause(select)
    ):
        return False
    clauses = (
        *select.get_final_froms(),
        *private.where_criteria(select),
        *private.order_by_clauses(select),
    )
    return not any(
        isinstance(part, SelectBase) for clause in clauses for part in visitors.iterate(clause)
    )
