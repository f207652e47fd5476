"""SQLAlchemy event listeners: record the reads of a response, and report finished writes.

Before the first statement of a render on a connection, the log position is read in the same
transaction, so every read comes after it. A session that already holds rows when the record
begins returns them without a statement, so such a response is not shared.
"""

from __future__ import annotations

import logging
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
from . import sqlalchemy_private as private
from .clock_values import clock_in_sql
from .fence import describe
from .parameters import record_clock_use
from .plan import ParameterValues
from .raw_connections import watch_driver
from .recorder import RenderRecord, add_start_check, current_record, note_unattributed_read

_log = logging.getLogger(__name__)

INTERNAL_OPTIONS = {"edge_internal": True}
"""Execution options of this library's own transactions, which are neither recorded nor reported."""

READ_TABLES_OPTION = "edge_reads"
"""The execution option that names the tables that raw SQL reads."""

_HAS_WRITTEN = "edge.wrote"
_POSITION_TAKEN_FOR = "edge.marked"
_PAUSED = "edge.paused"


class EngineListener:
    """Listens to an engine: records what responses read, and reports finished writes."""

    def __init__(self, schema: PublicSchema, *, on_write: Callable[[], None] | None = None) -> None:
        self.schema = schema
        self.on_write = on_write
        self._plans: WeakKeyDictionary[Any, DependencyPlan | UnshareableQueryError] = (
            WeakKeyDictionary()
        )

    def attach(self, engine: Engine) -> None:
        """Attach the listeners to an engine; call it once per engine."""
        _check_sqlalchemy()
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
        except Exception as error:  # noqa: BLE001 - the application's statement must run
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
        if record is None or (record.unshareable_reason and record.places is None):
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
            except Exception as error:  # noqa: BLE001 - this statement can't be analysed
                plan_or_error = UnshareableQueryError(describe(error, "while it analysed a query"))
            self._plans[compiled] = plan_or_error
        if isinstance(plan_or_error, UnshareableQueryError):
            raise plan_or_error
        return plan_or_error

    def _on_checkin(self, _connection: Any, record: Any) -> None:
        """Report a write at pool check-in: its transaction is committed or rolled back.

        A pool event sees every writer of this process, the ORM and raw connections alike.
        """
        try:
            record.info.pop(_PAUSED, None)
            writers: set[EngineListener] = record.info.get(_HAS_WRITTEN, set())
            if self in writers:
                writers.discard(self)
                if self.on_write is not None:
                    self.on_write()
        except Exception as error:  # noqa: BLE001 - the write is committed
            describe(error, "after a write")


def _check_sqlalchemy() -> None:
    """Share no response if the installed SQLAlchemy lacks a private name that is needed."""
    reason = private.unsupported_reason()
    if reason is not None:
        extra = {"reason": reason}
        _log.error("edge.sqlalchemy_unsupported: no response is shared: %s", reason, extra=extra)
        add_start_check(lambda: reason)


_tracked_dialects: WeakSet[Dialect] = WeakSet()
"""The dialects of the tracked engines. Engines with other options share the dialect object."""


def _listen_to_all_engines() -> None:
    """Listen to the reads of all engines; further calls do nothing."""
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
    """Mark the response unshareable if it queries an engine that is not tracked."""
    record = current_record()
    if record is None or connection.dialect in _tracked_dialects:
        return
    try:
        if (
            classify_statement(statement, context) is StatementKind.READ
            and context.execution_options.get(READ_TABLES_OPTION) != ()
        ):
            where = connection.engine.url.render_as_string(hide_password=True)
            record.set_unshareable(f"it queried an engine that is not tracked ({where})")
    except Exception as error:  # noqa: BLE001 - as above
        _set_current_unshareable(error, "before a query of another engine")


def _set_current_unshareable(error: Exception, during: str) -> None:
    """Mark the current response unshareable after an error of this library."""
    sentence = describe(error, during)
    record = current_record()
    if record is not None:
        record.set_unshareable(sentence)


def end_reads(record: RenderRecord) -> None:
    """End the read-only SQLite transactions of a response.

    While one of them is open, SQLite cannot reset its write-ahead log. A later statement on the
    same connection begins a new transaction, so the only difference for the application is that
    it reads what has been committed since.
    """
    for reader in record.readers:
        connection = reader()
        if connection is not None and _only_reads(connection):
            _end_transaction(connection)


