"""Find SQL that the application renders itself; it counts as raw SQL.

This is an element with a `@compiles` function, a class that overrides how SQLAlchemy renders it,
or a custom operator or name. Its SQL text may contain any table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from . import sqlalchemy_private as private

_OPERATOR = re.compile(
    r"[-+*/<>=~!@#%^&|`?.]+"
    r"|(IS )?(NOT )?(LIKE|ILIKE|GLOB|REGEXP|RLIKE|MATCH|SIMILAR TO|IN|IS|AND|OR|XOR|DIV|MOD)"
    r"|IS (NOT )?DISTINCT FROM|COLLATE|OVERLAPS",
    re.IGNORECASE,
)
_NAME = re.compile(r"[^\W\d][\w$]*", re.ASCII)


def custom_rendering(part: Any, dialect: sa.Dialect) -> str:
    """Return why the SQL of an element is not rendered by SQLAlchemy itself, or ""."""
    kind = type(part)
    if has_compiler(kind, dialect.name):
        return f"{kind.__name__} is compiled by the application (@compiles)"
    if any(
        name in owner.__dict__ for owner in _foreign(kind) for name in private.RENDERING_ATTRIBUTES
    ):
        return f"{kind.__name__} is a custom SQL construct of the application"
    return _handwritten_sql(part) or _custom_cast(part, dialect) or _values_with_sql(part)


def has_compiler(kind: type, dialect: str) -> bool:
    """Return whether a class is rendered by a `@compiles` function in this dialect."""
    dispatcher = private.compiles_dispatcher(kind)
    if dispatcher is None:
        return False
    specs = getattr(dispatcher, "specs", {})
    compile_function = specs.get(dialect) or specs.get("default")
    # If only other dialects have one, the default is a wrapper of SQLAlchemy's own function.
    return getattr(compile_function, "__module__", "") != "sqlalchemy.ext.compiler"


def _foreign(kind: type) -> Iterator[type]:
    """Yield the base classes of an element's class that are not part of SQLAlchemy."""
    for owner in kind.__mro__:
        if owner is not object and owner.__module__.partition(".")[0] != "sqlalchemy":
            yield owner


def _overrides(kind: type, names: tuple[str, ...]) -> bool:
    """Return whether a base class that is not part of SQLAlchemy defines one of these names."""
    return any(name in owner.__dict__ for owner in _foreign(kind) for name in names)


def _handwritten_sql(part: Any) -> str:
    """Return a reason for a custom operator or an unquoted name that is no plain identifier."""
    for role in ("operator", "modifier"):
        operator = getattr(part, role, None)
        if isinstance(operator, custom_op) and not _OPERATOR.fullmatch(operator.opstring.strip()):
            return f"the operator {operator.opstring[:80]!r} is raw SQL"
    for name in (getattr(part, "name", None), getattr(part, "schema", None)):
        if getattr(name, "quote", None) is False and not _NAME.fullmatch(str(name)):
            return f"the unquoted name {str(name)[:80]!r} is raw SQL"
    return ""


def _custom_cast(part: Any, dialect: sa.Dialect) -> str:
    """Return a reason for a CAST to a type whose SQL name the application defines."""
    if not isinstance(part, sa.Cast):
        return ""
    kind: Any = part.type.dialect_impl(dialect)
    while isinstance(kind, sa.TypeDecorator):
        kind = kind.type_engine(dialect)
    has_custom_name = any(
        name in o.__dict__
        for o in _foreign(type(kind))
        for name in private.TYPE_RENDERING_ATTRIBUTES
    )
    if has_custom_name or has_compiler(type(kind), dialect.name):
        return f"the type {type(kind).__name__} is rendered by the application"
    return ""


def _values_with_sql(part: Any) -> str:
    """Return a reason for a VALUES list with SQL, which SQLAlchemy's traversal does not visit."""
    if not isinstance(part, sa.Values):
        return ""
    values = (value for row in private.values_rows(part) for value in row)
    elements = (value for value in values if isinstance(value, sa.ClauseElement))
    if any(not isinstance(element, sa.BindParameter) for element in elements):
        return "a VALUES list contains SQL"
    return ""


def type_expressions(part: Any, dialect: sa.Dialect) -> Iterator[tuple[Any, Any]]:
    """Yield the SQL that the type of a column or parameter adds, with the original element.

    The compiler gets these expressions from the type, so they are not part of the statement.
    """
    kind = getattr(part, "type", None)
    if not isinstance(kind, TypeEngine):
        return
    impl = kind.dialect_impl(dialect)
    if isinstance(part, sa.BindParameter):
        if private.has_bind_expression(impl):
            yield part, impl.bind_expression(part)
    elif isinstance(part, sa.ColumnElement) and private.has_column_expression(impl):
        yield part, impl.column_expression(part)


def foreign_part(expression: Any, made_from: Any) -> str:
    """Return what the SQL of a type reads besides the original value, or ""."""
    if expression is None:
        return ""
    own = {id(part) for part in visitors.iterate(made_from)}
    for part in visitors.iterate(expression):
        if id(part) in own:
            continue
        if isinstance(part, SelectBase | sa.FromClause) and not isinstance(part, FunctionElement):
            return f"a {type(part).__name__}"
        if isinstance(part, sa.ColumnClause) and part.table is not None:
            return f"the column {part.name}"
    return ""
