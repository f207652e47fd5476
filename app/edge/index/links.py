"""The rows of linking tables that exist now, asked for once for all changes that are resolved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..reads.encoding import encode

Values = tuple[str | None, ...]
_CHUNK = 400


class Linked:
    """The links of some rows, by what they link and by the row's key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, ...], dict[str, set[Values]]] = {}

    def learn(self, via: tuple[str, ...], keys: Iterable[str]) -> None:
        """Look up the links of the rows with these keys."""
        known = self._known.setdefault(via, defaultdict(set))
        name, column, _, *equal = via
        table = sa.table(name, sa.column(column), *(sa.column(each) for each in equal))
        wanted = sorted({key for key in keys if key not in known})
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            # Without a type, so that the database reads each key as its own column's.
            asked = sa.bindparam("keys", chunk, sa.types.NULLTYPE, expanding=True)
            query = sa.select(table.c[column], *(table.c[each] for each in equal))
            for key, *values in self._connection.execute(query.where(table.c[column].in_(asked))):
                known[str(encode(key))].add(tuple(encode(value) for value in values))

    def of(self, via: tuple[str, ...], key: str | None) -> Iterable[Values]:
        """The values of each link of the row with this key."""
        return self._known.get(via, {}).get(key, set()) if key is not None else set()
