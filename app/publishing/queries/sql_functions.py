"""The local date of a post and the year of a date, as each database says it."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class local_date(GenericFunction[date]):  # noqa: N801 - it reads as the SQL function that it is
    """The first argument, a date, or the day of the second one, an instant, in UTC."""

    type = sa.Date()
    inherit_cache = True
    name = "local_date"


class year_of(GenericFunction[int]):  # noqa: N801 - as above
    """The year of a date."""

    type = sa.Integer()
    inherit_cache = True
    name = "year_of"


@compiles(local_date)
def _local_date(element: local_date, compiler: SQLCompiler, **options: Any) -> str:
    day, instant = (compiler.process(clause, **options) for clause in element.clauses)
    return f"coalesce({day}, ({instant} AT TIME ZONE 'UTC')::date)"


@compiles(local_date, "sqlite")
def _sqlite_local_date(element: local_date, compiler: SQLCompiler, **options: Any) -> str:
    # An instant is stored as text in UTC that begins with its date, a date as that text alone.
    day, instant = (compiler.process(clause, **options) for clause in element.clauses)
    return f"coalesce({day}, substr({instant}, 1, 10))"


@compiles(year_of)
def _year_of(element: year_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"extract(year FROM {compiler.process(element.clauses, **options)})"


@compiles(year_of, "sqlite")
def _sqlite_year_of(element: year_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(substr({compiler.process(element.clauses, **options)}, 1, 4) AS INTEGER)"
