"""Instants as the tables keep them: whole microseconds since 1970, equal on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_microseconds(instant: datetime) -> int:
    """An aware instant as a number."""
    return (instant - _EPOCH) // _MICROSECOND


def duration_microseconds(length: timedelta) -> int:
    """A span as a number."""
    return length // _MICROSECOND


def from_microseconds(number: int) -> datetime:
    """The instant of a number."""
    return _EPOCH + timedelta(microseconds=number)
