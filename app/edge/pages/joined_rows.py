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
from ..changes.change import Change, RowImage
from ..changes.encoding import encode_value
from .dependency_shape import JoinedRowState, SemiJoinShape, sort_key

_BATCH = 400


class JoinedRows:
    """The states of the other rows, by what they are joined with and by the row's key."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: dict[SemiJoinShape, dict[str, set[JoinedRowState]]] = {}
        self.has_incomplete_image = False
        """An image lacked what is compared, so that nothing can be concluded."""

    def load(self, through: SemiJoinShape, keys: Iterable[str]) -> None:
        """Look up the other rows as they are now, of the rows with these keys."""
        states_by_key = self._states.setdefault(through, defaultdict(set))
        query, column = self._query(through)
        sorted_keys = sorted(keys)
        for start in range(0, len(sorted_keys), _BATCH):
            chunk = sorted_keys[start : start + _BATCH]
            # Without a type, so that the database reads each key as its own column's.
            key_params = sa.bindparam("keys", chunk, sa.types.NULLTYPE, expanding=True)
            for key, sort, *values in self._connection.execute(query.where(column.in_(key_params))):
                state = JoinedRowState(
                    values=tuple(encode_value(value) for value in values), sort=sort
                )
                states_by_key[str(encode_value(key))].add(state)

    def _query(self, through: SemiJoinShape) -> tuple[sa.Select[Any], sa.ColumnClause[Any]]:
        names = (through.joined_column, *through.equality_columns)
        table = sa.table(through.table, *(sa.column(name) for name in dict.fromkeys(names)))
        sort: sa.ColumnElement[Any] = sa.null()
        if through.sort_column:
            trigger_module = (
                sqlite_triggers
                if self._connection.dialect.name == "sqlite"
                else postgresql_triggers
            )
            sort = sa.literal_column(
                trigger_module.microseconds_sql(
                    sqlite_triggers.quote_identifier(through.sort_column)
                )
            )
        column = table.c[through.joined_column]
        return sa.select(
            column, sort, *(table.c[name] for name in through.equality_columns)
        ), column

    def add_changes(self, changes: Iterable[Change]) -> None:
        """Add what the other rows were before and after these changes."""
        for change in changes:
            for through, states_by_key in self._states.items():
                if through.table != change.table:
                    continue
                for image in change.images:
                    self._add(through, states_by_key, image)

    def _add(
        self, through: SemiJoinShape, states_by_key: dict[str, set[JoinedRowState]], image: RowImage
    ) -> None:
        if any(name not in image for name in (through.joined_column, *through.equality_columns)):
            self.has_incomplete_image = True
            return
        key = encode_value(image[through.joined_column])
        if key is not None:
            values = tuple(encode_value(image[name]) for name in through.equality_columns)
            states_by_key[key].add(
                JoinedRowState(values=values, sort=sort_key(image, through.sort_column))
            )

    def states_for(self, through: SemiJoinShape, key: str | None) -> Iterable[JoinedRowState]:
        """The states of the other rows of the row with this key."""
        return self._states.get(through, {}).get(key, set()) if key is not None else set()
