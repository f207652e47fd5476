"""The quota of calls to an edge as a token bucket; its level is stored in the row of the tier."""

from __future__ import annotations

from datetime import timedelta

from ..cdn import CallLimits

_ONE = 1.0


def refill(level: float, elapsed: timedelta, limits: CallLimits) -> float:
    """Return the tokens after `elapsed`, starting from `level`."""
    if limits.per_second is None:
        return float(limits.burst)
    gained = max(elapsed.total_seconds(), 0.0) * limits.per_second
    return min(level + gained, float(limits.burst))


def time_until_token(level: float, limits: CallLimits) -> timedelta:
    """Return the time until one call may be made; zero if it may be made now."""
    if limits.per_second is None or level >= _ONE:
        return timedelta(0)
    return timedelta(seconds=(_ONE - level) / limits.per_second, microseconds=1)
