"""Which tables are watched, and which of their columns a change's images carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A table that public pages are built from.

    `columns` are those that queries compare for equality, `instants` those that they sort by;
    both stand in a change's images, beside the primary key. A write that changes nothing but
    `silent` columns is not logged. People ask for a row by its `handle` and know it by its
    `label`; both name a column, or nothing.
    """

    table: str
    columns: tuple[str, ...] = ()
    instants: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    handle: str = ""
    label: str = ""

    @property
    def told(self) -> tuple[object, ...]:
        """What the triggers are made from."""
        return (self.table, self.columns, self.instants, self.silent)


class Member(NamedTuple):
    """A column of a unique index; the collation is empty where it is the column's own."""

    name: str
    collation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A watched table as the database has it now."""

    watched: Watched
    key: tuple[str, ...]
    columns: tuple[str, ...]
    unique: tuple[tuple[Member, ...], ...]
    """What each unique index compares, the primary key's first."""
    types: tuple[str, ...]
    """The type of each column, as the database names it."""

    @property
    def heard(self) -> tuple[str, ...]:
        """The columns whose change is logged."""
        return tuple(name for name in self.columns if name not in self.watched.silent)

    @property
    def imaged(self) -> tuple[str, ...]:
        """The columns that stand in an image as they are."""
        return tuple(dict.fromkeys((*self.key, *self.watched.columns)))
