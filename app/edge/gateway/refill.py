"""Refill: pages that readers asked for and that were purged are made anew, before they ask again.

Laws: it takes what nobody else needs, and is never in the way of a reader, a writer or a purge. A
page that fails waits for its next reader.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from .gateway import Gateway

_log: Final = logging.getLogger(__name__)


class RefillSource(Protocol):
    """A store that knows which pages its readers miss."""

    def purge_token(self) -> int:
        """Return the purge counter."""

    def pop_refill_key(self) -> bytes | None:
        """Return the key of a purged page that readers will miss most; None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillPace:
    """How gently pages are made: `rest` is at least that between two, and `share` of the time."""

    #: While purges go on, a page that is made now may be purged again at once.
    quiet_period: timedelta = timedelta(milliseconds=200)
    rest: timedelta = timedelta(milliseconds=50)
    #: After a page that took a second nothing is made for so many.
    rest_factor: float = 2
    #: How soon to look again when nothing is wanted, or another process does it.
    poll_interval: timedelta = timedelta(milliseconds=250)
    after_failure: timedelta = timedelta(minutes=1)


class Refill:
    """Makes the pages anew that a store wants, the most visited first.

    `leads` tells whether this process is the one that does it; one a store is enough.
    """

    def __init__(
        self,
        gateway: Gateway,
        store: RefillSource,
        *,
        is_leader: Callable[[], bool],
        pace: RefillPace | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._is_leader = is_leader
        self._pace = pace or RefillPace()
        self._monotonic = monotonic
        self._last_token = 0
        self._quiet_until = 0.0

    def run(self, stop: Event) -> None:
        """Refill until `stop` is set."""
        while not stop.is_set():
            stop.wait(self._step().total_seconds())

    def step(self) -> timedelta:
        """Make at most one page; return how long to leave the machine to others."""
        if not self._is_leader():
            return self._pace.poll_interval
        now, token = self._monotonic(), self._store.purge_token()
        if token != self._last_token:
            self._last_token, self._quiet_until = (
                token,
                now + self._pace.quiet_period.total_seconds(),
            )
        if now < self._quiet_until or self._gateway.is_fetching:
            return self._pace.quiet_period
        key = self._store.pop_refill_key()
        if key is None:
            return self._pace.poll_interval
        self._refill_page(key)
        return max(
            self._pace.rest, timedelta(seconds=self._monotonic() - now) * self._pace.rest_factor
        )

    def _step(self) -> timedelta:
        try:
            return self.step()
        except Exception:  # noqa: BLE001 - a store or an election that fails may work later
            _log.exception("gateway.refill_failed")
            return self._pace.after_failure

    def _refill_page(self, key: bytes) -> None:
        try:
            self._gateway.refill_page(key)
        except Exception:  # noqa: BLE001 - whatever the application raises, a reader will see
            _log.warning("gateway.not_refilled", exc_info=True, extra={"key": key})