def _only_reads(connection: Connection) -> bool:
    """Return whether this is an open SQLite connection that has written nothing."""
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
        return  # the transaction stays open
    connection.info[_PAUSED] = True


def _resume_reads(connection: Connection, *_: Any) -> None:
    """Begin a new transaction after `end_reads` ended the former one."""
    if not connection.info.pop(_PAUSED, False):
        return
    raw: Any = connection.connection.driver_connection
    if not raw.in_transaction:
        raw.execute("BEGIN")


def _forget_pause(connection: Connection) -> None:
    """Clear the flag of `end_reads`: the application has ended the transaction itself."""
    connection.info.pop(_PAUSED, None)


def _take_write_lock(connection: Connection) -> None:
    """Take SQLite's write lock at the start of this library's own write transactions.

    The driver begins a transaction only at the first write, and a listener of the application may
    begin it without the lock.
    """
    if not connection.get_execution_options().get("edge_writes"):
        return
    raw: Any = connection.connection.driver_connection
    (_TAKE_WRITE_LOCK if raw.in_transaction else _BEGIN_IMMEDIATE).execute(connection)


_BEGIN_IMMEDIATE = PreparedStatement(sa.text("BEGIN IMMEDIATE"))
_TAKE_WRITE_LOCK = PreparedStatement(sa.text(f"UPDATE {META} SET value = value WHERE 0"))  # noqa: S608 - a constant name; it takes the lock


def _reason_not_recorded(statement: str, context: Any) -> str | None:
    """Return why a query can't be analysed; "" if it is not to be recorded; None if it is fine."""
    options = context.execution_options
    if (
        options.get("edge_internal")
        or classify_statement(statement, context) is not StatementKind.READ
    ):
        return ""
    if options.get(READ_TABLES_OPTION) is not None:
        clock_text = clock_in_sql(statement)
        return (
            f"its raw SQL uses the current time or a random value ({clock_text})"
            if clock_text
            else None
        )
    if context.compiled is None:
        return f"the tables in raw SQL are not known: {statement[:80]!r}"
    if options.get("schema_translate_map"):
        return "its tables are in another schema (schema_translate_map)"
    if context.compiled.literal_execute_params:
        return "the value of a parameter is written into the SQL (literal_execute)"
    return None


class _Sessions(threading.local):
    """The sessions that this thread has used."""

    def __init__(self) -> None:
        self.sessions: WeakSet[Session] = WeakSet()


_sessions = _Sessions()


def _listen_to_sessions() -> None:
    """Register every session at its first statement; further calls do nothing."""
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
    """Return a reason if a session of this thread already holds rows: their use is not recorded."""
    for session in _sessions.sessions:
        if any(not state.expired for state in session.identity_map.all_states()):
            return "a session already held rows when the request began"
    return None


class StatementKind(Enum):
    """Whether a statement reads, writes, or only controls the transaction."""

    READ = auto()
    WRITE = auto()
    CONTROL = auto()


_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")
_CONTROL_STATEMENTS = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "SET")
_CHANGES_NAME_RESOLUTION = re.compile(r"^SET\b.*\b(SEARCH_PATH|SCHEMA|ROLE|AUTHORIZATION)\b")
"""Statements after which a name may mean another table or other rows; they count as writes."""
_READ_STATEMENTS = ("SELECT", "SHOW", "PRAGMA")


def classify_statement(statement: str, context: Any) -> StatementKind:
    """Return the kind of a statement; a statement that is not certainly a SELECT may write."""
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
    """Read the log position on this connection with a driver cursor, without SQLAlchemy events."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(LOG_POSITION_QUERY[connection.dialect.name])
        row = cursor.fetchone()
        return str(row[0] if row else 0)
    finally:
        cursor.close()


def _fetch_rows(cursor: Any, context: Any) -> list[Any]:
    """Return the rows of a statement, and buffer them for the application."""
    if cursor.description is None:
        return []
    strategy = context.cursor_fetch_strategy
    if isinstance(
        strategy, FullyBufferedCursorFetchStrategy
    ):  # buffered by the listener of another app
        return private.buffered_rows(strategy)
    rows: list[Any] = cursor.fetchall()
    context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
        cursor, cursor.description, rows
    )
    return rows


def _parameter_values(context: Any) -> ParameterValues:
    """Return the parameter values of this execution."""
    return ParameterValues(
        values=context.compiled_parameters[0],
        expanded=private.expanded_parameters(context),
    )
