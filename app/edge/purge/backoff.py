"""How long a tier rests after a failure: longer each time, and never in step with others."""

from __future__ import annotations

from datetime import timedelta
from random import Random

BASE_DELAY = timedelta(seconds=1)
MAX_DELAY = timedelta(minutes=5)
CREDENTIAL_DELAY = timedelta(minutes=15)
"""Nothing succeeds until a person acts, so asking often only gets us banned."""

MAX_RETRY_AFTER = timedelta(hours=1)
"""An edge that asks for more patience than this is asked again all the same."""


def backoff_delay(
    failures: int,
    random: Random,
    *,
    retry_after: timedelta | None = None,
    credential: bool = False,
) -> timedelta:
    """The rest after so many failures in a row: exponential, with full jitter.

    What the edge asked for is the least, up to a cap.
    """
    ceiling: timedelta = min(MAX_DELAY, BASE_DELAY * 2 ** min(failures - 1, 20))
    jittered = ceiling * random.random()
    if credential:
        return CREDENTIAL_DELAY + jittered
    least = min(max(retry_after or timedelta(0), timedelta(0)), MAX_RETRY_AFTER)
    return least + min(jittered, BASE_DELAY) if least > jittered else jittered
