"""Durations in delta-seconds and in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.edge.http.cache_control import MAX_DELTA_SECONDS
from app.edge.http.durations import delta_seconds, format_duration


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (timedelta(seconds=-1), 0),
        (timedelta(seconds=0.9), 0),
        (timedelta(seconds=1.9), 1),
        (timedelta(seconds=2**31 - 1), 2**31 - 1),
        (timedelta(seconds=2**31 + 1), 2**31),
    ],
)
def test_delta_seconds_are_whole_and_bounded(span: timedelta, seconds: int) -> None:
    """From 0 to 2^31 (RFC 9111 section 1.2.2)."""
    assert delta_seconds(span) == seconds
    assert MAX_DELTA_SECONDS == 2**31


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3600, "1 hour"),
        (86399, "23 hours 59 minutes"),
        (86400, "1 day"),
        (2 * 86400 + 61, "2 days 1 minute"),
    ],
)
def test_a_duration_is_written_in_two_units(seconds: int, text: str) -> None:
    """The largest ones."""
    assert format_duration(timedelta(seconds=seconds)) == text
