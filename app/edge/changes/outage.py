"""Outages of the database: one line in the log when one begins, and one when it ends.

Every request and every poll of a thread fails during an outage. The engine's events report the
failures in one place, and a caller that catches an error logs it only if `is_logged` is false.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import Dialect, ExceptionContext

_log = logging.getLogger(__name__)

MIN_INTERVAL = 1.0
"""Minimum number of seconds between two lines that say that an outage begins."""

_MARK = "_outage_is_logged"


class OutageLog:
    """Logs when the database of one engine becomes unavailable, and when it is available again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._is_active = False
        self._began_at = float("-inf")

    def begin(self, reason: str) -> None:
        """Report a failure; only the first one of an outage is logged."""
        with self._lock:
            now = self._monotonic()
            if self._is_active or now - self._began_at < MIN_INTERVAL:
                return
            self._is_active, self._began_at = True, now
        message = "edge.database_unavailable: requests that need the database fail: %s"
        _log.warning(message, reason, extra={"reason": reason})

    def end(self) -> None:
        """Report a success; it is logged if it ends an outage."""
        if self._is_active:  # without the lock, because every checkout of a connection calls this
            self._end()

    def _end(self) -> None:
        with self._lock:
            was_active, self._is_active = self._is_active, False
            seconds = self._monotonic() - self._began_at
        if not was_active:
            return
        message = "edge.database_available: the database is available again after %.1f s"
        _log.warning(message, seconds, extra={"seconds": seconds})


_logs: WeakKeyDictionary[Dialect, OutageLog] = WeakKeyDictionary()
"""By dialect object, because an engine shares it with its copies that have other options."""


def outage_log(engine: Engine) -> OutageLog:
    """Return the outage log of an engine, which listens to its events from the first call on."""
    if engine.dialect in _logs:
        return _logs[engine.dialect]
    outages = _logs.setdefault(engine.dialect, OutageLog())

    def report_error(context: ExceptionContext) -> None:
        if context.is_pre_ping or not (context.connection is None or context.is_disconnect):
            return
        setattr(context.original_exception, _MARK, True)
        outages.begin(_first_line(context.original_exception))

    def report_checkout(*_arguments: Any) -> None:
        outages.end()

    event.listen(engine, "handle_error", report_error)
    event.listen(engine, "checkout", report_checkout)
    return outages


def is_logged(error: BaseException | None) -> bool:
    """Return whether the error belongs to an outage, which the log mentions already."""
    return isinstance(error, DBAPIError) and getattr(error.orig, _MARK, False)


def report_driver_error(connection: Connection, error: BaseException) -> bool:
    """Report an error of the driver that bypassed SQLAlchemy; return whether it is an outage."""
    dialect = connection.dialect
    if not isinstance(error, dialect.loaded_dbapi.Error):
        return False
    raw = connection.connection.dbapi_connection
    if not dialect.is_disconnect(error, raw, None):
        return False
    outage_log(connection.engine).begin(_first_line(error))
    return True


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
