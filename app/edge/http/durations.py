"""Convert durations to delta-seconds and to readable text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

_MAX_SECONDS = 2**31
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def delta_seconds(span: timedelta) -> int:
    """Return the duration in delta-seconds: whole, from 0 to 2^31 (RFC 9111 §1.2.2)."""
    return min(max(int(span.total_seconds()), 0), _MAX_SECONDS)


def format_duration(span: timedelta) -> str:
    """Return the duration in its two largest units: "1 day", "1 hour 30 minutes"."""
    remaining = delta_seconds(span)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, remaining = divmod(remaining, size)
        if count:
            parts.append(f"{count} {unit}{'s' if count > 1 else ''}")
    return " ".join(parts[:2]) or "0 seconds"
