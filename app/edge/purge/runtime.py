"""The clocks and the random generator of the relay; tests pass their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom


def utc_now() -> datetime:
    """Return the current time of the system clock."""
    return datetime.now(UTC)


def ignore_step(_step: str) -> None:
    """Ignore a step; only tests observe steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRuntime:
    """`clock` is the system clock and may jump; `monotonic` counts seconds and never jumps.

    `on_step` is called after each step of a delivery.
    """

    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    random: Random = field(default_factory=SystemRandom)
    on_step: Callable[[str], None] = ignore_step

    def elapsed_since(self, began: float) -> timedelta:
        """Return the time since the monotonic clock showed `began`."""
        return timedelta(seconds=max(self.monotonic() - began, 0.0))
