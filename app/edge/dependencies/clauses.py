"""Parse single clauses of a SELECT: conditions, selected columns and sort keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, UnaryExpression
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import SelectBase

from . import sqlalchemy_private as private
from .from_clause import Condition, FromTable

_SWAPPED_OPERATORS = {
    operators.lt: operators.gt,
    operators.le: operators.ge,
    operators.gt: operators.lt,
    operators.ge: operators.le,
}


def has_plain_bind(bind: BindParameter[Any]) -> bool:
    """Return whether the database compares the parameter itself, not a SQL expression of it."""
    return not private.has_bind_expression(bind.type)


def has_plain_result(column: sa.Column[Any]) -> bool:
    """Return whether a result holds the stored value, not a SQL expression of it."""
    return not private.has_column_expression(column.type)


def underlying_column(part: Any) -> Any:
    """Return the column under a label; None if the element is not a column."""
    while isinstance(part, sa.Label) or private.is_compile_label(part):
        part = part.element
    return part if isinstance(part, sa.ColumnClause) and part.table is not None else None


def parse_comparison(condition: Condition) -> tuple[Any, BindParameter[Any] | None, Any]:
    """Return column, parameter and operator of `column OP :parameter` or `:parameter OP column`."""
    if not isinstance(condition, BinaryExpression):
        return None, None, None
    left_operand, right_operand, operator = condition.left, condition.right, condition.operator
    if isinstance(left_operand, BindParameter) and underlying_column(right_operand) is not None:
        left_operand, right_operand, operator = (
            right_operand,
            left_operand,
            _SWAPPED_OPERATORS.get(operator, operator),
        )
    if underlying_column(left_operand) is None or not isinstance(right_operand, BindParameter):
        return None, None, None
    return (
        (underlying_column(left_operand), right_operand, operator)
        if has_plain_bind(right_operand)
        else (None, None, None)
    )


def parse_equality(condition: Condition) -> tuple[Any, BindParameter[Any] | None]:
    """Return column and parameter of `column = :parameter` or `column IN :parameter`."""
    column, bind, operator = parse_comparison(condition)
    return (column, bind) if operator in {operators.eq, operators.in_op} else (None, None)


def parse_sort_key(clause: Any) -> tuple[Any, bool]:
    """Return the column of a sort key, and whether the order is descending."""
    if isinstance(clause, UnaryExpression) and clause.modifier is operators.desc_op:
        return underlying_column(clause.element), True
    if isinstance(clause, UnaryExpression) and clause.modifier is operators.asc_op:
        return underlying_column(clause.element), False
    return underlying_column(clause), False


def selects_star(select: Any) -> bool:
    """Return whether the SELECT contains `*`."""
    return any(getattr(column, "name", "") == "*" for column in private.raw_columns(select))


def parts_besides_columns(select: Any) -> Iterator[Any]:
    """Yield the parts of a SELECT of plain rows without the plain columns that it selects."""
    raw = private.raw_columns(select)
    yield from (c for c in raw if underlying_column(c) is None and not isinstance(c, sa.FromClause))
    yield from select.get_final_froms()
    yield from private.where_criteria(select)
    yield from private.order_by_clauses(select)


def sorts_by_label(select: Any) -> bool:
    """Return whether it sorts by a text label, which may name any selected column."""
    clauses = private.order_by_clauses(select)
    parts = (part for clause in clauses for part in visitors.iterate(clause))
    return any(map(private.is_textual_label, parts))


def contains_function_or_window(part: Any) -> bool:
    """Return whether a column contains a function or a window outside of subqueries."""
    if isinstance(part, FunctionElement | sa.Over):
        return True
    if isinstance(part, SelectBase | sa.FromClause):
        return False
    return any(contains_function_or_window(child) for child in part.get_children())


def find_foreign_key(element: FromTable, other: FromTable, key: str) -> str | None:
    """Return the column of `other` that an inner join or WHERE equates with `element`'s key.

    If `other` is optional, the ON clause of its LEFT JOIN counts, which filters only `other`.
    """
    common_conditions = (
        condition for condition in other.filters if other.nullable or condition in element.filters
    )
    return next(
        filter(None, (foreign_key_in(c, element, other, key) for c in common_conditions)), None
    )


def foreign_key_in(
    condition: Condition, element: FromTable, other: FromTable, key: str
) -> str | None:
    """Return the foreign key column of `other` that the condition equates with `element`'s key."""
    if not isinstance(condition, BinaryExpression) or condition.operator is not operators.eq:
        return None
    sides: Iterable[tuple[Any, Any]] = (
        (condition.left, condition.right),
        (condition.right, condition.left),
    )
    for mine, theirs in sides:
        if not (element.owns(mine) and mine.name == key and other.owns(theirs)):
            continue
        keys = other.table.c[theirs.name].foreign_keys
        if any(
            k.column.table.fullname == element.table.fullname and k.column.name == key for k in keys
        ):
            return str(theirs.name)
    return None


def is_primary_key_column(element: FromTable, column: str) -> bool:
    """Return whether a column is part of the primary key."""
    return column in {part.name for part in element.table.primary_key}
