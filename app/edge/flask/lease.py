"""A lease: for how long a gateway's store may be believed without hearing that it is followed.

The relay of the machine renews it, in the store itself, so that every process of the machine
sees it. Who is cut off from the changes serves nothing by itself until it has caught up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

LASTS = 45.0
"""Seconds."""

RENEWED = 10.0
"""Seconds after which a relay renews it."""

_LOOK = 1.0
_BACK = 5.0
"""Seconds that the machine's clock may be set back without harm."""

_NAME = b"lease"


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
            self._holds = self._age() < LASTS
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

    def renew(self) -> None:
        """Let it last from now on."""
        self._notes.remember(_NAME, repr(self._clock()).encode())
        self._looked = float("-inf")

    def _age(self) -> float:
        said = self._notes.note(_NAME)
        if said is None:
            return 0.0
        age = self._clock() - float(said)
        return age if age > -_BACK else LASTS
