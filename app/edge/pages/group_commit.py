"""Group commit: on SQLite, registrations that wait at the same time share one transaction.

Only one transaction can write to SQLite at a time, and each commit waits for the disk. So the
thread that gets the lock registers the responses of all waiting threads. Each thread continues
once that transaction is on disk. PostgreSQL runs registrations concurrently and groups the
commits itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..changes.prepared_statement import PreparedStatement
from .register import RegistrationResult
from .resolver_lock import promptly
from .wal import empty_large_log

Registration = Callable[[Connection], RegistrationResult]

PATIENCE = timedelta(seconds=4)
"""How long a group waits for SQLite's write lock: longer than a single response would wait,
because the group needs the lock only once."""

LONGEST = timedelta(seconds=8)
"""The maximum time that a response waits for registrations of other threads."""

CHECKPOINT_REST = timedelta(milliseconds=250)
"""The pause after a checkpoint that readers blocked."""

_SAVEPOINT = PreparedStatement(sa.text("SAVEPOINT edge_registration"))
_ROLLBACK = PreparedStatement(sa.text("ROLLBACK TO SAVEPOINT edge_registration"))
_RELEASE = PreparedStatement(sa.text("RELEASE SAVEPOINT edge_registration"))


class _PendingRegistration:
    """A queued registration and its result."""

    __slots__ = ("error", "finished", "register", "verdict")

    def __init__(self, register: Registration) -> None:
        self.register = register
        self.finished = False
        self.verdict: RegistrationResult | None = None
        self.error: BaseException | None = None

    def result(self) -> RegistrationResult:
        """Return the result; raise the exception of the registration or of its transaction."""
        if self.error is not None:
            raise self.error
        assert self.verdict is not None
        return self.verdict


class Registrar:
    """Runs registrations in transactions on one engine, in groups on SQLite.

    `grouped=False` runs each registration in its own transaction, for comparison.
    """

    def __init__(self, engine: Engine, *, grouped: bool = True) -> None:
        self._engine = engine
        self._grouped = grouped and engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._queue: list[_PendingRegistration] = []
        self._queue_lock = threading.Lock()
        self._rest_until = 0.0

    def register(self, registration: Registration) -> RegistrationResult:
        """Run a registration; it is committed and on disk when this returns.

        Raises the exception of the registration, or a DBAPIError or TimeoutError if the database
        is not available in time.
        """
        if not self._grouped:
            with promptly(self._engine) as connection:
                return registration(connection)
        pending = _PendingRegistration(registration)
        with self._queue_lock:
            self._queue.append(pending)
        if not self._turn.acquire(timeout=LONGEST.total_seconds()):
            self._withdraw(pending)
            raise TimeoutError("the page index was busy with other registrations")
        try:
            if not pending.finished:
                self._commit(self._take_queue())
                self._keep_log_small()
        finally:
            self._turn.release()
        return pending.result()

    def _withdraw(self, pending: _PendingRegistration) -> None:
        with self._queue_lock:
            if pending in self._queue:
                self._queue.remove(pending)

    def _take_queue(self) -> list[_PendingRegistration]:
        with self._queue_lock:
            group, self._queue = self._queue, []
        return group

    def _commit(self, group: list[_PendingRegistration]) -> None:
        """Run a group in one transaction; if it fails, all its registrations have failed."""
        try:
            with promptly(self._engine, PATIENCE) as connection:
                for pending in group:
                    _run(connection, pending)
        except BaseException as error:
            for pending in group:
                pending.error = pending.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for pending in group:
                pending.finished = True

    def _keep_log_small(self) -> None:
        now = time.monotonic()
        if now >= self._rest_until and not empty_large_log(self._engine):
            self._rest_until = now + CHECKPOINT_REST.total_seconds()


def _run(connection: Connection, pending: _PendingRegistration) -> None:
    """Run one registration in a savepoint, so that a failure rolls back only its own writes."""
    _SAVEPOINT.execute(connection)
    try:
        pending.verdict = pending.register(connection)
    except Exception as error:
        raw = connection.connection.driver_connection
        if raw is None or not raw.in_transaction:
            raise  # SQLite has rolled back the whole transaction
        pending.error = error
        _ROLLBACK.execute(connection)
    _RELEASE.execute(connection)
