"""WSGI layer that lets the first request wait until pending changes are applied.

While the database is unavailable, it answers 503.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..changes.outage import is_logged
from .standby import stand_by

if TYPE_CHECKING:
    from .worker import PurgeWorker

_log = logging.getLogger(__name__)

RETRY_INTERVAL = timedelta(seconds=1)
"""Time after which a process that could not catch up or connect tries again, at a request."""

RETRY_AFTER = timedelta(seconds=10)
"""The Retry-After of the 503 responses."""

_BODY = b"The database is temporarily unavailable. Please try again in a moment.\n"


class StartupGate:
    """Applies pending changes before a process serves its first request, and starts its relay.

    While this fails, `unavailable` answers, because stored pages may be older than the database.
    If the database answers, but `find_fault` returns what it lacks, the app is called: the gateway
    is bypassed as long as `fault` is set.
    A process with `stands_by` and without `relay` delivers purges while no relay is alive.
    """

    def __init__(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        wsgi: Callable[..., Iterable[bytes]],
        worker: PurgeWorker,
        *,
        relay: bool,
        stands_by: bool = True,
        unavailable: Callable[..., Iterable[bytes]] | None = None,
        find_fault: Callable[[], str] = str,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wsgi = wsgi
        self._worker = worker
        self._relay = relay
        self._stands_by = stands_by and not relay
        self._unavailable = unavailable or service_unavailable
        self._find_fault = find_fault
        self.fault = ""
        """What is missing in a database that answers; empty if nothing is."""
        self._monotonic = monotonic
        self._pause = pause
        self._ready_pid = 0
        self._starting_pid = 0
        self._standby_pid = 0
        self._lock = Lock()
        self._retry_at: float | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Call the app; the first request of a process waits until pending changes are applied."""
        is_ready = self._ready_pid == os.getpid() or self._ensure_ready()
        if not is_ready and not self.fault:
            return self._unavailable(environ, start_response)
        return self._wsgi(environ, start_response)

    def start_in_background(self) -> None:
        """Catch up in a thread, so that this process relays, or stands by, before any request.

        Behind a CDN that answers most requests, the first request may come late.
        """
        self._stand_by()
        if not self._relay or os.getpid() in {self._ready_pid, self._starting_pid}:
            return
        self._starting_pid = os.getpid()
        Thread(target=self._retry_until_ready, daemon=True).start()

    def _stand_by(self) -> None:
        """Start to check the heartbeat of a relay in another process."""
        if self._stands_by and self._standby_pid != os.getpid():
            self._standby_pid = os.getpid()
            stand_by(self._worker)

    def _retry_until_ready(self) -> None:
        try:
            while not self._ensure_ready():
                self._pause(RETRY_INTERVAL.total_seconds())
        except Exception:  # noqa: BLE001 - the first request raises it
            _log.exception("edge.not_awake: this process could not catch up with the database")
            self._starting_pid = 0  # the next call tries again

    def _ensure_ready(self) -> bool:
        """Catch up and return whether it succeeded; after a failure, requests don't wait."""
        if not self._lock.acquire(blocking=self._retry_at is None):
            return False
        try:
            if self._ready_pid != os.getpid() and self._is_retry_due():
                self._catch_up_once()
            return self._ready_pid == os.getpid()
        except (DBAPIError, PoolTimeoutError) as error:
            self.fault = self._find_fault()
            if self.fault and self._retry_at is None:
                _log.warning("edge.not_set_up: nothing is shared: %s", self.fault)
            elif self._retry_at is None and not is_logged(error):  # only the first failure
                reason = str(error).partition("\n")[0]
                message = "edge.not_awake: the database is unavailable, so requests get a 503: %s"
                _log.warning(message, reason, extra={"reason": reason})
            self._retry_at = self._monotonic() + RETRY_INTERVAL.total_seconds()
            return False
        finally:
            self._lock.release()

    def _is_retry_due(self) -> bool:
        return self._retry_at is None or self._monotonic() >= self._retry_at

    def _catch_up_once(self) -> None:
        self._worker.catch_up()
        self._retry_at = None  # later requests wait for the lock again
        self.fault = ""
        if self._relay:
            Thread(target=self._worker.run, args=(Event(),), daemon=True).start()
        self._stand_by()
        self._ready_pid = os.getpid()


def service_unavailable(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer 503, if the app has no own page for it."""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(_BODY))),
        ("Cache-Control", "no-store"),
        ("Retry-After", f"{RETRY_AFTER.total_seconds():.0f}"),
    ]
    start_response("503 Service Unavailable", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _BODY]
