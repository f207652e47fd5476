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

from ..changes.log_position import LOG_POSITION_QUERY
from ..changes.prepared_statement import PreparedStatement
from ..changes.tables import META
from . import DependencyPlan, PublicSchema, Table, UnshareableQueryError, analyse_select
from .clock_values import clock_in_sql
from .fence import describe
from .parameters import record_clock_use
from .plan import ParameterValues
from .raw_connections import watch_driver
from .recorder import RenderRecord, add_start_check, current_record, note_unattributed_read

INTERNAL_OPTIONS = {"edge_internal": True}
"""Execution options of the edge's own transactions: neither read by a page nor a write to tell."""

READ_TABLES_OPTION = "edge_reads"
"""The execution option that names the tables which raw SQL reads."""

_HAS_WRITTEN = "edge.wrote"
_POSITION_TAKEN_FOR = "edge.marked"
_PAUSED = "edge.paused"


class EngineListener:
    """Listens to an engine: what responses read, and when a write is over."""

    def __init__(self, schema: PublicSchema, *, on_write: Callable[[], None] | None = None) -> None:
        self.schema = schema
        self.on_write = on_write
        self._plans: WeakKeyDictionary[Any, DependencyPlan | UnshareableQueryError] = (
            WeakKeyDictionary()
        )

    def attach(self, engine: Engine) -> None:
        """Attach to an engine, once."""
        event.listen(engine, "before_cursor_execute", self._before_execute)
        event.listen(engine, "after_cursor_execute", self._after_execute)
        event.listen(engine, "checkin", self._on_checkin)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "begin", _take_write_lock)
            event.listen(engine, "before_cursor_execute", _resume_reads)
            event.listen(engine, "commit", _forget_pause)
            event.listen(engine, "rollback", _forget_pause)
        _tracked_dialects.add(engine.dialect)
        _listen_to_all_engines()
        _listen_to_sessions()
        watch_driver()

    def _before_execute(
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
            _set_current_unshareable(error, "before a query")

    def _begin_read(self, connection: Connection, statement: str, context: Any) -> None:
        if context.execution_options.get("edge_internal"):
            return
        kind = classify_statement(statement, context)
        if kind is StatementKind.WRITE:
            connection.info.setdefault(_HAS_WRITTEN, set()).add(self)
        record = current_record()
        if record is None and kind is StatementKind.READ:
            note_unattributed_read()
        if record is None or kind is StatementKind.CONTROL:
            return
        if connection.info.get(_HAS_WRITTEN):
            record.set_unshareable("it was built by a request that writes to the database")
        if connection.info.get(_POSITION_TAKEN_FOR) is not record:
            connection.info[_POSITION_TAKEN_FOR] = record
            record.readers.append(ref(connection))
            record.log_positions.append(_read_log_position(connection))

    def _after_execute(
        self,
        _connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
    ) -> None:
        record = current_record()
        if record is None or record.unshareable_reason:
            return
        try:
            reason = _reason_not_recorded(statement, context)
        except Exception as error:  # noqa: BLE001 - as above
            reason = describe(error, "before the rows of a query")
        if reason is not None:
            if reason:
                record.set_unshareable(reason)
            return
        rows = _fetch_rows(cursor, context)  # if this fails, so does the application's own query
        try:
            self._record_query(record, statement, parameters, context, rows)
        except Exception as error:  # noqa: BLE001 - as above
            _set_current_unshareable(error, "while it analysed a query")

    def _record_query(
        self, record: RenderRecord, statement: str, parameters: Any, context: Any, rows: list[Any]
    ) -> None:
        record_clock_use(record, statement, parameters, context)
        declared = context.execution_options.get(READ_TABLES_OPTION)
        if declared is not None:
            record.add_dependencies(Table(table=name) for name in declared)
        else:
            try:
                plan = self._plan_of(context.compiled)
            except UnshareableQueryError as reason:
                record.set_unshareable(str(reason))
                return
            plan.add_to(record, _parameter_values(context), rows)
        record.results.append(rows)

    def _plan_of(self, compiled: Any) -> DependencyPlan:
        plan_or_error = self._plans.get(compiled)
        if plan_or_error is None:
            try:
                plan_or_error = analyse_select(compiled, self.schema, clock=True)
            except UnshareableQueryError as reason:
                plan_or_error = reason
            except Exception as error:  # noqa: BLE001 - one statement is not understood
                plan_or_error = UnshareableQueryError(describe(error, "while it analysed a query"))
            self._plans[compiled] = plan_or_error
        if isinstance(plan_or_error, UnshareableQueryError):
            raise plan_or_error
        return plan_or_error

    def _on_checkin(self, _connection: Any, record: Any) -> None:
        """A connection goes back to its pool: whatever it wrote is committed or gone."""
        try:
            record.info.pop(_PAUSED, None)
            writers: set[EngineListener] = record.info.get(_HAS_WRITTEN, set())
            if self in writers:
                writers.discard(self)
                if self.on_write is not None:
                    self.on_write()
        except Exception as error:  # noqa: BLE001 - the write is committed
            describe(error, "after a write")


_tracked_dialects: WeakSet[Dialect] = WeakSet()
"""Those of the engines that are listened to; an engine keeps its own, however it is opened."""


def _listen_to_all_engines() -> None:
    """See every engine's reads; to be called as often as one likes."""
    if not event.contains(Engine, "before_cursor_execute", _on_untracked_read):
        event.listen(Engine, "before_cursor_execute", _on_untracked_read)


def _on_untracked_read(
    connection: Connection,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    context: Any,
    _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
) -> None:
    """Spoil a page that reads a database, or through an engine, whose changes nobody tells."""
    record = current_record()
    if record is None or connection.dialect in _tracked_dialects:
        return
    try:
        if (
            classify_statement(statement, context) is StatementKind.READ
            and context.execution_options.get(READ_TABLES_OPTION) != ()
        ):
            where = connection.engine.url.render_as_string(hide_password=True)
            record.set_unshareable(f"it read through an engine that is not followed ({where})")
    except Exception as error:  # noqa: BLE001 - as above
        _set_current_unshareable(error, "before a query of another engine")


def _set_current_unshareable(error: Exception, during: str) -> None:
    """Keep the response of this context out of every cache, after an error of ours."""
    sentence = describe(error, during)
    record = current_record()
    if record is not None:
        record.set_unshareable(sentence)


def end_reads(record: RenderRecord) -> None:
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
    return (
        dialect.name == "sqlite" and not dialect.is_async and not connection.info.get(_HAS_WRITTEN)
    )


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
    (_TAKE_WRITE_LOCK if raw.in_transaction else _BEGIN_IMMEDIATE).execute(connection)


_BEGIN_IMMEDIATE = PreparedStatement(sa.text("BEGIN IMMEDIATE"))
_TAKE_WRITE_LOCK = PreparedStatement(sa.text(f"UPDATE {META} SET value = value WHERE 0"))  # noqa: S608 - a constant name; it takes the lock


def _reason_not_recorded(statement: str, context: Any) -> str | None:
    """Why the rows of a statement say nothing; empty where they are no page's. None: read them."""
    options = context.execution_options
    if (
        options.get("edge_internal")
        or classify_statement(statement, context) is not StatementKind.READ
    ):
        return ""
    if options.get(READ_TABLES_OPTION) is not None:
        clock_text = clock_in_sql(statement)
        return (
            f"its raw SQL asks for the present moment or for chance ({clock_text})"
            if clock_text
            else None
        )
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
        self.sessions: WeakSet[Session] = WeakSet()


_sessions = _Sessions()


def _listen_to_sessions() -> None:
    """Know every session from its first statement on; to be called as often as one likes."""
    if not event.contains(Session, "after_begin", _on_session_begin):
        event.listen(Session, "after_begin", _on_session_begin)
    add_start_check(_reason_session_has_rows)


def _on_session_begin(
    session: Session, _transaction: SessionTransaction, _connection: Connection
) -> None:
    try:
        _sessions.sessions.add(session)
    except Exception as error:  # noqa: BLE001 - as above
        _set_current_unshareable(error, "as a session began")


def _reason_session_has_rows() -> str | None:
    """Why what a session of this thread gives can't be seen: it has rows from before."""
    for session in _sessions.sessions:
        if any(not state.expired for state in session.identity_map.all_states()):
            return "a session held rows already when it began"
    return None


class StatementKind(Enum):
    """What a statement does to the tables."""

    READ = auto()
    WRITE = auto()
    CONTROL = auto()


_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
_CONTROL_STATEMENTS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET")
_CHANGES_NAME_RESOLUTION = re.compile(r"^SET\b.*\b(SEARCH_PATH|SCHEMA|ROLE|AUTHORIZATION)\b")
"""What lets the same names mean other tables, or other rows; it is as bad as a write."""
_READ_STATEMENTS = ("SELECT", "SHOW", "PRAGMA")


def classify_statement(statement: str, context: Any) -> StatementKind:
    """What a statement does; what is not plainly a SELECT may write."""
    if context.isinsert or context.isupdate or context.isdelete:
        return StatementKind.WRITE
    if context.compiled is not None and not context.isddl and not context.is_text:
        if context.compiled.ctes and any(cte.element.is_dml for cte in context.compiled.ctes):
            return StatementKind.WRITE
        return StatementKind.CONTROL if statement.startswith(_SAVEPOINTS) else StatementKind.READ
    word = statement.lstrip("( \n\t").upper()
    if word.startswith(_CONTROL_STATEMENTS) and not _CHANGES_NAME_RESOLUTION.search(word):
        return StatementKind.CONTROL
    return StatementKind.READ if word.startswith(_READ_STATEMENTS) else StatementKind.WRITE


def _read_log_position(connection: Connection) -> str:
    """A mark on this very connection, past the events that we are called from."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(LOG_POSITION_QUERY[connection.dialect.name])
        row = cursor.fetchone()
        return str(row[0] if row else 0)
    finally:
        cursor.close()


def _fetch_rows(cursor: Any, context: Any) -> list[Any]:
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


def _parameter_values(context: Any) -> ParameterValues:
    """The parameters of a statement."""
    return ParameterValues(
        values=context.compiled_parameters[0],
        expanded=context._expanded_parameters or {},  # noqa: SLF001 - the only way to an IN list's values
    )
