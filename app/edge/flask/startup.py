"""Awake: no process answers before it has caught up with the database, however long that takes."""

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

from .standby import stand_by

if TYPE_CHECKING:
    from .worker import PurgeWorker

_log = logging.getLogger(__name__)

RETRY_INTERVAL = timedelta(seconds=1)
"""How soon a process that could not catch up tries again, at the next request."""

RETRY_AFTER = timedelta(seconds=10)
"""What readers are told meanwhile."""

_BODY = b"The database can't be asked just now. Please try again in a moment.\n"


class StartupGate:
    """Catches up before a process serves its first request, or is roused, and starts its relay.

    While that fails `unavailable` answers: what was stored may be older than the database. A
    process that does not `relay` but `stands_by` delivers while no relay is alive.
    """

    def __init__(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        wsgi: Callable[..., Iterable[bytes]],
        upkeep: PurgeWorker,
        *,
        relay: bool,
        stands_by: bool = True,
        unavailable: Callable[..., Iterable[bytes]] | None = None,
        ticks: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wsgi = wsgi
        self._upkeep = upkeep
        self._relay = relay
        self._stands_by = stands_by and not relay
        self._unavailable = unavailable or service_unavailable
        self._ticks = ticks
        self._pause = pause
        self._ready_pid = 0
        self._starting_pid = 0
        self._standing_by = 0
        self._lock = Lock()
        self._again_at: float | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on; the first one of a process waits until everything is fresh."""
        if self._ready_pid != os.getpid() and not self._ensure_ready():
            return self._unavailable(environ, start_response)
        return self._wsgi(environ, start_response)

    def start_in_background(self) -> None:
        """Begin to catch up in a thread, so that this process relays, or stands by for the relay.

        Behind a CDN that answers everything it may be long until a request comes.
        """
        self._stand_by()
        if not self._relay or os.getpid() in {self._ready_pid, self._starting_pid}:
            return
        self._starting_pid = os.getpid()
        Thread(target=self._retry_until_ready, daemon=True).start()

    def _stand_by(self) -> None:
        """Watch the relay from now on, where it is another process."""
        if self._stands_by and self._standing_by != os.getpid():
            self._standing_by = os.getpid()
            stand_by(self._upkeep)

    def _retry_until_ready(self) -> None:
        try:
            while not self._ensure_ready():
                self._pause(RETRY_INTERVAL.total_seconds())
        except Exception:  # noqa: BLE001 - whoever asks first sees it raised
            _log.exception("edge.not_awake")
            self._starting_pid = 0  # the next one who asks for it tries again

    def _ensure_ready(self) -> bool:
        """Catch up, or tell that it can't be done; while it fails nobody waits for another."""
        if not self._lock.acquire(blocking=self._again_at is None):
            return False
        try:
            if self._ready_pid != os.getpid() and self._is_retry_due():
                self._catch_up_once()
            return self._ready_pid == os.getpid()
        except (DBAPIError, PoolTimeoutError) as error:
            if self._again_at is None:  # once, however long it lasts
                _log.warning("edge.not_awake", extra={"reason": str(error).partition("\n")[0]})
            self._again_at = self._ticks() + RETRY_INTERVAL.total_seconds()
            return False
        finally:
            self._lock.release()

    def _is_retry_due(self) -> bool:
        return self._again_at is None or self._ticks() >= self._again_at

    def _catch_up_once(self) -> None:
        self._upkeep.catch_up()
        self._again_at = None  # who comes from now on waits for the rest
        if self._relay:
            Thread(target=self._upkeep.run, args=(Event(),), daemon=True).start()
        self._stand_by()
        self._ready_pid = os.getpid()


def service_unavailable(
    environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Ask readers for patience, where the app has no page of its own for it."""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(_BODY))),
        ("Cache-Control", "no-store"),
        ("Retry-After", f"{RETRY_AFTER.total_seconds():.0f}"),
    ]
    start_response("503 Service Unavailable", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _BODY]
