"""SQLAlchemy's side of the edge: reads are recorded, and a finished write is told at once.

A connection's first statement under a record is preceded by a mark in the change log, in the
same transaction, so that nothing is read before it. A session that holds rows already when a
record begins gives them without a statement, so that record is spoilt.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, ref

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.orm import Session, SessionTransaction

from .changes.mark import MARK
from .changes.tables import META
from .fence import describe
from .index.prepared import Prepared
from .reads import Plan, Schema, Table, Unreadable, analyse
from .reads.clock import clock_in_sql
from .reads.parameters import note_clock
from .reads.plan import Parameters
from .reads.recorder import Record, ask_first, current, read_beside
from .sqlalchemy_driver import watch_driver

INTERNAL = {"edge_internal": True}
"""Execution options of the edge's own transactions: neither read by a page nor a write to tell."""

READS = "edge_reads"
"""The execution option that names the tables which raw SQL reads."""

_WROTE = "edge.wrote"
_MARKED = "edge.marked"
_PAUSED = "edge.paused"


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
        if engine.dialect.name == "sqlite":
            event.listen(engine, "begin", _take_write_lock)
            event.listen(engine, "before_cursor_execute", _resume_reads)
            event.listen(engine, "commit", _forget_pause)
            event.listen(engine, "rollback", _forget_pause)
        _followed.add(engine.dialect)
        _watch_others()
        _watch_sessions()
        watch_driver()

    def _before(
        self,
        connection: Connection,
        _cursor: Any,
        statement: str,
        _parameters: Any,
        context: Any,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
    ) -> None:
        try:
            self._begin_read(connection, statement, context)
        except Exception as error:  # noqa: BLE001 - the application's statement runs all the same
            _spoil(error, "before a query")

    def _begin_read(self, connection: Connection, statement: str, context: Any) -> None:
        if context.execution_options.get("edge_internal"):
            return
        does = kind(statement, context)
        if does is Kind.WRITE:
            connection.info.setdefault(_WROTE, set()).add(self)
        record = current()
        if record is None and does is Kind.READ:
            read_beside()
        if record is None or does is Kind.NEITHER:
            return
        if connection.info.get(_WROTE):
            record.spoil("it was built by a request that writes to the database")
        if connection.info.get(_MARKED) is not record:
            connection.info[_MARKED] = record
            record.readers.append(ref(connection))
            record.marks.append(_mark(connection))

    def _after(
        self,
        _connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
    ) -> None:
        record = current()
        if record is None or record.spoilt:
            return
        try:
            reason = _unreadable(statement, context)
        except Exception as error:  # noqa: BLE001 - as above
            reason = describe(error, "before the rows of a query")
        if reason is not None:
            if reason:
                record.spoil(reason)
            return
        rows = _fetch(cursor, context)  # if this fails, so does the application's own query
        try:
            self._note(record, statement, parameters, context, rows)
        except Exception as error:  # noqa: BLE001 - as above
            _spoil(error, "while it analysed a query")

    def _note(
        self, record: Record, statement: str, parameters: Any, context: Any, rows: list[Any]
    ) -> None:
        note_clock(record, statement, parameters, context)
        declared = context.execution_options.get(READS)
        if declared is not None:
            record.read(Table(table=name) for name in declared)
        else:
            try:
                plan = self._plan(context.compiled)
            except Unreadable as reason:
                record.spoil(str(reason))
                return
            plan.note(record, _taken(context), rows)
        record.results.append(rows)

    def _plan(self, compiled: Any) -> Plan:
        found = self._plans.get(compiled)
        if found is None:
            try:
                found = analyse(compiled, self.schema, clock=True)
            except Unreadable as reason:
                found = reason
            except Exception as error:  # noqa: BLE001 - one statement is not understood
                found = Unreadable(describe(error, "while it analysed a query"))
            self._plans[compiled] = found
        if isinstance(found, Unreadable):
            raise found
        return found

    def _returned(self, _connection: Any, record: Any) -> None:
        """A connection goes back to its pool: whatever it wrote is committed or gone."""
        try:
            record.info.pop(_PAUSED, None)
            writers: set[Observer] = record.info.get(_WROTE, set())
            if self in writers:
                writers.discard(self)
                if self.on_write is not None:
                    self.on_write()
        except Exception as error:  # noqa: BLE001 - the write is committed
            describe(error, "after a write")


_followed: WeakSet[Dialect] = WeakSet()
"""Those of the engines that are listened to; an engine keeps its own, however it is opened."""


def _watch_others() -> None:
    """See every engine's reads; to be called as often as one likes."""
    if not event.contains(Engine, "before_cursor_execute", _read_elsewhere):
        event.listen(Engine, "before_cursor_execute", _read_elsewhere)


def _read_elsewhere(
    connection: Connection,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    context: Any,
    _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
) -> None:
    """Spoil a page that reads a database, or through an engine, whose changes nobody tells."""
    record = current()
    if record is None or connection.dialect in _followed:
        return
    try:
        if kind(statement, context) is Kind.READ and context.execution_options.get(READS) != ():
            where = connection.engine.url.render_as_string(hide_password=True)
            record.spoil(f"it read through an engine that is not followed ({where})")
    except Exception as error:  # noqa: BLE001 - as above
        _spoil(error, "before a query of another engine")


