"""What the relay takes from the world around it: time and chance; tests hand in their own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random, SystemRandom


def utc_now() -> datetime:
    """The instant that this machine's clock shows."""
    return datetime.now(UTC)


def ignore_step(_step: str) -> None:
    """Nobody watches the steps, but tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayRuntime:
    """`clock` says what time it is and may jump; `ticks` counts seconds and never jumps.

    `reached` hears of each step after it was taken.
    """

    clock: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    random: Random = field(default_factory=SystemRandom)
    on_step: Callable[[str], None] = ignore_step

    def elapsed_since(self, began: float) -> timedelta:
        """The time since the clock that never jumps showed `began`."""
        return timedelta(seconds=max(self.monotonic() - began, 0.0))
