"""Readable: whether what a statement reads can be known, and may be read for the public."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import SelectBase

from .schema import Schema


class Unreadable(Exception):  # noqa: N818 - reads as what it says
    """What a statement reads can't be known, or must not be read for the public."""


def check_parts(statement: SelectBase, schema: Schema) -> None:
    """Refuse a statement with a part that reads what is not known, or not public."""
    for part in visitors.iterate(statement):
        if isinstance(part, sa.TextClause) or _is_raw(part):
            raise Unreadable(f"the tables in raw SQL are not known: {str(part)[:80]!r}")
        if isinstance(part, sa.UpdateBase):
            raise Unreadable("it writes to the database")
        if isinstance(part, FunctionElement) and not _is_pure(part, schema):
            raise Unreadable(f"the function {part.name}() may read what is not known")
        if isinstance(part, sa.TableClause) and not schema.knows(part.fullname):
            raise Unreadable(f"the table {part.fullname} was not declared public")


def _is_pure(function: FunctionElement[Any], schema: Schema) -> bool:
    """Tell whether a function reads nothing but its arguments; one of a schema may be anything."""
    packages = getattr(function, "packagenames", ())
    return not packages and function.name.lower() in schema.functions


def _is_raw(part: object) -> bool:
    return bool(getattr(part, "is_literal", False)) and getattr(part, "name", "") != "*"
