"""Fetch purged pages into the store again before readers request them.

Refills use only idle time: they never delay a reader, a writer or a purge. A page whose refill
fails is fetched for its next reader.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from ..http.cache_key import describe_cache_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from .gateway import Gateway

_log: Final = logging.getLogger(__name__)


class RefillSource(Protocol):
    """A store with a queue of purged pages that readers requested often."""

    def purge_token(self) -> int:
        """Return the purge counter."""

    def pop_refill_key(self) -> bytes | None:
        """Return the key of the most requested page in the queue; None if the queue is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefillPace:
    """The pauses between refills: at least `rest`, and `rest_factor` times the fetch time."""

    #: The pause after a purge: during a series of purges a refilled page may be purged again.
    quiet_period: timedelta = timedelta(milliseconds=200)
    rest: timedelta = timedelta(milliseconds=50)
    #: The pause after a page, as a multiple of the time that its fetch took.
    rest_factor: float = 2
    #: The pause if the queue is empty or another process is the leader.
    poll_interval: timedelta = timedelta(milliseconds=250)
    after_failure: timedelta = timedelta(minutes=1)


class Refill:
    """Refills the queued pages of a store, the most requested first.

    `is_leader` returns whether this process refills; one process per store is enough.
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
        """Refill at most one page; return the pause before the next step."""
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
        except Exception:  # noqa: BLE001 - the store or the election may work later
            _log.exception(
                "gateway.refill_failed: the refill queue could not be read; it is tried again"
            )
            return self._pace.after_failure

    def _refill_page(self, key: bytes) -> None:
        try:
            self._gateway.refill_page(key)
        except Exception:  # noqa: BLE001 - a reader will see the error
            _log.warning(
                "gateway.not_refilled: %s could not be fetched again after a purge",
                describe_cache_key(key),
                exc_info=True,
                extra={"key": key},
            )
