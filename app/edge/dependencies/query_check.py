"""Check that the tables of a statement can be determined and are public."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement

from . import sqlalchemy_private as private
from .clock_values import CLOCK_FUNCTIONS
from .public_schema import PURE_FUNCTIONS, PublicSchema
from .sql_constructs import custom_rendering, foreign_part, type_expressions


class UnshareableQueryError(Exception):
    """Raised if the tables of a statement can't be determined or are not public."""


def check_shareable(statement: Any, schema: PublicSchema, dialect: sa.Dialect) -> None:
    """Raise an error if a part of the statement reads unknown or private tables."""
    for part in visitors.iterate(statement):
        _check_part(part, schema, dialect)
        for made_from, expression in type_expressions(part, dialect):
            _check_type_expression(made_from, expression, schema, dialect)


def check_columns(select: Any, schema: PublicSchema, dialect: sa.Dialect) -> None:
    """Raise an error if a column type adds SQL that reads unknown tables."""
    for column in select.inner_columns:
        for made_from, expression in type_expressions(column, dialect):
            _check_type_expression(made_from, expression, schema, dialect)


def _check_part(part: Any, schema: PublicSchema, dialect: sa.Dialect) -> None:
    if raw := _raw_sql_in(part):
        raise UnshareableQueryError(f"the tables in raw SQL are not known: {raw[:80]!r}")
    if isinstance(part, sa.UpdateBase):
        raise UnshareableQueryError("it writes to the database")
    if isinstance(part, FunctionElement):
        _check_function(part, schema, dialect)
    elif custom := custom_rendering(part, dialect):
        raise UnshareableQueryError(f"the tables in raw SQL are not known: {custom}")
    if isinstance(part, sa.TableClause) and not schema.is_public(part.fullname):
        raise UnshareableQueryError(f"the table {part.fullname} was not declared public")


def _check_function(
    function: FunctionElement[Any], schema: PublicSchema, dialect: sa.Dialect
) -> None:
    """Raise an error for a function whose result may depend on more than its arguments.

    A function that the application compiles itself may differ from the well-known function of the
    same name, so it must be declared under a name of its own.
    """
    name = str(getattr(function, "name", "") or type(function).__name__)
    pure = not getattr(function, "packagenames", ()) and (
        name.lower() in schema.functions or name.lower() in CLOCK_FUNCTIONS
    )
    custom = custom_rendering(function, dialect) if not pure or name.lower() in _WELL_KNOWN else ""
    if not pure or custom:
        because = f" ({custom})" if custom else ""
        raise UnshareableQueryError(
            f"the function {name}() may read more than its arguments{because}"
        )


def clock_function(statement: Any) -> str:
    """Return the name of a SQL function in a statement that returns the current time, or ""."""
    functions = (p for p in visitors.iterate(statement) if isinstance(p, FunctionElement))
    names = (str(getattr(function, "name", "")) for function in functions)
    return next((name for name in names if name.lower() in CLOCK_FUNCTIONS), "")


def _check_type_expression(
    made_from: Any, expression: Any, schema: PublicSchema, dialect: sa.Dialect
) -> None:
    """Raise an error if a type adds SQL around a value that reads more than the value."""
    if expression is None:
        return
    kind = type(made_from.type).__name__
    if foreign_name := foreign_part(expression, made_from):
        raise UnshareableQueryError(f"the type {kind} adds SQL that reads {foreign_name}")
    part_ids = {id(part) for part in visitors.iterate(made_from)}
    for part in visitors.iterate(expression):
        if id(part) not in part_ids:
            _check_part(part, schema, dialect)


def _raw_sql_in(part: Any) -> str:
    """Return the raw SQL in a part of a statement, unless it is a constant."""
    if isinstance(part, private.TEXT_CLAUSE):
        return str(part) or "''"
    if getattr(part, "is_literal", False) and not _CONSTANT.fullmatch(part.name):
        return str(part.name)
    return next(
        (
            sql_text
            for sql_text in _prefixes_and_hints(part)
            if sql_text.upper() not in _HARMLESS_PREFIXES
        ),
        "",
    )


def _prefixes_and_hints(part: Any) -> Iterator[str]:
    """Yield prefixes, suffixes and hints, which SQLAlchemy's traversal does not visit."""
    yield from private.prefixes(part)
    yield from private.suffixes(part)
    yield from private.statement_hints(part)
    yield from private.table_hints(part)


_CONSTANT = re.compile(r"\*|[0-9]+|'[^'\\]*'|null|true|false", re.IGNORECASE)
"""Constants of SQL, which read no table; an EXISTS of the ORM selects a 1."""

_WELL_KNOWN = PURE_FUNCTIONS | CLOCK_FUNCTIONS
"""Functions that an application need not declare if SQLAlchemy renders them."""

_HARMLESS_PREFIXES = {"MATERIALIZED", "NOT MATERIALIZED"}
