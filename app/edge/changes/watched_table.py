"""The declaration of a watched table, and its schema in the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTable:
    """A table that public pages are built from.

    Queries compare `compared_columns` for equality and sort by `instant_columns`. Both are part of
    each row image, with the primary key. A write that changes only `ignored_columns` is not
    logged. Commands find a row by its `lookup_column` and display its `label_column`; both may be
    empty.
    """

    table: str
    compared_columns: tuple[str, ...] = ()
    instant_columns: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    lookup_column: str = ""
    label_column: str = ""

    @property
    def trigger_definition(self) -> tuple[object, ...]:
        """The values from which the triggers are generated."""
        return (self.table, self.compared_columns, self.instant_columns, self.ignored_columns)


class IndexedColumn(NamedTuple):
    """A column of a unique index; `collation` is empty if it is the column's own."""

    name: str
    collation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """The schema of a watched table in the database."""

    watched_table: WatchedTable
    primary_key: tuple[str, ...]
    columns: tuple[str, ...]
    unique_indexes: tuple[tuple[IndexedColumn, ...], ...]
    """The columns of each unique index, the primary key first."""
    types: tuple[str, ...]
    """The type of each column, in the database's notation."""

    @property
    def logged_columns(self) -> tuple[str, ...]:
        """The columns whose changes are logged."""
        return tuple(
            name for name in self.columns if name not in self.watched_table.ignored_columns
        )

    @property
    def image_columns(self) -> tuple[str, ...]:
        """The columns whose values are copied to a row image."""
        return tuple(dict.fromkeys((*self.primary_key, *self.watched_table.compared_columns)))
