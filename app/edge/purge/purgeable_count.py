"""Cache the number of purgeable edges, which every response needs.

The count is refreshed in a background thread; a count that is too old is not used.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

from ..changes import outage

logger = logging.getLogger(__name__)

REFRESH_AFTER = 2.0
"""Seconds after which the count is read again."""

MAX_AGE = 30.0
"""Seconds for which a count is used."""

FIRST_READ_TIMEOUT = 0.25
"""Seconds that a request waits if there is no usable count."""


class PurgeableCountCache:
    """Caches the result of `load` and refreshes it; returns 0 if it is unknown."""

    def __init__(
        self, load: Callable[[], int], *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._monotonic = monotonic
        self._count = 0
        self._loaded_at = float("-inf")
        self._refresh_lock = Lock()

    def __call__(self) -> int:
        """Return how many edges, from the innermost, can be purged."""
        age = self._monotonic() - self._loaded_at
        if age < REFRESH_AFTER:
            return self._count
        refreshed = self._refresh_in_background()
        if age >= MAX_AGE:
            refreshed.wait(FIRST_READ_TIMEOUT)
        return self._count if self._monotonic() - self._loaded_at < MAX_AGE else 0

    def refresh(self) -> None:
        """Load the count now."""
        at = self._monotonic()
        self._count = self._load()
        self._loaded_at = at

    def _refresh_in_background(self) -> Event:
        """Load the count in a background thread, unless one is loading; return its event."""
        refreshed = Event()
        if not self._refresh_lock.acquire(blocking=False):
            return refreshed

        def ask() -> None:
            try:
                self.refresh()
            except Exception as error:  # the database is unavailable: the cached count expires
                if not outage.is_logged(error):
                    logger.warning(
                        "edge.trust_unknown: the number of purgeable edges could not be read",
                        exc_info=True,
                    )
            finally:
                self._refresh_lock.release()
                refreshed.set()

        try:
            Thread(target=ask, daemon=True).start()
        except RuntimeError:  # no thread can be started
            self._refresh_lock.release()
        return refreshed
