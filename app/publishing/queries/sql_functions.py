"""The year of an instant, in UTC, as each database says it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class year_of(GenericFunction[int]):  # noqa: N801 - it reads as the SQL function that it is
    """The year of an instant in UTC, independent of the connection's time zone."""

    type = sa.Integer()
    inherit_cache = True
    name = "year_of"


@compiles(year_of)
def _standard(element: year_of, compiler: SQLCompiler, **options: Any) -> str:
    return f"extract(year FROM {compiler.process(element.clauses, **options)} AT TIME ZONE 'UTC')"


@compiles(year_of, "sqlite")
def _sqlite(element: year_of, compiler: SQLCompiler, **options: Any) -> str:
    # An instant is kept as text in UTC that begins with its year.
    return f"CAST(substr({compiler.process(element.clauses, **options)}, 1, 4) AS INTEGER)"
