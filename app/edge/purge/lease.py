"""A lease: for how long a gateway's store may be believed without hearing that it is followed.

The relay of the machine renews it, in the store itself, so that every process of the machine
sees it. Who is cut off from the changes serves nothing by itself until it has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .gateway_heartbeats import HEARTBEAT_TIMEOUT

_CHECK_INTERVAL = 1.0
"""Seconds for which a process believes what it has read."""

_RESPONSE_MARGIN = 2.0
"""Seconds from the last HIT until others stop waiting: for threads that have to wait themselves."""

LEASE_SECONDS = HEARTBEAT_TIMEOUT.total_seconds() - _CHECK_INTERVAL - _RESPONSE_MARGIN
"""Seconds: it ends before anybody calls the gateway gone."""

RENEWAL_INTERVAL = LEASE_SECONDS / 4
"""Seconds after which a relay renews it."""

_MAX_CLOCK_STEP = 5.0
"""Seconds that the machine's clock may be set back without harm."""

_NAME = b"lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockReading:
    """An instant by both clocks: one that may be set, one that may stand still while we sleep."""

    clock: float
    ticks: float


class MetadataStore(Protocol):
    """Keeps small values for all processes of a machine."""

    def get_metadata(self, name: bytes) -> bytes | None:
        """What was kept under a name."""

    def set_metadata(self, name: bytes, value: bytes) -> bool:
        """Keep a value; False when it could not be kept."""


class GatewayLease:
    """The lease of one store; where no relay has ever renewed it, it never ends."""

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
        """Tell whether the store may be believed; every HIT asks it."""
        now = self._ticks()
        if now - self._checked_at >= _CHECK_INTERVAL:
            self._holds = not self.has_expired
            self._checked_at = now
        return self._holds

    @property
    def has_been_renewed(self) -> bool:
        """Whether a relay has ever renewed it."""
        return self._metadata.get_metadata(_NAME) is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to renew it."""
        return not self.has_been_renewed or self._age() >= RENEWAL_INTERVAL

    def read_clocks(self) -> ClockReading:
        """Now; from when a renewal counts that begins now."""
        return ClockReading(clock=self._clock(), ticks=self._ticks())

    def renew(self, since: ClockReading) -> None:
        """Let it last from a moment on: from before others were told that we are there."""
        self._metadata.set_metadata(_NAME, f"{since.clock!r} {since.ticks!r}".encode())
        self._checked_at = float("-inf")

    @property
    def has_expired(self) -> bool:
        """Whether it has ended, as of this very moment."""
        return self._age() >= LEASE_SECONDS

    def _age(self) -> float:
        """The longest that may have passed; what can't be known is over."""
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
