"""A statement that is compiled once for each database and then runs on the driver's own cursor.

To build, compile and observe a statement costs far more than SQLite takes to run it. Only for the
edge's own statements: nobody records them, and their values are plain numbers and texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

_Reorder = Callable[[Sequence[Any]], Sequence[Any]] | None
"""Puts values into the order of the statement; None where they are in it."""


class PreparedStatement:
    """Takes the values of the parameters `names` in their order."""

    def __init__(self, statement: sa.Executable, *names: str) -> None:
        self._statement: Any = statement
        self._names = names
        self._compiled: dict[str, tuple[str, _Reorder]] = {}

    def fetch_all(self, connection: Connection, *values: Any) -> list[Any]:
        """Run it; return the rows that it gives."""
        rows: list[Any] = self._run(connection, "execute", values).fetchall()
        return rows

    def execute(self, connection: Connection, *values: Any) -> int:
        """Run it; return how many rows it changed."""
        row_count: int = self._run(connection, "execute", values).rowcount
        return row_count

    def execute_many(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Run it once for each of these values."""
        self._run(connection, "executemany", rows)

    def _run(self, connection: Connection, how: str, values: Any) -> Any:
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = self._compiled[connection.dialect.name] = self._compile(connection.dialect)
        text, reorder = compiled
        cursor = connection.connection.cursor()
        if reorder is not None:
            values = reorder(values) if how == "execute" else list(map(reorder, values))
        try:
            getattr(cursor, how)(text, values)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _translate_driver_error(connection, text, error) from error
        return cursor

    def _compile(self, dialect: Dialect) -> tuple[str, _Reorder]:
        kind: Any = type(dialect)
        positional = dialect if dialect.positional else kind(paramstyle="format")
        compiled = self._statement.compile(dialect=positional)
        order = [self._names.index(name) for name in compiled.positiontup]
        if order == [*range(len(order))]:
            return str(compiled), None
        if len(order) == 1:
            return str(compiled), lambda values: (values[order[0]],)
        return str(compiled), itemgetter(*order)


def _translate_driver_error(connection: Connection, text: str, error: Exception) -> BaseException:
    """The error as SQLAlchemy would have raised it."""
    base = connection.dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(text, None, error, base, dialect=connection.dialect)
