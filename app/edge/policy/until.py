"""Lifetimes that end at the next minute, hour or midnight of a time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ENDS = ("minute", "hour", "midnight")
"""The possible ends of a lifetime, the soonest first."""

Until = tuple[str | None, str]
"""One of ENDS or None, and a time zone."""


def time_left(until: str, zone: str, now: datetime) -> timedelta:
    """Return the time from an aware datetime to the next end of this kind."""
    local = now.astimezone(_zone(zone))
    past = timedelta(seconds=local.second, microseconds=local.microsecond)
    if until == "minute":
        return timedelta(minutes=1) - past
    if until == "hour":
        return timedelta(hours=1) - timedelta(minutes=local.minute) - past
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), local.tzinfo)
    return tomorrow.astimezone(UTC) - now.astimezone(UTC)


def covers(until: str | None, grain: int) -> bool:
    """Return whether a lifetime ends before a value derived from the clock changes.

    `grain` is 0 for an exact time, 1 for one truncated to the minute, 2 to the hour, 3 to the day.
    """
    return until is not None and ENDS.index(until) <= max(grain - 1, 0)


def sooner(one: Until, two: Until) -> Until:
    """Return the end that comes first; for two time zones, "minute", which both share."""
    if one[0] is None or two[0] is None:
        return one if two[0] is None else two
    if one[0] == two[0] and one[1] != two[1] and one[0] != "minute":
        return ("minute", "UTC")
    return min(one, two, key=lambda end: (ENDS.index(str(end[0])), end[1]))


def find_errors(until: str | None, zone: str) -> Iterator[str]:
    """Yield what is wrong with an end and its zone."""
    if until is not None and until not in ENDS:
        yield f"until is {until!r}: write one of {', '.join(ENDS)}."
    try:
        _zone(zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield f"zone is {zone!r}, which is not a time zone: write a name such as 'Europe/Berlin'."


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)  # works without time zone data
