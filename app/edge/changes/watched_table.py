"""Which tables are watched, and which of their columns a change's images carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedTable:
    """A table that public pages are built from.

    `columns` are those that queries compare for equality, `instants` those that they sort by;
    both stand in a change's images, beside the primary key. A write that changes nothing but
    `silent` columns is not logged. People ask for a row by its `handle` and know it by its
    `label`; both name a column, or nothing.
    """

    table: str
    compared_columns: tuple[str, ...] = ()
    instant_columns: tuple[str, ...] = ()
    ignored_columns: tuple[str, ...] = ()
    lookup_column: str = ""
    label_column: str = ""

    @property
    def trigger_definition(self) -> tuple[object, ...]:
        """What the triggers are made from."""
        return (self.table, self.compared_columns, self.instant_columns, self.ignored_columns)


class IndexedColumn(NamedTuple):
    """A column of a unique index; the collation is empty where it is the column's own."""

    name: str
    collation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """A watched table as the database has it now."""

    watched_table: WatchedTable
    primary_key: tuple[str, ...]
    columns: tuple[str, ...]
    unique_indexes: tuple[tuple[IndexedColumn, ...], ...]
    """What each unique index compares, the primary key's first."""
    types: tuple[str, ...]
    """The type of each column, as the database names it."""

    @property
    def logged_columns(self) -> tuple[str, ...]:
        """The columns whose change is logged."""
        return tuple(
            name for name in self.columns if name not in self.watched_table.ignored_columns
        )

    @property
    def image_columns(self) -> tuple[str, ...]:
        """The columns that stand in an image as they are."""
        return tuple(dict.fromkeys((*self.primary_key, *self.watched_table.compared_columns)))
