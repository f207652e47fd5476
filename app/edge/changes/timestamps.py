"""Convert instants to the integers that the tables store: microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """Return an aware instant in microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def duration_microseconds(length: timedelta) -> int:
    """Return a duration in microseconds."""
    return length // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """Return the instant of a number of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)
