"""Check a `WatchedTable` declaration against the table in the database.

The functions are pure: the caller passes the column types and the primary key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from .nearest_name import suggest_name
from .tables import CHANGE, META
from .watched_table import WatchedTable

_DATE_WITH_TIME = re.compile(r"DATETIME|TIMESTAMP", re.IGNORECASE)


class NotWatchableError(ValueError):
    """Raised if a table can't be watched as declared; the message says why and what to change."""


def check_tables(watched: Iterable[WatchedTable]) -> None:
    """Raise an error if a table is declared twice or belongs to the edge itself."""
    names = Counter(declaration.table for declaration in watched)
    for name, count in names.items():
        if name in {CHANGE, META}:
            raise NotWatchableError(
                f"{name} is a table of the edge itself: remove it from the watched tables"
            )
        if count > 1:
            raise NotWatchableError(
                f"{name} is declared {count} times: merge these into one WatchedTable"
            )


def check_columns(watched: WatchedTable, types: Mapping[str, str], key: tuple[str, ...]) -> None:
    """Raise an error if a declared column is missing or has an unsuitable type.

    Args:
        watched: the declaration.
        types: the type of each column of the table, as the database names it.
        key: the columns of the primary key.
    """
    column_names = (
        *watched.compared_columns,
        *watched.instant_columns,
        *watched.ignored_columns,
        watched.lookup_column,
        watched.label_column,
    )
    if unknown := sorted({name for name in column_names if name} - types.keys()):
        names = ", ".join(f"{name}{suggest_name(name, types)}" for name in unknown)
        raise NotWatchableError(f"{watched.table} has no column {names}: correct its WatchedTable")
    compared = {*key, *watched.compared_columns, *watched.instant_columns}
    if silent := sorted(compared & {*watched.ignored_columns}):
        raise NotWatchableError(
            f"{watched.table}.{silent[0]} is in `ignored_columns`, but it is also in the primary "
            "key, in `compared_columns` or in `instant_columns`, whose changes must be logged: "
            "remove it from `ignored_columns`"
        )
    for name in watched.instant_columns:
        if not _is_instant(types[name]):
            raise NotWatchableError(
                f"{watched.table}.{name} is of the type {types[name]}, but `instant_columns` takes "
                "only columns that hold a date with a time (TIMESTAMP, DATETIME): remove it from "
                "`instant_columns`"
            )


def _is_instant(type_name: str) -> bool:
    """Return whether a type holds a date with a time. A SQLite column may have no type."""
    return not type_name or _DATE_WITH_TIME.match(type_name) is not None
