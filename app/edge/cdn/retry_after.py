"""Read Retry-After (RFC 9110 section 10.2.3), with an upper limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ..http import dates

MAX_RETRY_AFTER = timedelta(hours=1)
"""Longer waits are shortened to this."""


def parse_retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long to wait; None without a valid Retry-After.

    A date is compared with the response's Date, because our clock and the edge's may differ.
    """
    header_value = headers.get("Retry-After", "").strip()
    if header_value.isascii() and header_value.isdecimal():
        return min(timedelta(seconds=int(header_value[:9])), MAX_RETRY_AFTER)
    now = dates.parse_http_date(headers.get("Date"), now=0)
    at = dates.parse_http_date(header_value, now=now or 0)
    if now is None or at is None:
        return None
    return min(max(timedelta(seconds=at - now), timedelta(0)), MAX_RETRY_AFTER)
