"""A lease: for how long a gateway's store may be believed without hearing that it is followed.

The relay of the machine renews it, in the store itself, so that every process of the machine
sees it. Who is cut off from the changes serves nothing by itself until it has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .gateway_heartbeats import ALIVE

_LOOK = 1.0
"""Seconds for which a process believes what it has read."""

_SPARE = 2.0
"""Seconds from the last HIT until others stop waiting: for threads that have to wait themselves."""

LASTS = ALIVE.total_seconds() - _LOOK - _SPARE
"""Seconds: it ends before anybody calls the gateway gone."""

RENEWED = LASTS / 4
"""Seconds after which a relay renews it."""

_BACK = 5.0
"""Seconds that the machine's clock may be set back without harm."""

_NAME = b"lease"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instant by both clocks: one that may be set, one that may stand still while we sleep."""

    clock: float
    ticks: float


class Notes(Protocol):
    """Keeps small values for all processes of a machine."""

    def note(self, name: bytes) -> bytes | None:
        """What was kept under a name."""

    def remember(self, name: bytes, value: bytes) -> bool:
        """Keep a value; False when it could not be kept."""


class Lease:
    """The lease of one store; where no relay has ever renewed it, it never ends."""

    def __init__(
        self,
        notes: Notes,
        *,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notes = notes
        self._clock = clock
        self._ticks = ticks
        self._holds = True
        self._looked = float("-inf")

    def __call__(self) -> bool:
        """Tell whether the store may be believed; every HIT asks it."""
        now = self._ticks()
        if now - self._looked >= _LOOK:
            self._holds = not self.over
            self._looked = now
        return self._holds

    @property
    def known(self) -> bool:
        """Whether a relay has ever renewed it."""
        return self._notes.note(_NAME) is not None

    @property
    def due(self) -> bool:
        """Whether it is time to renew it."""
        return not self.known or self._age() >= RENEWED

    def moment(self) -> Moment:
        """Now; from when a renewal counts that begins now."""
        return Moment(clock=self._clock(), ticks=self._ticks())

    def renew(self, since: Moment) -> None:
        """Let it last from a moment on: from before others were told that we are there."""
        self._notes.remember(_NAME, f"{since.clock!r} {since.ticks!r}".encode())
        self._looked = float("-inf")

    @property
    def over(self) -> bool:
        """Whether it has ended, as of this very moment."""
        return self._age() >= LASTS

    def _age(self) -> float:
        """The longest that may have passed; what can't be known is over."""
        said = self._notes.note(_NAME)
        if said is None:
            return 0.0
        try:
            now, (clock, ticks) = self.moment(), map(float, said.decode().split())
        except ValueError:
            return LASTS
        if now.clock < clock - _BACK or now.ticks < ticks:
            return LASTS
        return max(now.clock - clock, now.ticks - ticks)
