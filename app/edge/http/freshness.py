"""Compute the age and the freshness lifetime of a response (RFC 9111 section 4.2).

Times are epoch seconds and durations are seconds, because the age is computed on every HIT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import dates

if TYPE_CHECKING:
    from .fields import HeaderFields
    from .targeted import EffectiveDirectives

#: Statuses that allow a heuristic lifetime (RFC 9110 section 15.1), except 206: it is not stored.
HEURISTIC_STATUSES: Final = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
#: The maximum heuristic lifetime in seconds.
_HEURISTIC_CAP: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessLifetime:
    """Seconds of freshness and the lower-case name of their source; None without a source."""

    seconds: float
    source: str | None


def explicit_lifetime(
    fields: HeaderFields, obeyed: EffectiveDirectives, *, received_at: float
) -> FreshnessLifetime:
    """Return the explicit freshness lifetime of a response for a shared cache (section 4.2.1)."""
    for name in ("s-maxage", "max-age"):
        seconds = obeyed.directives.delta_seconds(name)
        if seconds is not None:
            return FreshnessLifetime(seconds=seconds, source=name)
    if not obeyed.is_targeted and "expires" in fields:
        return FreshnessLifetime(seconds=_until_expiry(fields, received_at), source="expires")
    return FreshnessLifetime(seconds=0, source=None)


def heuristic_lifetime(
    fields: HeaderFields, *, received_at: float, fraction: float
) -> FreshnessLifetime:
    """Return a fraction of the time since Last-Modified (section 4.2.2), at most one day."""
    modified = dates.parse_http_date(fields.single("last-modified"), now=received_at)
    if modified is None:
        return FreshnessLifetime(seconds=0, source=None)
    unchanged = max(0.0, response_date(fields, received_at) - modified)
    return FreshnessLifetime(seconds=min(fraction * unchanged, _HEURISTIC_CAP), source="heuristic")


def response_date(fields: HeaderFields, received_at: float) -> float:
    """Return the response's Date, or the time of its arrival without one (RFC 9110, 6.6.1)."""
    date = dates.parse_http_date(fields.first("date"), now=received_at)
    return received_at if date is None else date


def corrected_initial_age(
    fields: HeaderFields, *, requested_at: float, received_at: float
) -> float:
    """Return corrected_initial_age: the age of a response when it was received (section 4.2.3)."""
    apparent = max(0.0, received_at - response_date(fields, received_at))
    delay = max(0.0, received_at - requested_at)
    return max(apparent, parse_age(fields) + delay)


def parse_age(fields: HeaderFields) -> int:
    """Return the upstream Age: the first member, zero if it is invalid (section 5.1)."""
    first = (fields.first("age") or "").partition(",")[0].strip(" \t")
    if not (first.isascii() and first.isdigit()):
        return 0
    digits = first.lstrip("0") or "0"
    return min(int(digits[:11]), 2**31)


def _until_expiry(fields: HeaderFields, received_at: float) -> float:
    """Return the time from Date to Expires; zero if Expires is invalid or contradictory."""
    expires = dates.parse_http_date(fields.single("expires"), now=received_at)
    return 0 if expires is None else max(0.0, expires - response_date(fields, received_at))
