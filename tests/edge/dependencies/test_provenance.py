"""Values that a page got from a row or from its URL: which instants and days they explain."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.edge.dependencies.provenance import Provenance, epoch

AT = datetime(2026, 11, 29, 7, 3, 4, 987_654, tzinfo=UTC)
DAYS: dict[str, tuple[str, date, bool]] = {
    "the day": ("/2026/11/29", date(2026, 11, 29), True),
    "without zeros": ("/2026/3/1", date(2026, 3, 1), True),
    "without separators": ("/20261129", date(2026, 11, 29), True),
    "the next day": ("/2026/11/29", date(2026, 11, 30), True),
    "two days later": ("/2026/11/18", date(2026, 11, 20), False),
    "the day before": ("/2026/11/29", date(2026, 11, 28), False),
    "the first of the month": ("/2026/11", date(2026, 11, 1), True),
    "the last of the month": ("/2026/11", date(2026, 11, 30), True),
    "the first of the next month": ("/2026/11", date(2026, 12, 1), True),
    "inside of the month": ("/2026/11", date(2026, 11, 15), False),
    "the last of February": ("/2024/2", date(2024, 2, 29), True),
    "the first of the year": ("/2026", date(2026, 1, 1), True),
    "the last of the year": ("/2026", date(2026, 12, 31), True),
    "the first of the next year": ("/2026", date(2027, 1, 1), True),
    "the first of another month": ("/2026", date(2026, 5, 1), False),
    "another year": ("/2025/11/29", date(2026, 11, 29), False),
    "no URL": ("", date(2026, 11, 29), False),
    "percent-encoded": ("/?day=2026%2D11%2D29", date(2026, 11, 29), True),
}


@pytest.mark.parametrize(("url", "day", "outcome"), DAYS.values(), ids=DAYS)
def test_a_url_explains_its_day_and_the_ends_of_its_month_and_year(
    url: str, day: date, *, outcome: bool
) -> None:
    """And the day after each of them, as the excluded end of an interval."""
    assert Provenance(url=url).explains_day(day) is outcome


VALUES: dict[str, tuple[Any, Any, bool]] = {
    "equal": (AT, AT, True),
    "the text of it": (str(AT), AT, True),
    "a number as text": ("5", 5, True),
    "an equal number": (5.0, 5, True),
    "another value": (AT + timedelta(seconds=1), AT, False),
}


@pytest.mark.parametrize(("cell", "value", "outcome"), VALUES.values(), ids=VALUES)
def test_a_row_has_a_value_or_its_text(cell: Any, value: Any, *, outcome: bool) -> None:
    """In any column of any row of any earlier statement."""
    rows: list[list[tuple[Any, ...]]] = [[(0, 1)], [], [(2,), (3, cell)]]
    assert Provenance(results=rows).has_value(value) is outcome
    assert Provenance(results=rows[:2]).has_value(value) is False


LEVELS: dict[str, tuple[timedelta, int, bool]] = {
    "the instant": (timedelta(0), 2, True),
    "an equal fraction": (timedelta(seconds=77), 0, True),
    "cut to milliseconds": (timedelta(microseconds=-654), 0, True),
    "another fraction": (timedelta(microseconds=1), 0, False),
    "whole days, to the second": (timedelta(days=3), 1, True),
    "whole hours, to the second": (timedelta(hours=3), 1, False),
    "whole days, to the minute": (timedelta(days=3), 2, False),
}


@pytest.mark.parametrize(("distance", "level", "outcome"), LEVELS.values(), ids=LEVELS)
def test_an_instant_of_a_row_explains_others_by_their_precision(
    distance: timedelta, level: int, *, outcome: bool
) -> None:
    """The finer the precision, the less likely is an equal remainder by chance."""
    rows = Provenance(results=[[(AT,)]])
    assert rows.explains(epoch(AT + distance), level) is outcome
