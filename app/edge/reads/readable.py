"""Readable: whether what a statement reads can be known, and may be read for the public."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import AbstractTextClause
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import SelectBase

from .schema import Schema


class Unreadable(Exception):  # noqa: N818 - reads as what it says
    """What a statement reads can't be known, or must not be read for the public."""


def check_parts(statement: SelectBase, schema: Schema) -> None:
    """Refuse a statement with a part that reads what is not known, or not public."""
    for part in visitors.iterate(statement):
        if raw := _raw(part):
            raise Unreadable(f"the tables in raw SQL are not known: {raw[:80]!r}")
        if isinstance(part, sa.UpdateBase):
            raise Unreadable("it writes to the database")
        if isinstance(part, FunctionElement) and not _is_pure(part, schema):
            raise Unreadable(f"the function {part.name}() may read what is not known")
        if isinstance(part, sa.TableClause) and not schema.knows(part.fullname):
            raise Unreadable(f"the table {part.fullname} was not declared public")


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

_HARMLESS = {"MATERIALIZED", "NOT MATERIALIZED"}


def _is_pure(function: FunctionElement[Any], schema: Schema) -> bool:
    """Tell whether a function reads nothing but its arguments; one of a schema may be anything."""
    packages = getattr(function, "packagenames", ())
    return not packages and function.name.lower() in schema.functions
