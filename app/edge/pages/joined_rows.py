"""The rows that changed rows are joined with: their current and their earlier states.

A row and its association row may change together, or shortly after one another. So each is matched
against the current values of the other and against all its earlier unresolved values.
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
    """The states of joined rows, by semi-join and by the key of the row."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: dict[SemiJoinShape, dict[str, set[JoinedRowState]]] = {}
        self.has_incomplete_image = False
        """Set when a row image lacks a compared column, so that the changes cannot be matched."""

    def load(self, through: SemiJoinShape, keys: Iterable[str]) -> None:
        """Read the current joined rows of the rows with these keys."""
        states_by_key = self._states.setdefault(through, defaultdict(set))
        query, column = self._query(through)
        sorted_keys = sorted(keys)
        for start in range(0, len(sorted_keys), _BATCH):
            chunk = sorted_keys[start : start + _BATCH]
            # Without a type, so that the database converts each key to the type of its column.
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
        """Add the states of the joined rows before and after these changes."""
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
        """Return the states of the joined rows of the row with this key."""
        return self._states.get(through, {}).get(key, set()) if key is not None else set()
