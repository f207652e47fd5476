"""The render record: the dependencies of a response, and why it can't be shared, if so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .clock_values import ClockUse
from .current_record import close_current, current, current_record, end, isolated, open_records
from .dependency import Dependency, Table
from .dependency_groups import DependencyGroup, KeyedTable
from .part import Part

if TYPE_CHECKING:
    from .read_places import ReadPlaces

__all__ = [
    "RenderRecord",
    "add_start_check",
    "begin",
    "current_record",
    "dry_run",
    "end",
    "isolated",
    "note_unattributed_read",
    "recording",
]


@dataclass(slots=True)
class RenderRecord:
    """The dependencies of a response so far.

    Attributes:
        started_at: when the render began (UTC).
        log_positions: positions of the change log, each read before the first query on its
            connection.
        unshareable_reason: the first reason why the response can't be shared.
        unattributed_read: a reason that may have nothing to do with the response's own view.
        places: the lines at which it read what can't be recorded; None in production.
        is_dry_run: whether the response is rendered only to report its dependencies and how it
            would be registered.
    """

    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    single_dependencies: set[Dependency] = field(default_factory=set)
    groups: set[DependencyGroup] = field(default_factory=set)
    row_keys: dict[KeyedTable, set[Any]] = field(default_factory=dict)
    """The keys of the returned rows, for each table of each statement."""
    log_positions: list[str] = field(default_factory=list)
    readers: list[Callable[[], Any]] = field(default_factory=list)
    """Weak references to the connections on which the log positions were read."""
    unshareable_reason: str | None = None
    unshareable_reasons: list[str] = field(default_factory=list)
    """All reasons why it can't be shared, if `places` is set."""
    unseen_reads: list[str] = field(default_factory=list)
    """All values that `unseen` would have had, if `places` is set."""
    places: ReadPlaces | None = None
    unattributed_read: str | None = None
    clock: ClockUse | None = None
    """The use of the current time in a query; of several, the one with the finest precision."""
    url_text: str = ""
    """The path and query string of the request, which may contain parameter values."""
    results: list[Sequence[Sequence[Any]]] = field(default_factory=list)
    """The rows that were read so far, to find where a parameter comes from."""
    unseen: str | None = None
    """How it read something that can't be recorded; ignored if its tables were `declared`."""
    declared: bool = False
    raw_connections: dict[int, str] = field(default_factory=dict)
    """Pool connections that are not used by a SQLAlchemy `Connection`, with the reason."""
    notes_files: bool = False
    is_dry_run: bool = False
    undeclared_columns: set[tuple[str, str, str]] = field(default_factory=set)
    """In a dry run: table and column by which rows are found or sorted although it is not declared,
    with the field of `WatchedTable` that takes the column."""
    url: str = ""
    etag: str = ""

    @property
    def dependencies(self) -> set[Dependency]:
        """All dependencies of the response, built on each call."""
        dependencies = set(self.single_dependencies)
        for group in self.groups:
            dependencies.update(group.dependencies)
        for keyed, keys in self.row_keys.items():
            dependencies.update(keyed.to_dependencies(keys))
        return dependencies

    def add_dependencies(self, dependencies: Iterable[Dependency]) -> None:
        """Add dependencies of a query."""
        self.single_dependencies.update(dependencies)

    def add_rows(self, keyed: KeyedTable, rows: Iterable[Any]) -> None:
        """Add the rows of a table that a query returned."""
        keys = self.row_keys.get(keyed)
        if keys is None:
            self.row_keys[keyed] = keyed.extract_keys(rows)
        else:
            keys |= keyed.extract_keys(rows)

    def read_unseen(self, how: str) -> None:
        """Record that something was read whose dependencies are unknown."""
        self.unseen = self.unseen or how
        if self.places is not None and how not in self.unseen_reads:
            self.unseen_reads.append(how)
            self.places.add(how)

    def declare(self, tables: Iterable[str]) -> None:
        """Add tables that are read in ways that can't be recorded."""
        self.declared = True
        self.single_dependencies.update(Table(table=name) for name in tables)

    @property
    def read_how(self) -> str | None:
        """How it read from unknown tables; None if it did not or if they were declared."""
        if self.declared:
            return None
        return self.unseen or next(iter(self.raw_connections.values()), None)

    @property
    def reads_no_table(self) -> bool:
        """Whether no read of a database was recorded."""
        return not (self.row_keys or self.groups) and all(
            isinstance(d, Part) for d in self.single_dependencies
        )

    def use_clock(self, use: ClockUse) -> None:
        """Record that a query uses the current time."""
        if self.clock is None or use.grain < self.clock.grain:
            self.clock = use
            self.record_place(use.what)

    def record_place(self, key: str) -> None:
        """Record the line of the app that caused this read, outside production."""
        if self.places is not None:
            self.places.add(key)

    def merge(self, other: RenderRecord) -> None:
        """Add the contents of another record."""
        self.single_dependencies |= other.single_dependencies
        self.groups |= other.groups
        for keyed, keys in other.row_keys.items():
            self.row_keys.setdefault(keyed, set()).update(keys)
        self.log_positions += other.log_positions
        self.unattributed_read = self.unattributed_read or other.unattributed_read
        self.unseen = self.unseen or other.unseen
        self.unseen_reads += other.unseen_reads
        self.unshareable_reasons += other.unshareable_reasons
        self.raw_connections |= other.raw_connections
        if other.clock is not None:
            self.use_clock(other.clock)
        if other.unshareable_reason is not None:
            self.set_unshareable(other.unshareable_reason)

    def set_unshareable(self, reason: str) -> None:
        """Set the reason why the response can't be shared; the first reason stays."""
        self.unshareable_reason = self.unshareable_reason or reason
        if self.places is not None and reason not in self.unshareable_reasons:
            self.unshareable_reasons.append(reason)
            self.places.add(reason)


