"""SQLAlchemy's side of the edge: reads are recorded, and a finished write is told at once.

A connection's first statement under a record is preceded by a mark in the change log, in the
same transaction, so that nothing is read before it. A session that holds rows already when a
record begins gives them without a statement, so that record is spoilt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.orm import Session, SessionTransaction

from .changes.mark import MARK
from .reads import Plan, Schema, Table, Unreadable, analyse
from .reads.plan import Parameters
from .reads.recorder import ask_first, current

INTERNAL = {"edge_internal": True}
"""Execution options of the edge's own transactions: neither read by a page nor a write to tell."""

READS = "edge_reads"
"""The execution option that names the tables which raw SQL reads."""

_WROTE = "edge.wrote"
_MARKED = "edge.marked"


class Observer:
    """Listens to an engine: what responses read, and when a write is over."""

    def __init__(self, schema: Schema, *, on_write: Callable[[], None] | None = None) -> None:
        self.schema = schema
        self.on_write = on_write
        self._plans: WeakKeyDictionary[Any, Plan | Unreadable] = WeakKeyDictionary()

    def listen(self, engine: Engine) -> None:
        """Attach to an engine, once."""
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)
        event.listen(engine, "checkin", self._returned)
        _watch_sessions()

    def _before(
        self,
        connection: Connection,
        _cursor: Any,
        statement: str,
        _parameters: Any,
        context: Any,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
    ) -> None:
        if context.execution_options.get("edge_internal"):
            return
        does = kind(statement, context)
        if does is Kind.WRITE:
            connection.info[_WROTE] = True
        record = current()
        if record is None or does is Kind.NEITHER:
            return
        if connection.info.get(_WROTE):
            record.spoil("it was built by a request that writes to the database")
        if connection.info.get(_MARKED) is not record:
            connection.info[_MARKED] = record
            record.marks.append(_mark(connection))

    def _after(
        self,
        _connection: Connection,
        cursor: Any,
        statement: str,
        _parameters: Any,
        context: Any,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
    ) -> None:
        record = current()
        if record is None or record.spoilt or context.execution_options.get("edge_internal"):
            return
        if kind(statement, context) is not Kind.READ:
            return
        declared = context.execution_options.get(READS)
        if declared is not None:
            record.read(Table(table=name) for name in declared)
            return
        if context.compiled is None:
            record.spoil(f"the tables in raw SQL are not known: {statement[:80]!r}")
            return
        try:
            plan = self._plan(context.compiled)
        except Unreadable as reason:
            record.spoil(str(reason))
            return
        plan.note(record, *_taken(cursor, context))

    def _plan(self, compiled: Any) -> Plan:
        found = self._plans.get(compiled)
        if found is None:
            try:
                found = analyse(compiled, self.schema)
            except Unreadable as reason:
                found = reason
            self._plans[compiled] = found
        if isinstance(found, Unreadable):
            raise found
        return found

    def _returned(self, _connection: Any, record: Any) -> None:
        """A connection goes back to its pool: whatever it wrote is committed or gone."""
        if record.info.pop(_WROTE, False) and self.on_write is not None:
            self.on_write()


class _Sessions(threading.local):
    """The sessions that this thread has read with."""

    def __init__(self) -> None:
        self.known: WeakSet[Session] = WeakSet()


_sessions = _Sessions()


def _watch_sessions() -> None:
    """Know every session from its first statement on; to be called as often as one likes."""
    if not event.contains(Session, "after_begin", _began):
        event.listen(Session, "after_begin", _began)
    ask_first(_held)


def _began(session: Session, _transaction: SessionTransaction, _connection: Connection) -> None:
    _sessions.known.add(session)


def _held() -> str | None:
    """Why what a session of this thread gives can't be seen: it has rows from before."""
    for session in _sessions.known:
        if any(not state.expired for state in session.identity_map.all_states()):
            return "a session held rows already when it began"
    return None


class Kind(Enum):
    """What a statement does to the tables."""

    READ = auto()
    WRITE = auto()
    NEITHER = auto()


_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
_NEITHER = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET")
_READS = ("SELECT", "SHOW", "PRAGMA")


def kind(statement: str, context: Any) -> Kind:
    """What a statement does; what is not plainly a SELECT may write."""
    if context.isinsert or context.isupdate or context.isdelete:
        return Kind.WRITE
    if context.compiled is not None and not context.isddl and not context.is_text:
        return Kind.NEITHER if statement.startswith(_SAVEPOINTS) else Kind.READ
    word = statement.lstrip("( \n\t").upper()
    if word.startswith(_NEITHER):
        return Kind.NEITHER
    return Kind.READ if word.startswith(_READS) else Kind.WRITE


def _mark(connection: Connection) -> str:
    """A mark on this very connection, past the events that we are called from."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(MARK[connection.dialect.name])
        row = cursor.fetchone()
        return str(row[0] if row else 0)
    finally:
        cursor.close()


def _taken(cursor: Any, context: Any) -> tuple[Parameters, list[Any]]:
    """The parameters and rows of a statement; the rows are put back for who asked for them."""
    rows = cursor.fetchall()
    context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
        cursor, cursor.description, rows
    )
    parameters = Parameters(
        values=context.compiled_parameters[0],
        expanded=context._expanded_parameters or {},  # noqa: SLF001 - the only way to an IN list's values
    )
    return parameters, rows
