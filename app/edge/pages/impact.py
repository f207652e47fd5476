"""Asking the index: which pages show a row, and which an action would touch. Nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from ..changes.change import Change, Op
from ..changes.encoding import whole
from ..changes.log import last, own
from ..changes.triggers import shape
from ..changes.watched_table import Shape, Watched
from .page import urls
from .resolve import MOST_CHANGES, Resolution, affected


class UnknownSubject(LookupError):  # noqa: N818 - reads as what it says
    """Nobody knows what was asked about; the message says what would be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What somebody asked about: the rows of this name, as a change of each would be logged."""

    table: str
    handle: str
    label: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """The registered pages that a change touches, or everything and why."""

    what: str
    urls: tuple[str, ...]
    everything: str = ""

    @classmethod
    def by(cls, what: str, resolution: Resolution) -> Touched:
        """From what resolving gave."""
        found = urls(resolution.pages)
        return cls(what=what, urls=found, everything=resolution.everything)

    def words(self) -> Iterator[str]:
        """The same for people."""
        if self.everything:
            yield f"{self.what} touches everything: {self.everything}."
        elif not self.urls:
            yield f"{self.what} touches no page that is kept anywhere."
        else:
            pages = "1 page" if len(self.urls) == 1 else f"{len(self.urls)} pages"
            yield f"{self.what} touches {pages}:"
            yield from (f"  {url}" for url in self.urls)

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {"what": self.what, "urls": list(self.urls), "everything": self.everything}


def who(connection: Connection, subject: Subject, columns: Iterable[str] = ()) -> Touched:
    """The pages that a change of a row would touch: of these columns, or of any."""
    chosen = frozenset(columns)
    if unknown := chosen - subject.changes[0].changed:
        raise UnknownSubject(f"{subject.table} has no column {', '.join(sorted(unknown))}.")
    changes = [replace(change, changed=chosen or change.changed) for change in subject.changes]
    part = f"{' and '.join(sorted(chosen))} of " if chosen else ""
    what = f"A change of {part}{subject.table} {subject.label!r}"
    return Touched.by(what, affected(connection, changes))


def touched_by(connection: Connection, action: Callable[[], object], what: str) -> Touched:
    """The pages that an action would touch; it writes on this connection.

    The caller takes it back. The transaction holds SQLite's write lock; the action leaves it open.
    """
    before = last(connection)
    action()
    found = own(connection, after=before, most=MOST_CHANGES)
    if len(found) > MOST_CHANGES:
        return Touched(what=what, urls=(), everything="more changes than are told apart")
    return Touched.by(what, affected(connection, found))


def find(
    connection: Connection, watched: Sequence[Watched], asked: str, table: str | None = None
) -> Subject:
    """The row that a slug or a path names: the first table that has it, unless one is said."""
    handle = asked.rstrip("/").rpartition("/")[2]
    named = [one for one in watched if one.handle and table in {None, one.table}]
    if not named:
        known = ", ".join(one.table for one in watched if one.handle)
        raise UnknownSubject(f"Rows of {table} can't be asked for by a name: {known} can.")
    for one in named:
        if (found := _subject(connection, one, handle)) is not None:
            return found
    tables = " and no ".join(one.table for one in named)
    raise UnknownSubject(f"There is no {tables} {handle!r}.")


def _subject(connection: Connection, watched: Watched, handle: str) -> Subject | None:
    found = shape(connection, watched)
    wanted = dict.fromkeys((*found.imaged, *watched.instants, watched.label or watched.handle))
    columns: list[Any] = [
        sa.literal_column(_quoted(connection, name)).label(name) for name in wanted
    ]
    named = sa.literal_column(_quoted(connection, watched.handle)) == handle
    statement = sa.select(*columns).select_from(sa.table(watched.table)).where(named)
    rows = connection.execute(statement).mappings().all()
    if not rows:
        return None
    return Subject(
        table=watched.table,
        handle=handle,
        label=str(rows[0][watched.label or watched.handle]),
        changes=tuple(_pretended(found, row) for row in rows),
    )


def _pretended(found: Shape, row: RowMapping) -> Change:
    """A change of every column of a row, as the triggers would log it."""
    image = {name: _plain(row[name]) for name in found.imaged}
    image |= {name: whole(row[name]) for name in found.watched.instants}
    return Change(
        table=found.watched.table,
        op=Op.UPDATE,
        old=image,
        new=image,
        changed=frozenset(found.columns),
    )


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) or value is None else str(value)