_UNATTRIBUTED_READ = (
    "a thread that was started outside a request queried the database while this page was "
    "rendered, possibly for it: run it in `contextvars.copy_context()`, or in "
    "`recorder.isolated()` if its queries have nothing to do with pages"
)


def note_unattributed_read() -> None:
    """Record a query made outside any recording.

    It may belong to any render in progress, so all of them become unshareable. Threads inside
    `isolated()` or after `end()` are exempt.
    """
    if open_records and current.get(_NO_RECORD) is _NO_RECORD:
        for record in list(open_records.values()):
            record.unattributed_read = _UNATTRIBUTED_READ


_NO_RECORD = RenderRecord()


_dry_run_records: ContextVar[list[RenderRecord] | None] = ContextVar("edge_watched", default=None)


@contextmanager
def dry_run() -> Iterator[list[RenderRecord]]:
    """Collect the records that begin inside; their responses are not sent and not registered."""
    records: list[RenderRecord] = []
    token = _dry_run_records.set(records)
    try:
        yield records
    finally:
        _dry_run_records.reset(token)


_start_checks: dict[Callable[[], str | None], None] = {}


def add_start_check(question: Callable[[], str | None]) -> None:
    """Call a function for each new record; it returns why the record is incomplete, or None."""
    _start_checks[question] = None


def _run_start_checks(record: RenderRecord) -> RenderRecord:
    for question in _start_checks:
        if (reason := question()) is not None:
            record.set_unshareable(reason)
    return record


@contextmanager
def recording() -> Iterator[RenderRecord]:
    """Record everything that is read inside. An inner recording runs no start checks."""
    outer = current_record()
    record = RenderRecord() if outer is not None else _run_start_checks(RenderRecord())
    record.places = None if outer is None else outer.places
    token = current.set(record)
    try:
        yield record
    finally:
        current.reset(token)


def begin() -> RenderRecord:
    """Begin a record as the current one; `end` removes it."""
    dry_run_records = _dry_run_records.get()
    record = _run_start_checks(RenderRecord(is_dry_run=dry_run_records is not None))
    if dry_run_records is not None:
        dry_run_records.append(record)
    close_current()
    current.set(record)
    open_records[id(record)] = record
    return record
