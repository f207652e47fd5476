"""Durations as they are written in a policy: `edge=days(1)`, `stale_if_error=hours(12)`."""

from __future__ import annotations

from datetime import timedelta


def seconds(count: float) -> timedelta:
    """Return a duration of this many seconds."""
    return timedelta(seconds=count)


def minutes(count: float) -> timedelta:
    """Return a duration of this many minutes."""
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    """Return a duration of this many hours."""
    return timedelta(hours=count)


def days(count: float) -> timedelta:
    """Return a duration of this many days."""
    return timedelta(days=count)
