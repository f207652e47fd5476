"""Provenance of parameters: the values that a response read from rows or got from its URL.

They are searched only if a parameter looks like a clock value, which is rare.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from ..changes.encoding import EPOCH

MICROSECOND, NO_TIME = timedelta(microseconds=1), timedelta()
_SECOND = 1_000_000
_DAY = 86400 * _SECOND
_HOURS = 3
"""The lowest precision level (see `clock_values`) of whole hours or days."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?")


def epoch(instant: datetime) -> int:
    """Return an aware instant in microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


@dataclass(eq=False)
class Provenance:
    """The rows that were read before a statement, the URL, and the constants."""

    results: Sequence[Sequence[Sequence[Any]]] = ()
    url: str = ""
    constants: Container[int] = ()
    """The ids of the objects that an earlier response used as parameters."""

    def is_constant(self, value: Any) -> bool:
        """Return whether an earlier response used the same object."""
        return id(value) in self.constants

    def has_value(self, value: Any) -> bool:
        """Return whether a row or the URL contains this value."""
        text = str(value)
        if text in self._url:
            return True
        return any(cell == value or str(cell) == text for cell in self._cells())

    def explains(self, moment: int, level: int) -> bool:
        """Return whether an instant equals one that was read, or can be derived from one.

        At a precision below a second, an equal fraction of the second is sufficient.
        """
        if self._url_names(moment) or (level >= _HOURS and self.explains_day(_day_of(moment))):
            return True
        if level == 0:
            fractions = {
                m % _SECOND for instant in self._moments for m in (instant, instant // 1000 * 1000)
            }
            return moment % _SECOND in fractions
        if level == 1:
            return any((moment - instant) % _DAY == 0 for instant in self._moments)
        return moment in self._moments

    def explains_day(self, day: date) -> bool:
        """Return whether the URL contains this day, or a month or year that starts or ends with it.

        The next day counts as well, as the excluded end of an interval.
        """
        return self._url_has(day) or self._url_has(day - timedelta(days=1))

    @property
    def _url(self) -> str:
        return self.url and unquote_plus(self.url)

    def _url_names(self, moment: int) -> bool:
        """Return whether the URL contains this instant in ISO 8601."""
        iso_texts = _INSTANT.findall(self._url)
        return any(epoch(instant) == moment for text in iso_texts for instant in _instants_of(text))

    def _url_has(self, day: date) -> bool:
        numbers = self._numbers
        first_or_last = day.day == 1 or (day + timedelta(days=1)).day == 1
        whole_year = (day.month, day.day) in {(1, 1), (12, 31)}
        if f"{day:%Y%m%d}" in self._url:
            return True
        return (
            day.year in numbers
            and (day.month in numbers or whole_year)
            and (day.day in numbers or first_or_last)
        )

    @cached_property
    def _numbers(self) -> set[int]:
        return {int(digits) for digits in re.findall(r"\d{1,18}", self._url)}

    def _cells(self) -> Iterator[Any]:
        for rows in self.results:
            for row in rows:
                yield from row

    @cached_property
    def _moments(self) -> set[int]:
        return {epoch(instant) for cell in self._cells() for instant in _instants_of(cell)}


def _instants_of(cell: Any) -> list[datetime]:
    """Return the instants that a row's value may mean; without a zone it is UTC or local time."""
    if isinstance(cell, str):
        if not _INSTANT.fullmatch(cell):
            return []
        cell = datetime.fromisoformat(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return [EPOCH + timedelta(seconds=cell)] if 10**9 <= cell < 10**11 else []
    if not isinstance(cell, datetime):
        return []
    return [cell] if cell.tzinfo else [cell.replace(tzinfo=UTC), cell.astimezone()]


def _day_of(moment: int) -> date:
    return (EPOCH + timedelta(microseconds=moment)).date()
