"""Group commit: the registrations that wait at the same time share one transaction on SQLite.

Only one transaction can write to SQLite at a time, and each waits for the disk. So the first
thread that gets its turn registers the responses of all threads that wait. Each of them leaves
once that transaction is on disk. PostgreSQL runs registrations side by side and groups the
commits itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from .lock import promptly
from .prepared import Prepared
from .register import Registered
from .wal import empty_large_log

Registration = Callable[[Connection], Registered]

PATIENCE = timedelta(seconds=4)
"""How long a group waits for SQLite's write lock: longer than one response would, since the
lock is needed once for all of them."""

LONGEST = timedelta(seconds=8)
"""A response waits no longer than this for the threads before it."""

CHECKPOINT_REST = timedelta(milliseconds=250)
"""How long to leave readers alone after a checkpoint that they blocked."""

_SAVEPOINT = Prepared(sa.text("SAVEPOINT edge_registration"))
_ROLLBACK = Prepared(sa.text("ROLLBACK TO SAVEPOINT edge_registration"))
_RELEASE = Prepared(sa.text("RELEASE SAVEPOINT edge_registration"))


class _Waiting:
    """One registration that waits, and what became of it."""

    __slots__ = ("error", "finished", "register", "verdict")

    def __init__(self, register: Registration) -> None:
        self.register = register
        self.finished = False
        self.verdict: Registered | None = None
        self.error: BaseException | None = None

    def result(self) -> Registered:
        """The verdict; raises what the registration or its transaction raised."""
        if self.error is not None:
            raise self.error
        assert self.verdict is not None
        return self.verdict


class Registrar:
    """Runs registrations in transactions on one engine, in groups where that is SQLite's.

    `grouped=False` gives each registration a transaction of its own, for comparison.
    """

    def __init__(self, engine: Engine, *, grouped: bool = True) -> None:
        self._engine = engine
        self._grouped = grouped and engine.dialect.name == "sqlite"
        self._turn = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queue_lock = threading.Lock()
        self._rest_until = 0.0

    def register(self, registration: Registration) -> Registered:
        """Run a registration; it is committed and on disk when this returns.

        Raises what the registration raises, or a DBAPIError or TimeoutError when the database
        has no turn for it in time.
        """
        if not self._grouped:
            with promptly(self._engine) as connection:
                return registration(connection)
        waiting = _Waiting(registration)
        with self._queue_lock:
            self._queue.append(waiting)
        if not self._turn.acquire(timeout=LONGEST.total_seconds()):
            self._withdraw(waiting)
            raise TimeoutError("the page index was busy with other registrations")
        try:
            if not waiting.finished:
                self._commit(self._taken())
                self._keep_log_small()
        finally:
            self._turn.release()
        return waiting.result()

    def _withdraw(self, waiting: _Waiting) -> None:
        with self._queue_lock:
            if waiting in self._queue:
                self._queue.remove(waiting)

    def _taken(self) -> list[_Waiting]:
        with self._queue_lock:
            group, self._queue = self._queue, []
        return group

    def _commit(self, group: list[_Waiting]) -> None:
        """Run a group in one transaction; when that fails, each of the group has failed."""
        try:
            with promptly(self._engine, PATIENCE) as connection:
                for waiting in group:
                    _run(connection, waiting)
        except BaseException as error:
            for waiting in group:
                waiting.error = waiting.error or error
            if not isinstance(error, Exception):
                raise
        finally:
            for waiting in group:
                waiting.finished = True

    def _keep_log_small(self) -> None:
        now = time.monotonic()
        if now >= self._rest_until and not empty_large_log(self._engine):
            self._rest_until = now + CHECKPOINT_REST.total_seconds()


def _run(connection: Connection, waiting: _Waiting) -> None:
    """Run one registration; its failure takes back its own writes and no others."""
    _SAVEPOINT.count(connection)
    try:
        waiting.verdict = waiting.register(connection)
    except Exception as error:
        raw = connection.connection.driver_connection
        if raw is None or not raw.in_transaction:
            raise  # SQLite has rolled back the whole transaction
        waiting.error = error
        _ROLLBACK.count(connection)
    _RELEASE.count(connection)
