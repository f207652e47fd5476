"""Impact analysis: the pages that a change of a row, or an action, would affect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from ..changes.change import Change, Op
from ..changes.encoding import sort_key_value
from ..changes.log import changes_of_this_transaction, last_change_id
from ..changes.triggers import read_table_schema
from ..changes.watched_table import TableSchema, WatchedTable
from .page import sorted_urls
from .resolve import MAX_CHANGES, Resolution, find_affected_pages


class UnknownRowError(LookupError):
    """No row matches; the message names what can be looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMatch:
    """The rows that a lookup value names, each as the change that would be logged for it."""

    table: str
    lookup_value: str
    label: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The registered pages that a change affects, or the reason why it affects everything."""

    subject: str
    urls: tuple[str, ...]
    everything_reason: str = ""

    @classmethod
    def from_resolution(cls, what: str, resolution: Resolution) -> Impact:
        """Return the impact of a resolution."""
        urls = sorted_urls(resolution.pages)
        return cls(subject=what, urls=urls, everything_reason=resolution.everything_reason)

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""
        if self.everything_reason:
            yield f"{self.subject} affects everything: {self.everything_reason}."
        elif not self.urls:
            yield f"{self.subject} affects no page that a cache may hold."
        else:
            pages = "1 page" if len(self.urls) == 1 else f"{len(self.urls)} pages"
            yield f"{self.subject} affects {pages}:"
            yield from (f"  {url}" for url in self.urls)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {"what": self.subject, "urls": list(self.urls), "everything": self.everything_reason}


def impact_of_row(connection: Connection, subject: RowMatch, columns: Iterable[str] = ()) -> Impact:
    """Return the pages that a change of a row would affect: of these columns, or of any."""
    column_names = frozenset(columns)
    if unknown := column_names - subject.changes[0].changed_columns:
        raise UnknownRowError(f"{subject.table} has no column {', '.join(sorted(unknown))}.")
    changes = [
        replace(change, changed_columns=column_names or change.changed_columns)
        for change in subject.changes
    ]
    part = f"{' and '.join(sorted(column_names))} of " if column_names else ""
    what = f"A change of {part}{subject.table} {subject.label!r}"
    return Impact.from_resolution(what, find_affected_pages(connection, changes))


def impact_of_action(connection: Connection, action: Callable[[], object], what: str) -> Impact:
    """Return the pages that an action would affect; it writes on this connection.

    The caller rolls back. The transaction holds SQLite's write lock; the action must not end it.
    """
    before = last_change_id(connection)
    action()
    changes = changes_of_this_transaction(connection, after=before, limit=MAX_CHANGES)
    if len(changes) > MAX_CHANGES:
        return Impact(
            subject=what, urls=(), everything_reason="too many changes to compare one by one"
        )
    return Impact.from_resolution(what, find_affected_pages(connection, changes))


def find_row(
    connection: Connection, watched: Sequence[WatchedTable], path: str, table: str | None = None
) -> RowMatch:
    """Return the row that a slug or a path names, from `table` or the first table that has it."""
    handle = path.rstrip("/").rpartition("/")[2]
    candidates = [one for one in watched if one.lookup_column and table in {None, one.table}]
    if not candidates:
        table_names = ", ".join(one.table for one in watched if one.lookup_column)
        raise UnknownRowError(
            f"Table {table} has no lookup column. Tables that have one: {table_names}."
        )
    for one in candidates:
        if (match := _match_in(connection, one, handle)) is not None:
            return match
    tables = " and no ".join(one.table for one in candidates)
    raise UnknownRowError(f"There is no {tables} {handle!r}.")


def _match_in(connection: Connection, watched: WatchedTable, handle: str) -> RowMatch | None:
    schema = read_table_schema(connection, watched)
    column_names = dict.fromkeys(
        (
            *schema.image_columns,
            *watched.instant_columns,
            watched.label_column or watched.lookup_column,
        )
    )
    columns: list[Any] = [
        sa.literal_column(_quoted(connection, name)).label(name) for name in column_names
    ]
    condition = sa.literal_column(_quoted(connection, watched.lookup_column)) == handle
    statement = sa.select(*columns).select_from(sa.table(watched.table)).where(condition)
    rows = connection.execute(statement).mappings().all()
    if not rows:
        return None
    return RowMatch(
        table=watched.table,
        lookup_value=handle,
        label=str(rows[0][watched.label_column or watched.lookup_column]),
        changes=tuple(_hypothetical_change(schema, row) for row in rows),
    )


def _hypothetical_change(schema: TableSchema, row: RowMapping) -> Change:
    """Return a change of every column of a row, as the triggers would log it."""
    image = {name: _json_value(row[name]) for name in schema.image_columns}
    image |= {name: sort_key_value(row[name]) for name in schema.watched_table.instant_columns}
    return Change(
        table=schema.watched_table.table,
        op=Op.UPDATE,
        old=image,
        new=image,
        changed_columns=frozenset(schema.columns),
    )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _json_value(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) or value is None else str(value)
