"""Age, Date and lifetimes at their limits."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    dates,
    freshness,
    targeted,
)
from app.edge.http.fields import HeaderFields

NOW = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def after(seconds: float) -> str:
    """Return the HTTP date that lies this many seconds after NOW."""
    return dates.format_http_date(NOW + seconds)


class TestAge:
    """Age and Date arithmetic (RFC 9111 section 4.2.3)."""

    AGES: ClassVar[dict[str, tuple[list[tuple[str, str]], float, float]]] = {
        "no field": ([], 0, 0),
        "the delay of the response counts": ([], 3, 3),
        "Date lies behind": ([("Date", after(-5))], 0, 5),
        "Date lies behind by more than the delay": ([("Date", after(-5))], 3, 5),
        "Date lies behind by less than the delay": ([("Date", after(-2))], 3, 3),
        "Date lies ahead": ([("Date", after(9))], 0, 0),
        "Age and the delay add up": ([("Age", "10")], 3, 13),
        "Age is greater than the apparent age": ([("Age", "10"), ("Date", after(-5))], 0, 10),
        "Age is smaller than the apparent age": ([("Age", "2"), ("Date", after(-5))], 1, 5),
        "Date is invalid": ([("Date", "yesterday"), ("Age", "4")], 0, 4),
        "a clock that was set back": ([("Age", "4")], -7, 4),
    }

    @pytest.mark.parametrize(("lines", "delay", "age"), AGES.values(), ids=AGES)
    def test_the_age_at_the_arrival(
        self, lines: list[tuple[str, str]], delay: float, age: float
    ) -> None:
        """The greater of the apparent age, and Age with the delay."""
        fields = HeaderFields(lines)
        result = freshness.corrected_initial_age(fields, requested_at=NOW - delay, received_at=NOW)
        assert result == age

    @pytest.mark.parametrize(
        ("value", "age"),
        [
            *(("0", 0), ("7", 7), (" 7\t", 7), ("007", 7), ("7, 9", 7), ("7,x", 7), (",7", 0)),
            *(("", 0), ("-7", 0), ("7.5", 0), ("+7", 0), ("x", 0), ("7 7", 0), ("²", 0)),
            *((str(2**31 - 1), 2**31 - 1), (str(2**31), 2**31), (str(2**31 + 1), 2**31)),
            *(("9" * 5000, 2**31), ("0" * 5000 + "7", 7)),
        ],
    )
    def test_age_is_a_number_or_nothing(self, value: str, age: int) -> None:
        """The first member counts, up to 2^31 (RFC 9111 section 5.1)."""
        assert freshness.parse_age(HeaderFields([("Age", value)])) == age

    LIFETIMES: ClassVar[dict[str, tuple[list[tuple[str, str]], float, str | None]]] = {
        "nothing": ([], 0, None),
        "s-maxage before max-age": ([("Cache-Control", "max-age=9, s-maxage=3")], 3, "s-maxage"),
        "max-age before Expires": (
            [("Cache-Control", "max-age=9"), ("Expires", after(3)), ("Date", DATE)],
            9,
            "max-age",
        ),
        "max-age=0 is a lifetime": (
            [("Cache-Control", "max-age=0"), ("Expires", after(3))],
            0,
            "max-age",
        ),
        "Expires after Date": ([("Expires", after(30)), ("Date", after(10))], 20, "expires"),
        "Expires without Date": ([("Expires", after(30))], 30, "expires"),
        "Expires before Date": ([("Expires", after(5)), ("Date", after(10))], 0, "expires"),
        "Expires is invalid": ([("Expires", "0"), ("Date", DATE)], 0, "expires"),
        "two equal lines of Expires": (
            [("Expires", after(30)), ("Expires", after(30)), ("Date", DATE)],
            30,
            "expires",
        ),
        "two lines of Expires": (
            [("Expires", after(30)), ("Expires", after(40)), ("Date", DATE)],
            0,
            "expires",
        ),
        "a targeted field": ([("CDN-Cache-Control", "max-age=4")], 4, "max-age"),
        "a targeted field hides Expires": (
            [
                ("CDN-Cache-Control", "public"),
                ("Expires", after(30)),
                ("Cache-Control", "max-age=9"),
            ],
            0,
            None,
        ),
    }

    @pytest.mark.parametrize(("lines", "seconds", "source"), LIFETIMES.values(), ids=LIFETIMES)
    def test_the_lifetime_has_one_source(
        self, lines: list[tuple[str, str]], seconds: float, source: str | None
    ) -> None:
        """RFC 9111 section 4.2.1, and RFC 9213."""
        fields = HeaderFields(lines)
        obeyed = targeted.effective_directives(fields, ("cdn-cache-control",))
        lifetime = freshness.explicit_lifetime(fields, obeyed, received_at=NOW)
        assert (lifetime.seconds, lifetime.source) == (seconds, source)

    @pytest.mark.parametrize(
        ("lines", "fraction", "seconds", "source"),
        [
            ([], 0.1, 0, None),
            ([("Last-Modified", after(-100))], 0.1, 10, "heuristic"),
            ([("Last-Modified", after(-100)), ("Date", after(100))], 0.1, 20, "heuristic"),
            ([("Last-Modified", after(100))], 0.1, 0, "heuristic"),
            ([("Last-Modified", after(-864_000))], 0.1, 86_400, "heuristic"),
            ([("Last-Modified", after(-863_990))], 0.1, 86_399, "heuristic"),
            ([("Last-Modified", after(-9_000_000))], 0.1, 86_400, "heuristic"),
        ],
    )
    def test_a_heuristic_lifetime_is_a_day_at_most(
        self, lines: list[tuple[str, str]], fraction: float, seconds: float, source: str | None
    ) -> None:
        """A fraction of the time between Last-Modified and Date."""
        lifetime = freshness.heuristic_lifetime(
            HeaderFields(lines), received_at=NOW, fraction=fraction
        )
        assert (round(lifetime.seconds, 6), lifetime.source) == (seconds, source)