def _spoil(error: Exception, during: str) -> None:
    """Keep the response of this context out of every cache, after an error of ours."""
    sentence = describe(error, during)
    record = current()
    if record is not None:
        record.spoil(sentence)


def end_reads(record: Record) -> None:
    """End the SQLite transactions that a response has only read in.

    While one of them is open, SQLite cannot start its write-ahead log again. A later statement on
    the same connection begins a transaction in its place, so the application sees no difference
    but that it reads what is committed by then.
    """
    for reader in record.readers:
        connection = reader()
        if connection is not None and _only_reads(connection):
            _end_transaction(connection)


def _only_reads(connection: Connection) -> bool:
    """Tell whether a connection is open on SQLite and has written nothing so far."""
    if connection.closed or connection.invalidated or connection.in_nested_transaction():
        return False
    dialect = connection.dialect
    return dialect.name == "sqlite" and not dialect.is_async and not connection.info.get(_WROTE)


def _end_transaction(connection: Connection) -> None:
    raw: Any = connection.connection.driver_connection
    if not raw.in_transaction:
        return
    try:
        raw.commit()
    except connection.dialect.loaded_dbapi.Error:
        return  # the transaction stays open, as if nobody had asked
    connection.info[_PAUSED] = True


def _resume_reads(connection: Connection, *_: Any) -> None:
    """Begin a transaction in place of the one that `end_reads` ended."""
    if not connection.info.pop(_PAUSED, False):
        return
    raw: Any = connection.connection.driver_connection
    if not raw.in_transaction:
        raw.execute("BEGIN")


def _forget_pause(connection: Connection) -> None:
    """The application has ended the transaction itself."""
    connection.info.pop(_PAUSED, None)


def _take_write_lock(connection: Connection) -> None:
    """Let the edge's own transactions hold SQLite's write lock from their beginning.

    The driver begins nothing before the first write, and what an app does about that may begin
    without the lock.
    """
    if not connection.get_execution_options().get("edge_writes"):
        return
    raw: Any = connection.connection.driver_connection
    (_LOCK if raw.in_transaction else _BEGIN).count(connection)


_BEGIN = Prepared(sa.text("BEGIN IMMEDIATE"))
_LOCK = Prepared(sa.text(f"UPDATE {META} SET value = value WHERE 0"))  # noqa: S608 - a constant name; it takes the lock


def _unreadable(statement: str, context: Any) -> str | None:
    """Why the rows of a statement say nothing; empty where they are no page's. None: read them."""
    options = context.execution_options
    if options.get("edge_internal") or kind(statement, context) is not Kind.READ:
        return ""
    if options.get(READS) is not None:
        asked = clock_in_sql(statement)
        return f"its raw SQL asks for the present moment or for chance ({asked})" if asked else None
    if context.compiled is None:
        return f"the tables in raw SQL are not known: {statement[:80]!r}"
    if options.get("schema_translate_map"):
        return "its tables are those of another schema (schema_translate_map)"
    if context.compiled.literal_execute_params:
        return "the value of a parameter is written into the SQL (literal_execute)"
    return None


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
    try:
        _sessions.known.add(session)
    except Exception as error:  # noqa: BLE001 - as above
        _spoil(error, "as a session began")


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
_ELSEWHERE = re.compile(r"^SET\b.*\b(SEARCH_PATH|SCHEMA|ROLE|AUTHORIZATION)\b")
"""What lets the same names mean other tables, or other rows; it is as bad as a write."""
_READS = ("SELECT", "SHOW", "PRAGMA")


def kind(statement: str, context: Any) -> Kind:
    """What a statement does; what is not plainly a SELECT may write."""
    if context.isinsert or context.isupdate or context.isdelete:
        return Kind.WRITE
    if context.compiled is not None and not context.isddl and not context.is_text:
        if context.compiled.ctes and any(cte.element.is_dml for cte in context.compiled.ctes):
            return Kind.WRITE
        return Kind.NEITHER if statement.startswith(_SAVEPOINTS) else Kind.READ
    word = statement.lstrip("( \n\t").upper()
    if word.startswith(_NEITHER) and not _ELSEWHERE.search(word):
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


def _fetch(cursor: Any, context: Any) -> list[Any]:
    """The rows of a statement; they are put back for whoever asked for them."""
    if cursor.description is None:
        return []
    strategy = context.cursor_fetch_strategy
    if isinstance(strategy, FullyBufferedCursorFetchStrategy):  # an observer of another app
        return list(strategy._rowbuffer)  # noqa: SLF001 - SQLAlchemy has no public name for it
    rows: list[Any] = cursor.fetchall()
    context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
        cursor, cursor.description, rows
    )
    return rows


def _taken(context: Any) -> Parameters:
    """The parameters of a statement."""
    return Parameters(
        values=context.compiled_parameters[0],
        expanded=context._expanded_parameters or {},  # noqa: SLF001 - the only way to an IN list's values
    )
