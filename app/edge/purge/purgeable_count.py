"""Trust: how many edges can be purged just now, for who asks it of every answer.

The database is asked behind the reader's back; what it said long ago counts for nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

logger = logging.getLogger(__name__)

REFRESH_AFTER = 2.0
"""Seconds after which the database is asked again."""

MAX_AGE = 30.0
"""Seconds for which its answer counts."""

FIRST_READ_TIMEOUT = 0.25
"""Seconds that one reader waits when there is no answer that counts."""


class PurgeableCountCache:
    """Remembers what `look` said, and asks it again from time to time; 0 when it can't be known."""

    def __init__(
        self, load: Callable[[], int], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._monotonic = monotonic
        self._count = 0
        self._loaded_at = float("-inf")
        self._refresh_lock = Lock()

    def __call__(self) -> int:
        """How many edges can be purged, counted from inside."""
        age = self._monotonic() - self._loaded_at
        if age < REFRESH_AFTER:
            return self._count
        refreshed = self._refresh_in_background()
        if age >= MAX_AGE:
            refreshed.wait(FIRST_READ_TIMEOUT)
        return self._count if self._monotonic() - self._loaded_at < MAX_AGE else 0

    def refresh(self) -> None:
        """Ask now, and wait for the answer."""
        at = self._monotonic()
        self._count = self._load()
        self._loaded_at = at

    def _refresh_in_background(self) -> Event:
        """Ask in a thread of its own, unless one is asking already."""
        refreshed = Event()
        if not self._refresh_lock.acquire(blocking=False):
            return refreshed

        def ask() -> None:
            try:
                self.refresh()
            except Exception:  # the database is away: what is known gets too old by and by
                logger.warning("edge.trust_unknown", exc_info=True)
            finally:
                self._refresh_lock.release()
                refreshed.set()

        try:
            Thread(target=ask, daemon=True).start()
        except RuntimeError:  # no more threads
            self._refresh_lock.release()
        return refreshed
