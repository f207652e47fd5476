"""Detect parameters of a query that were computed from the current time.

The result of a query that compares with the current time changes without a change of a row, so a
page that is built from it can't be stored until a row changes. The functions are pure: the times
of a response are parameters.

Calls of Python's clock can't be observed, so its values are recognised: an instant whose distance
from the response is a whole number of seconds, minutes, hours or days, in the precision of the
value. A value that comes from a row or from the URL is not a clock value. An object that an
earlier response used is a constant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from time import daylight, localtime, timezone
from typing import Any, NamedTuple

from .provenance import MICROSECOND, NO_TIME, Provenance, epoch

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
"""Durations in microseconds."""

_YEARS = 10 * 366 * DAY
_USUAL_DAYS = frozenset(
    {*range(-7, 8), *(n * s for n in (14, 28, 30, 31, 60, 90, 365) for s in (1, -1))}
)
"""Distances in days from today that applications use; other midnights count as constants."""


class Grain(IntEnum):
    """The precision of a clock value: how long it stays the same."""

    INSTANT = 0
    MINUTE = 1
    HOUR = 2
    DAY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockUse:
    """A description of a parameter that was computed from the clock, and its precision."""

    what: str
    grain: Grain


class Window(NamedTuple):
    """The time from the start of a response until now, in microseconds since 1970."""

    began: int
    now: int

    @classmethod
    def of(cls, began: datetime, now: datetime) -> Window:
        """Return the window between two aware instants."""
        first = epoch(began)
        return cls(began=first, now=max(first, epoch(now)))

    @property
    def phase(self) -> int:
        """The step in which distances of instants with microseconds are compared.

        The longer a response takes, the more often an unrelated instant would match by chance.
        """
        length = self.now - self.began
        return SECOND if length <= SECOND // 20 else MINUTE if length <= 3 * SECOND else HOUR

    def days(self, offset: int) -> range:
        """Return the day of the response at a UTC offset, in days since 1970; two at midnight.

        One hour is added on both sides, because daylight saving time may have begun or ended.
        """
        return range((self.began + offset - HOUR) // DAY, (self.now + offset + HOUR) // DAY + 1)

    def today(self, offset: int) -> set[date]:
        """Return the dates of the response at a UTC offset."""
        return {_EPOCH_DAY + timedelta((m + offset) // DAY) for m in (self.began, self.now)}

    def here(self) -> set[int]:
        """Return the UTC offsets to try: 0 and that of the server's local time."""
        return {0, localtime(self.now // SECOND).tm_gmtoff * SECOND}


_EPOCH_DAY = date(1970, 1, 1)


def find_clock_use(
    parameters: Iterable[tuple[str, Any]], window: Window, provenance: Provenance
) -> ClockUse | None:
    """Return the clock use of these parameters with the finest precision, if there is one."""
    uses = (
        ClockUse(what=f"the parameter {name} is {words}", grain=grain)
        for name, parameter_value in parameters
        for value in _parts(parameter_value)
        if not provenance.is_constant(value)
        for grain, words in _meanings(value, window, provenance)
        if not provenance.has_value(value)
    )
    return min(uses, key=lambda use: use.grain, default=None)


def may_be_moment(value: Any) -> bool:
    """Return whether a value could be a clock value; a quick test that excludes most values."""
    kind = type(value)
    if kind is datetime:
        return True
    if kind is str:
        return 8 <= len(value) <= 64 and _MAY_BE_TEXT.search(value) is not None  # noqa: PLR2004 - the length of a date
    if kind is int:
        return bool(FIRST_STAMP <= value < _LAST)
    return not (value is None or kind is bool or kind is bytes)


FIRST_STAMP, _LAST = 10**9, 10**20
"""The range of numbers that can be timestamps, from seconds to nanoseconds."""
_MAY_BE_TEXT = re.compile(r"\d{4}[-/]?\d\d|\d\d[./]\d\d[./]\d{4}")


def _parts(value: Any) -> Iterable[Any]:
    """Return a value, or the values of a list, mapping or range."""
    if isinstance(value, date | str | int | float | time):
        return (value,) if may_be_moment(value) else ()
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return [part for inner in value for part in _parts(inner)]
    if hasattr(value, "lower") and hasattr(value, "upper"):
        return [part for part in (value.lower, value.upper) if may_be_moment(part)]
    return (value,) if may_be_moment(value) else ()


Meanings = Iterator[tuple[Grain, str]]


def _meanings(value: Any, window: Window, provenance: Provenance) -> Meanings:
    """Yield the ways in which a value could have been computed from the clock."""
    if isinstance(value, datetime):
        for instant in _readings(value):
            yield from _of_instant(instant, window, provenance)
    elif isinstance(value, date):
        yield from _of_date(value, window, provenance)
    elif isinstance(value, time):
        yield from _of_time(value, window)
    elif isinstance(value, str):
        yield from _of_text(value, window, provenance)
    elif isinstance(value, int | float | Decimal):
        yield from _of_number(value, window, provenance)
    elif callable(stamp := getattr(value, "timestamp", None)):
        yield from _of_number(stamp(), window, provenance)


def _readings(value: datetime) -> list[datetime]:
    """Return the instants that a value may mean: without a zone it is UTC or local time."""
    if value.tzinfo is not None:
        return [value]
    aware = value.replace(tzinfo=UTC)
    if not (timezone or daylight):  # the server's clock is UTC
        return [aware]
    try:
        return [aware, value.astimezone()]
    except (OverflowError, OSError, ValueError):  # a year that the platform does not support
        return [aware]


def _of_instant(instant: datetime, window: Window, provenance: Provenance) -> Meanings:
    moment = epoch(instant)
    offset = 0 if instant.tzinfo is UTC else (instant.utcoffset() or NO_TIME) // MICROSECOND
    if abs(moment - window.now) > _YEARS:
        return
    # 23:59:59.999999, .999 and 23:59:59 mean the end of a day and have the precision of a day.
    if (until_midnight := -(moment + offset) % DAY) in _ENDS:
        moment += until_midnight
    level = _fitting_level(moment, offset, window)
    if level is not None and not provenance.explains(moment, level):
        yield Grain(max(level - 1, 0)), _in_words(moment, window)


_ENDS = frozenset({1, 1000, SECOND})
_LEVELS = (1, 1000, SECOND, MINUTE, HOUR, DAY)
"""The units of precision: microsecond, millisecond, second, minute, hour and day."""


def _fitting_level(moment: int, offset: int, window: Window) -> int | None:
    """Return the precision level at which an instant has a typical distance from the response.

    Return None if it has none. 0 is below a second, 1 a second, 2 a minute, 3 an hour, 4 a day.
    """
    wall = moment + offset
    finest = len(_LEVELS) - 1
    while wall % _LEVELS[finest]:
        finest -= 1
    level, unit = max(finest - 1, 0), _LEVELS[finest]
    if unit == DAY:
        near = any(wall // DAY - today in _USUAL_DAYS for today in window.days(offset))
        return level if near else None
    low, high = ((m + offset) // unit * unit - offset for m in (window.began, window.now))
    if low <= moment <= high:
        return level
    distance = min(abs(moment - low), abs(moment - high))
    for step, reach in _steps(level, window):
        if distance <= reach and (moment - low) % step <= high - low:
            return level
    whole_days = unit == HOUR and (moment - low) % DAY == 0
    return level if whole_days and (moment - low) // DAY in _USUAL_DAYS else None


def _steps(level: int, window: Window) -> tuple[tuple[int, int], ...]:
    """Return pairs of a step and the maximum distance at which a multiple of it counts."""
    if level == 0:
        return ((window.phase, _YEARS),)
    steps = ((SECOND, 2 * MINUTE), (MINUTE, 2 * HOUR), (HOUR, 2 * DAY), (DAY, 400 * DAY))
    return steps[2:3] if _LEVELS[level + 1] == HOUR else steps[level - 1 :]


def _of_date(day: date, window: Window, provenance: Provenance) -> Meanings:
    distances = {(day - today).days for at in window.here() for today in window.today(at)}
    if distances & _USUAL_DAYS and not provenance.explains_day(day):
        shift = min(distances, key=abs)
        yield Grain.DAY, "today's date" + (f" {shift:+d} days" if shift else "")


def _of_time(value: time, window: Window) -> Meanings:
    """Yield a meaning if the value is the response's time of day, to the second."""
    if not (value.second or value.microsecond):
        return
    time_of_day = (value.hour * 60 + value.minute) * MINUTE + value.second * SECOND
    for offset in window.here():
        if any(
            (m + offset) % DAY // SECOND * SECOND == time_of_day for m in (window.began, window.now)
        ):
            yield Grain.INSTANT, "the current time of day"
            return


_ISO = re.compile(
    r"(?<!\d)\d{4}-\d\d-\d\d"
    r"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?(?!\d)"
)
_STAMP = re.compile(r"\d{10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}")
_FORMATS = ("%Y%m%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y")


def _of_text(text: str, window: Window, provenance: Provenance) -> Meanings:
    for iso_text in _ISO.findall(text):
        value = read_iso(iso_text)
        if value is not None:
            yield from _meanings(value, window, provenance)
    if _STAMP.fullmatch(text):
        yield from _of_number(Decimal(text), window, provenance)
    for today in {day for at in window.here() for day in window.today(at)}:
        if text in {today.strftime(spelling) for spelling in _FORMATS}:
            yield from _of_date(today, window, provenance)


def read_iso(text: str) -> datetime | date | None:
    """Parse an instant or a date in ISO 8601; return None for other text."""
    try:
        if len(text) == len("2026-01-01"):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text.replace(",", ".").replace(" +", "+").replace(" Z", "Z"))
    except ValueError:
        return None


_SCALES = ((10**9, 10**11, SECOND), (10**12, 10**14, 1000), (10**15, 10**17, 1))
"""Ranges of numbers that are seconds, milliseconds or microseconds since 1970."""


def _of_number(value: float | Decimal, window: Window, provenance: Provenance) -> Meanings:
    if _LAST > value >= 10**18:
        value = int(value) // 1000
    for least, most, scale in _SCALES:
        if not least <= value < most:
            continue
        moment = round(Decimal(value) * scale)
        if abs(moment - window.now) > 400 * DAY:
            continue
        instant = datetime.fromtimestamp(moment // SECOND, UTC)
        yield from _of_instant(instant.replace(microsecond=moment % SECOND), window, provenance)


def _in_words(moment: int, window: Window) -> str:
    """Describe the distance of an instant from the current time."""
    seconds = round((moment - window.now) / SECOND)
    if abs(seconds) <= 1:
        return "the current time"
    unit, size = next((u for u in _UNITS if abs(seconds) >= u[1]), _UNITS[-1])
    count = round(abs(seconds) / size, 1)
    return f"the current time {'+-'[seconds < 0]} {count:g} {unit}{'s' if count != 1 else ''}"


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


CLOCK_FUNCTIONS = frozenset(
    [
        *("now", "current_timestamp", "current_date", "current_time", "localtime"),
        *("localtimestamp", "clock_timestamp", "statement_timestamp", "transaction_timestamp"),
    ]
)
"""SQL functions that return the current time."""

_CLOCK_IN_SQL = re.compile(
    r"\b(?:current_(?:date|time|timestamp)|localtime(?:stamp)?)\b"
    r"|\b(?:now|(?:clock|statement|transaction)_timestamp|timeofday|random|randomblob"
    r"|gen_random_uuid|uuidv7)\s*\(|'(?:now|today|tomorrow|yesterday)'"
    r"|\b(?:date|time|datetime|julianday|unixepoch)\s*\(\s*\)",
    re.IGNORECASE,
)
_CONVERTS = re.compile(
    r"\b(?:date|time|datetime|julianday|unixepoch|strftime|timediff|to_timestamp|to_date)\s*\("
    r"|(?:\bAS|::)\s*(?:date|time)",
    re.IGNORECASE,
)
_WORDS = ("now", "today", "tomorrow", "yesterday", "localtime")
MOMENT_WORDS = frozenset(s for w in _WORDS for s in (w, w.upper(), w.title()))
"""Words that a database parses as an instant, in their usual letter cases."""


def clock_in_sql(statement: str) -> str:
    """Return the part of raw SQL that uses the current time or a random value, or ""."""
    match = _CLOCK_IN_SQL.search(statement)
    return match[0] if match else ""


LONGEST_WORD = 9
"""The length of the longest word that a database parses as an instant."""


def reads_as_moment(statement: str, word: str) -> bool:
    """Return whether the database parses a text such as 'now' as an instant in this statement."""
    return word in MOMENT_WORDS and _CONVERTS.search(statement) is not None
