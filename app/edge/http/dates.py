"""Parse and format HTTP-date (RFC 9110 section 5.6.7) as epoch seconds; parsing never raises."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_NAMES: Final = tuple(name.title() for name in _MONTHS)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME: Final = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_SHORT: Final = r"(?:mon|tue|wed|thu|fri|sat|sun)"
_LONG: Final = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_MONTH: Final = "(?P<month>" + "|".join(_MONTHS) + ")"
#: RFC 9111 section 4.2: caches parse dates case-insensitively and accept only GMT.
_FORMS: Final = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_SHORT}, (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} gmt",
        rf"{_LONG}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} gmt",
        rf"{_SHORT} {_MONTH} (?P<day>\d\d| \d) {_TIME} (?P<year>\d{{4}})",
    )
)
_MAX_LENGTH: Final = 40
_CENTURY: Final = 100
_AHEAD: Final = 50
_LEAP_SECOND: Final = 60


def parse_http_date(text: str | None, *, now: float) -> int | None:
    """Return the time as epoch seconds; None if it has none of the three formats.

    `now` determines the century of the two-digit year of an RFC 850 date.
    """
    if text is None or len(text) > _MAX_LENGTH:
        return None
    return _parse(text, datetime.fromtimestamp(now, UTC).year)


@lru_cache(maxsize=256)  # the same Date and Expires are parsed many times
def _parse(text: str, this_year: int) -> int | None:
    for form in _FORMS:
        match = form.fullmatch(text)
        if match:
            return _instant(match, this_year)
    return None


def format_http_date(instant: float) -> str:
    """Return an IMF-fixdate; fractions of a second are truncated."""
    when = datetime.fromtimestamp(int(instant), UTC)
    day, month = _DAYS[when.weekday()], _NAMES[when.month - 1]
    return f"{day}, {when.day:02} {month} {when.year:04} {when:%H:%M:%S} GMT"


def _instant(match: re.Match[str], this_year: int) -> int | None:
    year, month = int(match["year"]), _MONTHS.index(match["month"].lower()) + 1
    if len(match["year"]) == len("yy"):
        year = _full_year(year, this_year)
    second = int(match["second"])
    try:
        when = datetime(
            year,
            month,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            second - (second == _LEAP_SECOND),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return int(when.timestamp())


def _full_year(two_digits: int, this_year: int) -> int:
    """Return the latest year with these digits that is at most 50 years ahead."""
    latest = this_year + _AHEAD
    return latest - (latest - two_digits) % _CENTURY
