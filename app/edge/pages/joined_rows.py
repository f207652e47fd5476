"""The other rows that changed rows are joined with: what they are now, and what they were.

A row and its link may change together, or one shortly after the other. So each is looked for
through everything that the other was since the last resolved changes, and through what it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes import postgresql_triggers, sqlite_triggers
from ..changes.change import Change, Image
from ..changes.encoding import encode
from .dependency_shape import State, Through, sort_key

_CHUNK = 400


class Linked:
    """The states of the other rows, by what they are joined with and by the row's key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[Through, dict[str, set[State]]] = {}
        self.unreadable = False
        """An image lacked what is compared, so that nothing can be concluded."""

    def learn(self, through: Through, keys: Iterable[str]) -> None:
        """Look up the other rows as they are now, of the rows with these keys."""
        known = self._known.setdefault(through, defaultdict(set))
        query, column = self._query(through)
        wanted = sorted(keys)
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            # Without a type, so that the database reads each key as its own column's.
            asked = sa.bindparam("keys", chunk, sa.types.NULLTYPE, expanding=True)
            for key, sort, *values in self._connection.execute(query.where(column.in_(asked))):
                state = State(values=tuple(encode(value) for value in values), sort=sort)
                known[str(encode(key))].add(state)

    def _query(self, through: Through) -> tuple[sa.Select[Any], sa.ColumnClause[Any]]:
        names = (through.column, *through.equal)
        table = sa.table(through.table, *(sa.column(name) for name in dict.fromkeys(names)))
        sort: sa.ColumnElement[Any] = sa.null()
        if through.sort:
            words = (
                sqlite_triggers
                if self._connection.dialect.name == "sqlite"
                else postgresql_triggers
            )
            sort = sa.literal_column(words.microseconds(sqlite_triggers.quote(through.sort)))
        column = table.c[through.column]
        return sa.select(column, sort, *(table.c[name] for name in through.equal)), column

    def remember(self, changes: Iterable[Change]) -> None:
        """Add what the other rows were before and after these changes."""
        for change in changes:
            for through, known in self._known.items():
                if through.table != change.table:
                    continue
                for image in change.images:
                    self._add(through, known, image)

    def _add(self, through: Through, known: dict[str, set[State]], image: Image) -> None:
        if any(name not in image for name in (through.column, *through.equal)):
            self.unreadable = True
            return
        key = encode(image[through.column])
        if key is not None:
            values = tuple(encode(image[name]) for name in through.equal)
            known[key].add(State(values=values, sort=sort_key(image, through.sort)))

    def of(self, through: Through, key: str | None) -> Iterable[State]:
        """The states of the other rows of the row with this key."""
        return self._known.get(through, {}).get(key, set()) if key is not None else set()
