from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.cdn import CallLimits
from app.edge.purge import Tier
from app.edge.purge.backoff import (
    BASE_DELAY,
    CREDENTIAL_DELAY,
    MAX_DELAY,
    MAX_RETRY_AFTER,
    backoff_delay,
)
from app.edge.purge.quota import refill, time_until_token

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("failures", [1, 2, 5, 9, 50, 10_000])
def test_a_delay_grows_to_a_cap_and_has_full_jitter(failures: int) -> None:
    """Full jitter: delays are spread from zero to the ceiling."""
    random = Random(1)
    ceiling = min(MAX_DELAY, BASE_DELAY * 2 ** min(failures - 1, 20))
    delays = [backoff_delay(failures, random) for _ in range(300)]
    assert timedelta(0) <= min(delays) < ceiling * 0.1
    assert ceiling * 0.9 < max(delays) <= ceiling


@given(st.integers(1, 99), st.timedeltas(), st.integers(0, 99))
def test_retry_after_is_the_least_and_has_a_cap(
    failures: int, retry_after: timedelta, seed: int
) -> None:
    """Retry-After can only lengthen a delay, up to a cap."""
    delay = backoff_delay(failures, Random(seed), retry_after=retry_after)
    assert delay >= min(retry_after, MAX_RETRY_AFTER)
    assert timedelta(0) <= delay <= max(MAX_DELAY, MAX_RETRY_AFTER + BASE_DELAY)


def test_a_credential_rests_long_from_the_first_failure() -> None:
    """Repeated calls with a revoked token could get us banned."""
    assert backoff_delay(1, Random(1), credential=True) >= CREDENTIAL_DELAY


@given(
    st.floats(0.01, 100),
    st.integers(1, 50),
    st.lists(st.integers(0, 5_000), min_size=1, max_size=80),
)
def test_a_bucket_never_gives_more_than_burst_and_rate(
    per_second: float, burst: int, gaps: list[int]
) -> None:
    """Calls at the earliest allowed times stay within the quota over any span."""
    limits = CallLimits(per_second=per_second, burst=burst)
    level, now, at, calls = float(burst), timedelta(0), timedelta(0), []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        level, at = refill(level, now - at, limits), now
        if not time_until_token(level, limits):
            level -= 1
            calls.append(now.total_seconds())
    for last in range(len(calls)):
        for first in range(last + 1):
            allowed = burst + (calls[last] - calls[first]) * per_second
            assert last - first + 1 <= allowed + 1e-6


@given(st.floats(0.01, 100), st.floats(0, 0.999))
def test_after_the_wait_there_is_a_call_to_make(per_second: float, level: float) -> None:
    """After the returned wait, a call may be made."""
    limits = CallLimits(per_second=per_second, burst=5)
    assert not time_until_token(refill(level, time_until_token(level, limits), limits), limits)


def test_an_edge_without_a_rate_is_never_waited_for() -> None:
    """The gateway has no quota."""
    assert not time_until_token(refill(0, timedelta(0), CallLimits()), CallLimits())


def test_a_clock_that_goes_back_gives_no_calls_away() -> None:
    """Negative time refills nothing."""
    assert refill(0.5, -SECOND, CallLimits(per_second=5, burst=5)) == 0.5


@pytest.mark.parametrize(
    "values",
    [
        {"name": ""},
        {"name": "x" * 61},
        {"max_flight_time": -SECOND},
        {"max_backlog": 0},
    ],
    ids=str,
)
def test_an_invalid_tier_is_refused(values: dict[str, object]) -> None:
    """An invalid tier fails when it is created."""
    with pytest.raises(ValueError, match="tier"):
        Tier(**{"name": "cdn", "depth": 1, **values})  # type: ignore[arg-type]
