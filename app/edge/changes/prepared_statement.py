"""A statement that is compiled once for each dialect and then runs on a driver cursor.

SQLAlchemy needs far more time to build, compile and observe a statement than SQLite to run it.
Use it only for the statements of this library, which are not recorded and whose values are plain
numbers and texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

_Reorder = Callable[[Sequence[Any]], Sequence[Any]] | None
"""Sorts values into the order of the statement's parameters; None if they are in this order."""


class PreparedStatement:
    """A statement whose values are passed in the order of the parameters `names`."""

    def __init__(self, statement: sa.Executable, *names: str) -> None:
        self._statement: Any = statement
        self._names = names
        self._compiled: dict[str, tuple[str, _Reorder]] = {}

    def fetch_all(self, connection: Connection, *values: Any) -> list[Any]:
        """Run the statement; return its rows."""
        rows: list[Any] = self._run(connection, "execute", values).fetchall()
        return rows

    def execute(self, connection: Connection, *values: Any) -> int:
        """Run the statement; return the number of changed rows."""
        row_count: int = self._run(connection, "execute", values).rowcount
        return row_count

    def execute_many(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Run the statement once for each row of values."""
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
    """Return the SQLAlchemy exception for a driver's error."""
    base = connection.dialect.loaded_dbapi.Error
    return sa.exc.DBAPIError.instance(text, None, error, base, dialect=connection.dialect)
