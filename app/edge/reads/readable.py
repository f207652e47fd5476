"""Readable: whether what a statement reads can be known, and may be read for the public."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import AbstractTextClause
from sqlalchemy.sql.functions import FunctionElement

from .clock import CLOCK_FUNCTIONS
from .constructs import custom_rendering, foreign_part, type_expressions
from .schema import PURE, Schema


class Unreadable(Exception):  # noqa: N818 - reads as what it says
    """What a statement reads can't be known, or must not be read for the public."""


def check_parts(statement: Any, schema: Schema, dialect: sa.Dialect) -> None:
    """Refuse a statement with a part that reads what is not known, or not public."""
    for part in visitors.iterate(statement):
        _check_part(part, schema, dialect)
        for made_from, expression in type_expressions(part, dialect):
            _check_type_expression(made_from, expression, schema, dialect)


def check_columns(select: Any, schema: Schema, dialect: sa.Dialect) -> None:
    """Refuse a SELECT whose column types add something that reads what is not known."""
    for column in select.inner_columns:
        for made_from, expression in type_expressions(column, dialect):
            _check_type_expression(made_from, expression, schema, dialect)


def _check_part(part: Any, schema: Schema, dialect: sa.Dialect) -> None:
    if raw := _raw(part):
        raise Unreadable(f"the tables in raw SQL are not known: {raw[:80]!r}")
    if isinstance(part, sa.UpdateBase):
        raise Unreadable("it writes to the database")
    if isinstance(part, FunctionElement):
        _check_function(part, schema, dialect)
    elif custom := custom_rendering(part, dialect):
        raise Unreadable(f"the tables in raw SQL are not known: {custom}")
    if isinstance(part, sa.TableClause) and not schema.knows(part.fullname):
        raise Unreadable(f"the table {part.fullname} was not declared public")


def _check_function(function: FunctionElement[Any], schema: Schema, dialect: sa.Dialect) -> None:
    """Refuse a function that may read more than its arguments.

    One that the application compiles itself may be anything under a well-known name, so only a
    declared name of its own will do.
    """
    name = str(getattr(function, "name", "") or type(function).__name__)
    pure = not getattr(function, "packagenames", ()) and (
        name.lower() in schema.functions or name.lower() in CLOCK_FUNCTIONS
    )
    custom = custom_rendering(function, dialect) if not pure or name.lower() in _WELL_KNOWN else ""
    if not pure or custom:
        because = f" ({custom})" if custom else ""
        raise Unreadable(f"the function {name}() may read what is not known{because}")


def clock_function(statement: Any) -> str:
    """The name of a SQL function in a statement that gives the present moment; empty for none."""
    functions = (p for p in visitors.iterate(statement) if isinstance(p, FunctionElement))
    names = (str(getattr(function, "name", "")) for function in functions)
    return next((name for name in names if name.lower() in CLOCK_FUNCTIONS), "")


def _check_type_expression(
    made_from: Any, expression: Any, schema: Schema, dialect: sa.Dialect
) -> None:
    """Refuse SQL that a type adds around a value and that reads more than the value."""
    if expression is None:
        return
    kind = type(made_from.type).__name__
    if read := foreign_part(expression, made_from):
        raise Unreadable(f"the type {kind} adds SQL that reads {read}")
    known = {id(part) for part in visitors.iterate(made_from)}
    for part in visitors.iterate(expression):
        if id(part) not in known:
            _check_part(part, schema, dialect)


def _raw(part: Any) -> str:
    """The raw SQL that a part is or holds, unless it is a constant."""
    if isinstance(part, AbstractTextClause):
        return str(part) or "''"
    if getattr(part, "is_literal", False) and not _CONSTANT.fullmatch(part.name):
        return str(part.name)
    return next((said for said in _beside(part) if said.upper() not in _HARMLESS), "")


def _beside(part: Any) -> Iterator[str]:
    """What was said before and after a SELECT or a CTE, and hints: nobody walks through these."""
    for name in ("_prefixes", "_suffixes"):
        yield from (str(text) for text, _ in getattr(part, name, ()))
    yield from (str(text) for _, text in getattr(part, "_statement_hints", ()))
    yield from map(str, (getattr(part, "_hints", None) or {}).values())


_CONSTANT = re.compile(r"\*|[0-9]+|'[^'\\]*'|null|true|false", re.IGNORECASE)
"""Words of SQL that read nothing; an EXISTS of the ORM asks for a 1."""

_WELL_KNOWN = PURE | CLOCK_FUNCTIONS
"""Functions that an application need not declare, as SQLAlchemy renders them."""

_HARMLESS = {"MATERIALIZED", "NOT MATERIALIZED"}
