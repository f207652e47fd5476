"""The lease of a gateway: for how long it may serve from its store without contact to the relay.

The relay of the machine renews the lease in the store, where every process of the machine reads it.
A gateway whose lease has ended serves nothing without asking the app, until it has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

HEARTBEAT_TIMEOUT = timedelta(seconds=15)
"""A gateway without a new heartbeat for this long is silent: no purge waits for it."""

_CHECK_INTERVAL = 1.0
"""Seconds for which a process caches the lease that it has read."""

_RESPONSE_MARGIN = 2.0
"""Seconds between the last HIT and the heartbeat timeout, for delayed threads."""

LEASE_SECONDS = HEARTBEAT_TIMEOUT.total_seconds() - _CHECK_INTERVAL - _RESPONSE_MARGIN
"""Seconds; the lease ends before any process counts the gateway as silent."""

RENEWAL_INTERVAL = LEASE_SECONDS / 4
"""Seconds after which a relay renews the lease."""

_MAX_CLOCK_STEP = 5.0
"""Seconds by which the system clock may be set back without ending the lease."""

_NAME = b"lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """An instant by two clocks: the system clock and the monotonic clock."""

    clock: float
    ticks: float


class MetadataStore(Protocol):
    """Stores small values for all processes of a machine."""

    def get_metadata(self, name: bytes) -> bytes | None:
        """Return the value of a name."""

    def set_metadata(self, name: bytes, value: bytes) -> bool:
        """Store a value; return False if it could not be stored."""


class GatewayLease:
    """The lease of one store; if no relay has ever renewed it, it never ends."""

    def __init__(
        self,
        metadata: MetadataStore,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._ticks = ticks
        self._holds = True
        self._checked_at = float("-inf")

    def __call__(self) -> bool:
        """Return whether responses may be served from the store; called for every HIT."""
        now = self._ticks()
        if now - self._checked_at >= _CHECK_INTERVAL:
            self._holds = not self.has_expired
            self._checked_at = now
        return self._holds

    @property
    def has_been_renewed(self) -> bool:
        """Return whether a relay has ever renewed the lease."""
        return self._metadata.get_metadata(_NAME) is not None

    @property
    def is_due(self) -> bool:
        """Return whether it is time to renew the lease."""
        return not self.has_been_renewed or self._age() >= RENEWAL_INTERVAL

    def read_clocks(self) -> ClockReading:
        """Return the current time by both clocks; read it before the heartbeat is written."""
        return ClockReading(clock=self._clock(), ticks=self._ticks())

    def renew(self, since: ClockReading) -> None:
        """Renew the lease from `since`, an instant before the heartbeat was written."""
        self._metadata.set_metadata(_NAME, f"{since.clock!r} {since.ticks!r}".encode())
        self._checked_at = float("-inf")

    @property
    def has_expired(self) -> bool:
        """Return whether the lease has ended now."""
        return self._age() >= LEASE_SECONDS

    def _age(self) -> float:
        """Return the longest possible age of the lease; an unknown age counts as ended."""
        stored = self._metadata.get_metadata(_NAME)
        if stored is None:
            return 0.0
        try:
            now, (clock, ticks) = self.read_clocks(), map(float, stored.decode().split())
        except ValueError:
            return LEASE_SECONDS
        if now.clock < clock - _MAX_CLOCK_STEP or now.ticks < ticks:
            return LEASE_SECONDS
        return max(now.clock - clock, now.ticks - ticks)
