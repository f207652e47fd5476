"""Checks of a `Watched` declaration against the table that the database has.

Pure functions: what they need of the database is passed in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from .tables import CHANGE, META
from .watched_table import WatchedTable

_DATE_WITH_TIME = re.compile(r"DATETIME|TIMESTAMP", re.IGNORECASE)


class NotWatchableError(ValueError):
    """A table can't be watched as it is declared; the message says why and what to change."""


def check_tables(watched: Iterable[WatchedTable]) -> None:
    """Refuse declarations that contradict one another or name a table of the edge itself."""
    names = Counter(declaration.table for declaration in watched)
    for name, count in names.items():
        if name in {CHANGE, META}:
            raise NotWatchableError(
                f"{name} is a table of the edge itself: remove it from the watched tables"
            )
        if count > 1:
            raise NotWatchableError(
                f"{name} is declared {count} times: merge these into one Watched"
            )


def check_columns(watched: WatchedTable, types: Mapping[str, str], key: tuple[str, ...]) -> None:
    """Refuse columns that the table lacks, or that can't be used as they are declared.

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
        raise NotWatchableError(
            f"{watched.table} has no column {', '.join(unknown)}: correct the Watched declaration"
        )
    compared = {*key, *watched.compared_columns, *watched.instant_columns}
    if silent := sorted(compared & {*watched.ignored_columns}):
        raise NotWatchableError(
            f"{watched.table}.{silent[0]} is silent, but it is also part of the primary key, of "
            "`columns` or of `instants`, whose changes must be logged: remove it from `silent`"
        )
    for name in watched.instant_columns:
        if not _is_instant(types[name]):
            raise NotWatchableError(
                f"{watched.table}.{name} is of the type {types[name]}, but `instants` takes only "
                "columns that hold a date with a time (TIMESTAMP, DATETIME): remove it from "
                "`instants`"
            )


def _is_instant(type_name: str) -> bool:
    """Tell whether a column holds a date with a time; a column of SQLite may have no type."""
    return not type_name or _DATE_WITH_TIME.match(type_name) is not None
