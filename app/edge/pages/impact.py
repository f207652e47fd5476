"""Asking the index: which pages show a row, and which an action would touch. Nothing is kept."""

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
from .resolve import MOST_CHANGES, Resolution, find_affected_pages


class UnknownRowError(LookupError):
    """Nobody knows what was asked about; the message says what would be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMatch:
    """What somebody asked about: the rows of this name, as a change of each would be logged."""

    table: str
    lookup_value: str
    label: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """The registered pages that a change touches, or everything and why."""

    subject: str
    urls: tuple[str, ...]
    everything_reason: str = ""

    @classmethod
    def from_resolution(cls, what: str, resolution: Resolution) -> Impact:
        """From what resolving gave."""
        found = sorted_urls(resolution.pages)
        return cls(subject=what, urls=found, everything_reason=resolution.everything_reason)

    def to_lines(self) -> Iterator[str]:
        """The same for people."""
        if self.everything_reason:
            yield f"{self.subject} touches everything: {self.everything_reason}."
        elif not self.urls:
            yield f"{self.subject} touches no page that is kept anywhere."
        else:
            pages = "1 page" if len(self.urls) == 1 else f"{len(self.urls)} pages"
            yield f"{self.subject} touches {pages}:"
            yield from (f"  {url}" for url in self.urls)

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"what": self.subject, "urls": list(self.urls), "everything": self.everything_reason}


def impact_of_row(connection: Connection, subject: RowMatch, columns: Iterable[str] = ()) -> Impact:
    """The pages that a change of a row would touch: of these columns, or of any."""
    chosen = frozenset(columns)
    if unknown := chosen - subject.changes[0].changed_columns:
        raise UnknownRowError(f"{subject.table} has no column {', '.join(sorted(unknown))}.")
    changes = [
        replace(change, changed_columns=chosen or change.changed_columns)
        for change in subject.changes
    ]
    part = f"{' and '.join(sorted(chosen))} of " if chosen else ""
    what = f"A change of {part}{subject.table} {subject.label!r}"
    return Impact.from_resolution(what, find_affected_pages(connection, changes))


def impact_of_action(connection: Connection, action: Callable[[], object], what: str) -> Impact:
    """The pages that an action would touch; it writes on this connection.

    The caller takes it back. The transaction holds SQLite's write lock; the action leaves it open.
    """
    before = last_change_id(connection)
    action()
    found = changes_of_this_transaction(connection, after=before, limit=MOST_CHANGES)
    if len(found) > MOST_CHANGES:
        return Impact(subject=what, urls=(), everything_reason="more changes than are told apart")
    return Impact.from_resolution(what, find_affected_pages(connection, found))


def find_row(
    connection: Connection, watched: Sequence[WatchedTable], asked: str, table: str | None = None
) -> RowMatch:
    """The row that a slug or a path names: the first table that has it, unless one is said."""
    handle = asked.rstrip("/").rpartition("/")[2]
    named = [one for one in watched if one.lookup_column and table in {None, one.table}]
    if not named:
        known = ", ".join(one.table for one in watched if one.lookup_column)
        raise UnknownRowError(f"Rows of {table} can't be asked for by a name: {known} can.")
    for one in named:
        if (found := _match_in(connection, one, handle)) is not None:
            return found
    tables = " and no ".join(one.table for one in named)
    raise UnknownRowError(f"There is no {tables} {handle!r}.")


def _match_in(connection: Connection, watched: WatchedTable, handle: str) -> RowMatch | None:
    found = read_table_schema(connection, watched)
    wanted = dict.fromkeys(
        (
            *found.image_columns,
            *watched.instant_columns,
            watched.label_column or watched.lookup_column,
        )
    )
    columns: list[Any] = [
        sa.literal_column(_quoted(connection, name)).label(name) for name in wanted
    ]
    named = sa.literal_column(_quoted(connection, watched.lookup_column)) == handle
    statement = sa.select(*columns).select_from(sa.table(watched.table)).where(named)
    rows = connection.execute(statement).mappings().all()
    if not rows:
        return None
    return RowMatch(
        table=watched.table,
        lookup_value=handle,
        label=str(rows[0][watched.label_column or watched.lookup_column]),
        changes=tuple(_hypothetical_change(found, row) for row in rows),
    )


def _hypothetical_change(found: TableSchema, row: RowMapping) -> Change:
    """A change of every column of a row, as the triggers would log it."""
    image = {name: _json_value(row[name]) for name in found.image_columns}
    image |= {name: sort_key_value(row[name]) for name in found.watched_table.instant_columns}
    return Change(
        table=found.watched_table.table,
        op=Op.UPDATE,
        old=image,
        new=image,
        changed_columns=frozenset(found.columns),
    )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _json_value(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) or value is None else str(value)
