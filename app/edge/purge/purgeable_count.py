"""Trust: how many edges can be purged just now, for who asks it of every answer.

The database is asked behind the reader's back; what it said long ago counts for nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Lock, Thread

logger = logging.getLogger(__name__)

RENEW = 2.0
"""Seconds after which the database is asked again."""

LONGEST = 30.0
"""Seconds for which its answer counts."""

PATIENCE = 0.25
"""Seconds that one reader waits when there is no answer that counts."""


class Trust:
    """Remembers what `look` said, and asks it again from time to time; 0 when it can't be known."""

    def __init__(
        self, look: Callable[[], int], *, ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._ticks = ticks
        self._known = 0
        self._at = float("-inf")
        self._asking = Lock()

    def __call__(self) -> int:
        """How many edges can be purged, counted from inside."""
        age = self._ticks() - self._at
        if age < RENEW:
            return self._known
        answered = self._ask()
        if age >= LONGEST:
            answered.wait(PATIENCE)
        return self._known if self._ticks() - self._at < LONGEST else 0

    def renew(self) -> None:
        """Ask now, and wait for the answer."""
        at = self._ticks()
        self._known = self._look()
        self._at = at

    def _ask(self) -> Event:
        """Ask in a thread of its own, unless one is asking already."""
        answered = Event()
        if not self._asking.acquire(blocking=False):
            return answered

        def ask() -> None:
            try:
                self.renew()
            except Exception:  # the database is away: what is known gets too old by and by
                logger.warning("edge.trust_unknown", exc_info=True)
            finally:
                self._asking.release()
                answered.set()

        try:
            Thread(target=ask, daemon=True).start()
        except RuntimeError:  # no more threads
            self._asking.release()
        return answered
