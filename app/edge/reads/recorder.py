"""The record of one response: what it was built from, and why it can't be known if it can't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .clock import ClockUse
from .dependency import Dependency, Part, Table
from .found import Group, Keyed


@dataclass(slots=True)
class Record:
    """What a response was built from so far.

    `began` is when, by the clock on the wall. `marks` are places in the change log, each taken
    before the first read on its connection; `spoilt` is the reason why the response can't be
    shared, the first one found, and `doubted` one that need not be its view's fault. A `rehearsal`
    is made for whoever asks what a page is built from; it tells how the page would be registered.
    """

    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    noted: set[Dependency] = field(default_factory=set)
    groups: set[Group] = field(default_factory=set)
    rows: dict[Keyed, set[Any]] = field(default_factory=dict)
    """The keys of the rows that were returned, of each table of each statement."""
    marks: list[str] = field(default_factory=list)
    readers: list[Callable[[], Any]] = field(default_factory=list)
    """Weak references to the connections that the marks were taken on."""
    spoilt: str | None = None
    doubted: str | None = None
    clock: ClockUse | None = None
    """The parameter or function that asked for the present moment; of several the finest."""
    url_text: str = ""
    """The path and query as they were sent, whose values a page may depend on."""
    results: list[Sequence[Sequence[Any]]] = field(default_factory=list)
    """The rows that were read so far, to know where a parameter comes from."""
    unseen: str | None = None
    """How it read something of which no dependency tells, unless its tables were `declared`."""
    declared: bool = False
    raw_connections: dict[int, str] = field(default_factory=dict)
    """Connections that were taken from a pool, and by no `Connection` of SQLAlchemy."""
    notes_files: bool = False
    rehearsal: bool = False
    url: str = ""
    etag: str = ""

    @property
    def dependencies(self) -> set[Dependency]:
        """All that it was built from, spelt out."""
        found = set(self.noted)
        for group in self.groups:
            found.update(group.dependencies)
        for keyed, keys in self.rows.items():
            found.update(keyed.dependencies(keys))
        return found

    def read(self, dependencies: Iterable[Dependency]) -> None:
        """Note what a query depends on."""
        self.noted.update(dependencies)

    def read_rows(self, keyed: Keyed, rows: Iterable[Any]) -> None:
        """Note the rows of a table that a query returned."""
        keys = self.rows.get(keyed)
        if keys is None:
            self.rows[keyed] = keyed.keys(rows)
        else:
            keys |= keyed.keys(rows)

    def read_unseen(self, how: str) -> None:
        """Note that something was read of which no dependency tells."""
        self.unseen = self.unseen or how

    def declare(self, tables: Iterable[str]) -> None:
        """Note the tables that are read in ways that can't be seen."""
        self.declared = True
        self.noted.update(Table(table=name) for name in tables)

    @property
    def read_how(self) -> str | None:
        """How it read something of which nobody knows the tables."""
        if self.declared:
            return None
        return self.unseen or next(iter(self.raw_connections.values()), None)

    @property
    def reads_no_table(self) -> bool:
        """Whether it was built from nothing that a database holds, as far as is known."""
        return not (self.rows or self.groups) and all(isinstance(d, Part) for d in self.noted)

    def use_clock(self, use: ClockUse) -> None:
        """Note that a query asked for the present moment."""
        if self.clock is None or use.grain < self.clock.grain:
            self.clock = use

    def join(self, other: Record) -> None:
        """Note what another record holds as well."""
        self.noted |= other.noted
        self.groups |= other.groups
        for keyed, keys in other.rows.items():
            self.rows.setdefault(keyed, set()).update(keys)
        self.marks += other.marks
        self.doubted = self.doubted or other.doubted
        self.unseen = self.unseen or other.unseen
        self.raw_connections |= other.raw_connections
        if other.clock is not None:
            self.use_clock(other.clock)
        if other.spoilt is not None:
            self.spoil(other.spoilt)

    def spoil(self, reason: str) -> None:
        """Note that what was read can't be known, or must not be shared."""
        self.spoilt = self.spoilt or reason


_current: ContextVar[Record | None] = ContextVar("edge_record")
_open: dict[int, Record] = {}
"""The records of responses that are being made in this process, whoever makes them."""

_BESIDE = (
    "a thread that no request had begun read the database meanwhile, perhaps for this page: let "
    "it run in a copy of the context (contextvars.copy_context().run), or in recorder.apart() "
    "where it has nothing to do with pages"
)


def current() -> Record | None:
    """The record of the response that is being made, if one is kept."""
    return _current.get(None)


def read_beside() -> None:
    """Note a read that is on no record; it may be on behalf of any that is open.

    Who has said that it keeps none (`apart`, `end`) reads for itself.
    """
    if _open and _current.get(_NOBODY) is _NOBODY:
        for record in list(_open.values()):
            record.doubted = _BESIDE


_NOBODY = Record()


_watched: ContextVar[list[Record] | None] = ContextVar("edge_watched", default=None)


@contextmanager
def rehearsing() -> Iterator[list[Record]]:
    """See the records that begin inside; their responses go to nobody and are not registered."""
    found: list[Record] = []
    token = _watched.set(found)
    try:
        yield found
    finally:
        _watched.reset(token)


_questions: dict[Callable[[], str | None], None] = {}


def ask_first(question: Callable[[], str | None]) -> None:
    """Ask this of every record that begins: why it can't be whole from its beginning, if so."""
    _questions[question] = None


def _opened(record: Record) -> Record:
    for question in _questions:
        if (reason := question()) is not None:
            record.spoil(reason)
    return record


@contextmanager
def recording() -> Iterator[Record]:
    """Keep a record of everything that is read inside; one within another is a part of it."""
    record = Record() if current() is not None else _opened(Record())
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def begin() -> Record:
    """Keep a record from now on; `end` forgets it."""
    watched = _watched.get()
    record = _opened(Record(rehearsal=watched is not None))
    if watched is not None:
        watched.append(record)
    _close()
    _current.set(record)
    _open[id(record)] = record
    return record


@contextmanager
def apart() -> Iterator[None]:
    """Whatever record begins inside ends there, too; one outside is not touched."""
    token = _current.set(None)
    try:
        yield
    finally:
        _close()
        _current.reset(token)


def end() -> None:
    """Keep no record any more."""
    _close()
    _current.set(None)


def _close() -> None:
    _open.pop(id(current()), None)
