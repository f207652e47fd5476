"""Declarations of watched tables are compared with the columns of the table."""

from __future__ import annotations

import pytest

from app.edge.changes import WatchedTable
from app.edge.changes.declaration import NotWatchableError, check_columns, check_tables
from app.edge.changes.tables import CHANGE, META

TYPES = {"id": "INTEGER", "slug": "TEXT", "at": "TIMESTAMP", "day": "DATE", "any": "", "n": "INT"}
REFUSED: dict[str, tuple[WatchedTable, str]] = {
    "an ignored key": (WatchedTable(table="t", ignored_columns=("id",)), "t.id"),
    "an ignored compared column": (
        WatchedTable(table="t", compared_columns=("slug",), ignored_columns=("n", "slug")),
        "t.slug",
    ),
    "an ignored instant": (
        WatchedTable(table="t", instant_columns=("at",), ignored_columns=("at",)),
        "t.at",
    ),
    "a day as an instant": (WatchedTable(table="t", instant_columns=("at", "day")), "t.day"),
    "a text as an instant": (WatchedTable(table="t", instant_columns=("slug",)), "t.slug"),
    "a missing compared column": (WatchedTable(table="t", compared_columns=("no",)), "column no"),
    "a missing instant": (WatchedTable(table="t", instant_columns=("no",)), "column no"),
    "a missing ignored column": (WatchedTable(table="t", ignored_columns=("no",)), "column no"),
    "a missing lookup column": (WatchedTable(table="t", lookup_column="no"), "column no"),
    "a missing label": (WatchedTable(table="t", label_column="no"), "column no"),
}


@pytest.mark.parametrize(("watched", "words"), REFUSED.values(), ids=REFUSED)
def test_a_declaration_that_contradicts_the_table_is_refused(
    watched: WatchedTable, words: str
) -> None:
    """The message names the table and the column."""
    with pytest.raises(NotWatchableError, match=words):
        check_columns(watched, TYPES, ("id",))


ACCEPTED = [
    WatchedTable(table="t"),
    WatchedTable(table="t", compared_columns=("slug",), ignored_columns=("n",)),
    WatchedTable(table="t", instant_columns=("at", "any")),
    WatchedTable(table="t", compared_columns=("id",), lookup_column="slug", label_column="n"),
]


@pytest.mark.parametrize("watched", ACCEPTED, ids=str)
def test_a_declaration_of_its_columns_is_accepted(watched: WatchedTable) -> None:
    """A SQLite column without a type may hold instants."""
    check_columns(watched, TYPES, ("id",))


@pytest.mark.parametrize("name", ["DATETIME", "timestamp", "TIMESTAMPTZ", "TIMESTAMP(6)"])
def test_types_of_instants_are_recognised_in_any_notation(name: str) -> None:
    """Both databases and both letter cases."""
    check_columns(WatchedTable(table="t", instant_columns=("at",)), {"id": "", "at": name}, ("id",))


@pytest.mark.parametrize("names", [("a", "a"), ("a", "b", "a"), (CHANGE,), ("a", META)])
def test_a_table_is_declared_once_and_never_belongs_to_the_edge(names: tuple[str, ...]) -> None:
    """The triggers of the edge's own log would log themselves."""
    with pytest.raises(NotWatchableError):
        check_tables([WatchedTable(table=name) for name in names])
    check_tables([WatchedTable(table=name) for name in ("a", "b")])
