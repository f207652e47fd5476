"""Dates at the limits of their forms."""

from __future__ import annotations

import pytest

from app.edge.http import (
    dates,
)

NOW = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("Saturday, 06-Nov-44 08:49:37 GMT", 2044),
        ("Sunday, 06-Nov-45 08:49:37 GMT", 1945),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 1994),
        ("Sunday, 06-Nov-95 08:49:37 GMT", 1995),
    ],
)
def test_a_year_of_two_digits_is_at_most_fifty_years_ahead(text: str, year: int) -> None:
    """The year of the clock is 1994."""
    instant = dates.parse_http_date(text, now=NOW)
    assert instant is not None
    assert f" {year} " in dates.format_http_date(instant)


@pytest.mark.parametrize(
    ("text", "valid"), [(DATE + " " * 11, False), ("Sun, 06 Nov 1994 08:49:37 GMTx", False)]
)
def test_a_date_has_nothing_after_it(text: str, valid: bool) -> None:
    """Nor before it."""
    assert (dates.parse_http_date(text, now=NOW) is not None) is valid
    assert dates.parse_http_date(f" {DATE}", now=NOW) is None
