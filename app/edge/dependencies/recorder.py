"""The record of one response: what it was built from, and why it can't be known if it can't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .clock_values import ClockUse
from .dependency import Dependency, Part, Table
from .dependency_groups import DependencyGroup, KeyedTable


@dataclass(slots=True)
class RenderRecord:
    """What a response was built from so far.

    `began` is when, by the clock on the wall. `marks` are places in the change log, each taken
    before the first read on its connection; `spoilt` is the reason why the response can't be
    shared, the first one found, and `doubted` one that need not be its view's fault. A `rehearsal`
    is made for whoever asks what a page is built from; it tells how the page would be registered.
    """

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    single_dependencies: set[Dependency] = field(default_factory=set)
    groups: set[DependencyGroup] = field(default_factory=set)
    row_keys: dict[KeyedTable, set[Any]] = field(default_factory=dict)
    """The keys of the rows that were returned, of each table of each statement."""
    log_positions: list[str] = field(default_factory=list)
    readers: list[Callable[[], Any]] = field(default_factory=list)
    """Weak references to the connections that the marks were taken on."""
    unshareable_reason: str | None = None
    unattributed_read: str | None = None
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
    is_dry_run: bool = False
    url: str = ""
    etag: str = ""

    @property
    def dependencies(self) -> set[Dependency]:
        """All that it was built from, spelt out."""
        dependencies = set(self.single_dependencies)
        for group in self.groups:
            dependencies.update(group.dependencies)
        for keyed, keys in self.row_keys.items():
            dependencies.update(keyed.to_dependencies(keys))
        return dependencies

    def add_dependencies(self, dependencies: Iterable[Dependency]) -> None:
        """Note what a query depends on."""
        self.single_dependencies.update(dependencies)

    def add_rows(self, keyed: KeyedTable, rows: Iterable[Any]) -> None:
        """Note the rows of a table that a query returned."""
        keys = self.row_keys.get(keyed)
        if keys is None:
            self.row_keys[keyed] = keyed.extract_keys(rows)
        else:
            keys |= keyed.extract_keys(rows)

    def read_unseen(self, how: str) -> None:
        """Note that something was read of which no dependency tells."""
        self.unseen = self.unseen or how

    def declare(self, tables: Iterable[str]) -> None:
        """Note the tables that are read in ways that can't be seen."""
        self.declared = True
        self.single_dependencies.update(Table(table=name) for name in tables)

    @property
    def read_how(self) -> str | None:
        """How it read something of which nobody knows the tables."""
        if self.declared:
            return None
        return self.unseen or next(iter(self.raw_connections.values()), None)

    @property
    def reads_no_table(self) -> bool:
        """Whether it was built from nothing that a database holds, as far as is known."""
        return not (self.row_keys or self.groups) and all(
            isinstance(d, Part) for d in self.single_dependencies
        )

    def use_clock(self, use: ClockUse) -> None:
        """Note that a query asked for the present moment."""
        if self.clock is None or use.grain < self.clock.grain:
            self.clock = use

    def merge(self, other: RenderRecord) -> None:
        """Note what another record holds as well."""
        self.single_dependencies |= other.single_dependencies
        self.groups |= other.groups
        for keyed, keys in other.row_keys.items():
            self.row_keys.setdefault(keyed, set()).update(keys)
        self.log_positions += other.log_positions
        self.unattributed_read = self.unattributed_read or other.unattributed_read
        self.unseen = self.unseen or other.unseen
        self.raw_connections |= other.raw_connections
        if other.clock is not None:
            self.use_clock(other.clock)
        if other.unshareable_reason is not None:
            self.set_unshareable(other.unshareable_reason)

    def set_unshareable(self, reason: str) -> None:
        """Note that what was read can't be known, or must not be shared."""
        self.unshareable_reason = self.unshareable_reason or reason


_current: ContextVar[RenderRecord | None] = ContextVar("edge_record")
_open_records: dict[int, RenderRecord] = {}
"""The records of responses that are being made in this process, whoever makes them."""

_UNATTRIBUTED_READ = (
    "a thread that no request had begun read the database meanwhile, perhaps for this page: let "
    "it run in a copy of the context (contextvars.copy_context().run), or in recorder.apart() "
    "where it has nothing to do with pages"
)


def current_record() -> RenderRecord | None:
    """The record of the response that is being made, if one is kept."""
    return _current.get(None)


def note_unattributed_read() -> None:
    """Note a read that is on no record; it may be on behalf of any that is open.

    Who has said that it keeps none (`apart`, `end`) reads for itself.
    """
    if _open_records and _current.get(_NO_RECORD) is _NO_RECORD:
        for record in list(_open_records.values()):
            record.unattributed_read = _UNATTRIBUTED_READ


_NO_RECORD = RenderRecord()


_dry_run_records: ContextVar[list[RenderRecord] | None] = ContextVar("edge_watched", default=None)


@contextmanager
def dry_run() -> Iterator[list[RenderRecord]]:
    """See the records that begin inside; their responses go to nobody and are not registered."""
    records: list[RenderRecord] = []
    token = _dry_run_records.set(records)
    try:
        yield records
    finally:
        _dry_run_records.reset(token)


_start_checks: dict[Callable[[], str | None], None] = {}


def add_start_check(question: Callable[[], str | None]) -> None:
    """Ask this of every record that begins: why it can't be whole from its beginning, if so."""
    _start_checks[question] = None


def _run_start_checks(record: RenderRecord) -> RenderRecord:
    for question in _start_checks:
        if (reason := question()) is not None:
            record.set_unshareable(reason)
    return record


@contextmanager
def recording() -> Iterator[RenderRecord]:
    """Keep a record of everything that is read inside; one within another is a part of it."""
    record = RenderRecord() if current_record() is not None else _run_start_checks(RenderRecord())
    token = _current.set(record)
    try:
        yield record
    finally:
        _current.reset(token)


def begin() -> RenderRecord:
    """Keep a record from now on; `end` forgets it."""
    dry_run_records = _dry_run_records.get()
    record = _run_start_checks(RenderRecord(is_dry_run=dry_run_records is not None))
    if dry_run_records is not None:
        dry_run_records.append(record)
    _close_current()
    _current.set(record)
    _open_records[id(record)] = record
    return record


@contextmanager
def isolated() -> Iterator[None]:
    """Whatever record begins inside ends there, too; one outside is not touched."""
    token = _current.set(None)
    try:
        yield
    finally:
        _close_current()
        _current.reset(token)


def end() -> None:
    """Keep no record any more."""
    _close_current()
    _current.set(None)


def _close_current() -> None:
    _open_records.pop(id(current_record()), None)
