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
    from .upkeep import Upkeep

_log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=1)
"""How soon a process that could not catch up tries again, at the next request."""

RETRY_AFTER = timedelta(seconds=10)
"""What readers are told meanwhile."""

_SORRY = b"The database can't be asked just now. Please try again in a moment.\n"


class Awake:
    """Catches up before a process serves its first request, or is roused, and starts its relay.

    While that fails `unavailable` answers: what was stored may be older than the database. A
    process that does not `relay` but `stands_by` delivers while no relay is alive.
    """

    def __init__(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        wsgi: Callable[..., Iterable[bytes]],
        upkeep: Upkeep,
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
        self._unavailable = unavailable or sorry
        self._ticks = ticks
        self._pause = pause
        self._process = 0
        self._roused = 0
        self._standing_by = 0
        self._lock = Lock()
        self._again_at: float | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on; the first one of a process waits until everything is fresh."""
        if self._process != os.getpid() and not self._wakes():
            return self._unavailable(environ, start_response)
        return self._wsgi(environ, start_response)

    def rouse(self) -> None:
        """Begin to catch up in a thread, so that this process relays, or stands by for the relay.

        Behind a CDN that answers everything it may be long until a request comes.
        """
        self._stand_by()
        if not self._relay or os.getpid() in {self._process, self._roused}:
            return
        self._roused = os.getpid()
        Thread(target=self._until_awake, daemon=True).start()

    def _stand_by(self) -> None:
        """Watch the relay from now on, where it is another process."""
        if self._stands_by and self._standing_by != os.getpid():
            self._standing_by = os.getpid()
            stand_by(self._upkeep)

    def _until_awake(self) -> None:
        try:
            while not self._wakes():
                self._pause(AGAIN.total_seconds())
        except Exception:  # noqa: BLE001 - whoever asks first sees it raised
            _log.exception("edge.not_awake")
            self._roused = 0  # the next one who asks for it tries again

    def _wakes(self) -> bool:
        """Catch up, or tell that it can't be done; while it fails nobody waits for another."""
        if not self._lock.acquire(blocking=self._again_at is None):
            return False
        try:
            if self._process != os.getpid() and self._may_try():
                self._wake()
            return self._process == os.getpid()
        except (DBAPIError, PoolTimeoutError) as error:
            if self._again_at is None:  # once, however long it lasts
                _log.warning("edge.not_awake", extra={"reason": str(error).partition("\n")[0]})
            self._again_at = self._ticks() + AGAIN.total_seconds()
            return False
        finally:
            self._lock.release()

    def _may_try(self) -> bool:
        return self._again_at is None or self._ticks() >= self._again_at

    def _wake(self) -> None:
        self._upkeep.catch_up()
        self._again_at = None  # who comes from now on waits for the rest
        if self._relay:
            Thread(target=self._upkeep.run, args=(Event(),), daemon=True).start()
        self._stand_by()
        self._process = os.getpid()


def sorry(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Ask readers for patience, where the app has no page of its own for it."""
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(_SORRY))),
        ("Cache-Control", "no-store"),
        ("Retry-After", f"{RETRY_AFTER.total_seconds():.0f}"),
    ]
    start_response("503 Service Unavailable", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else _SORRY]
