"""Back-off: how long a tier is paused after failed calls."""

from __future__ import annotations

from datetime import timedelta
from random import Random

BASE_DELAY = timedelta(seconds=1)
MAX_DELAY = timedelta(minutes=5)
CREDENTIAL_DELAY = timedelta(minutes=15)
"""The pause after rejected credentials: calls fail until a person acts, and many get us banned."""

MAX_RETRY_AFTER = timedelta(hours=1)
"""The maximum `Retry-After` that is honoured."""


def backoff_delay(
    failures: int,
    random: Random,
    *,
    retry_after: timedelta | None = None,
    credential: bool = False,
) -> timedelta:
    """Return the pause after consecutive failures: exponential, with full jitter.

    `retry_after` is the minimum, up to `MAX_RETRY_AFTER`.
    """
    ceiling: timedelta = min(MAX_DELAY, BASE_DELAY * 2 ** min(failures - 1, 20))
    jittered = ceiling * random.random()
    if credential:
        return CREDENTIAL_DELAY + jittered
    least = min(max(retry_after or timedelta(0), timedelta(0)), MAX_RETRY_AFTER)
    return least + min(jittered, BASE_DELAY) if least > jittered else jittered
