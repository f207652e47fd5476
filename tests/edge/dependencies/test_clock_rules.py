"""Clock values at their limits: distances, precisions, windows, and the finest of several uses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.edge.dependencies.clock_values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    ClockUse,
    Grain,
    Window,
    clock_in_sql,
    find_clock_use,
    may_be_moment,
    read_iso,
    reads_as_moment,
)
from app.edge.dependencies.provenance import Provenance, epoch

NOW = datetime(2026, 11, 29, 7, 3, 4, 987_654, tzinfo=UTC)


def use_of(
    value: Any, length: timedelta = timedelta(milliseconds=10), **origin: Any
) -> Grain | None:
    """Return the precision of a value in a response that began now, or None."""
    window = Window.of(NOW, NOW + length)
    use = find_clock_use([("p", value)], window, Provenance(**origin))
    return None if use is None else use.grain


SECOND_NOW, HOUR_NOW = NOW.replace(microsecond=0), NOW.replace(minute=0, second=0, microsecond=0)
MIDNIGHT = HOUR_NOW.replace(hour=0)
DISTANCES: dict[str, tuple[Any, Grain | None]] = {
    "now": (NOW, Grain.INSTANT),
    "the end of the response": (NOW + timedelta(milliseconds=10), Grain.INSTANT),
    "a second ahead of it": (NOW + timedelta(seconds=1, milliseconds=10), Grain.INSTANT),
    "half a second behind": (NOW - timedelta(milliseconds=500), None),
    "20 ms ahead": (NOW + timedelta(milliseconds=20), None),
    "ten years ago": (NOW - timedelta(days=3650), Grain.INSTANT),
    "eleven years ago": (NOW - timedelta(days=4018), None),
    "two minutes behind, to the second": (SECOND_NOW - timedelta(minutes=2), Grain.INSTANT),
    "121 seconds behind, to the second": (SECOND_NOW - timedelta(seconds=121), None),
    "two hours behind, to the second": (SECOND_NOW - timedelta(hours=2), Grain.INSTANT),
    "121 minutes behind, to the second": (SECOND_NOW - timedelta(minutes=121), None),
    "two days behind, to the second": (SECOND_NOW - timedelta(days=2), Grain.INSTANT),
    "49 hours behind, to the second": (SECOND_NOW - timedelta(hours=49), None),
    "two days ahead, to the second": (SECOND_NOW + timedelta(days=2), Grain.INSTANT),
    "400 days ago, to the second": (SECOND_NOW - timedelta(days=400), Grain.INSTANT),
    "401 days ago, to the second": (SECOND_NOW - timedelta(days=401), None),
    "the hour": (HOUR_NOW, Grain.HOUR),
    "the next hour": (HOUR_NOW + timedelta(hours=1), Grain.HOUR),
    "48 hours ahead": (HOUR_NOW + timedelta(hours=48), Grain.HOUR),
    "49 hours ahead": (HOUR_NOW + timedelta(hours=49), None),
    "60 days ahead, to the hour": (HOUR_NOW + timedelta(days=60), Grain.HOUR),
    "61 days ahead, to the hour": (HOUR_NOW + timedelta(days=61), None),
    "midnight": (MIDNIGHT, Grain.DAY),
    "a week ahead": (MIDNIGHT + timedelta(days=7), Grain.DAY),
    "15 days ahead": (MIDNIGHT + timedelta(days=15), None),
    "a year ago": (MIDNIGHT - timedelta(days=365), Grain.DAY),
    "today": (NOW.date(), Grain.DAY),
    "seven days ago": (NOW.date() - timedelta(days=7), Grain.DAY),
    "nine days ago": (NOW.date() - timedelta(days=9), None),
    "twelve days ago": (NOW.date() - timedelta(days=12), None),
    "seconds as a decimal": (Decimal(int(NOW.timestamp())), Grain.INSTANT),
    "milliseconds": (int(NOW.timestamp()) * 1000, Grain.INSTANT),
    "microseconds": (epoch(NOW), Grain.INSTANT),
    "401 days ago in seconds": (int(NOW.timestamp()) - 401 * 86400, None),
}


@pytest.mark.parametrize(("value", "grain"), DISTANCES.values(), ids=DISTANCES)
def test_a_distance_from_the_response_has_a_limit(value: Any, grain: Grain | None) -> None:
    """Beyond it, in either direction, an instant counts as a constant."""
    assert use_of(value) == grain


@pytest.mark.parametrize(
    ("length", "phase"),
    [
        (SECOND // 20, SECOND),
        (SECOND // 20 + 1, MINUTE),
        (3 * SECOND, MINUTE),
        (3 * SECOND + 1, HOUR),
    ],
)
def test_a_long_response_compares_in_coarser_steps(length: int, phase: int) -> None:
    """Otherwise an unrelated instant would match by chance."""
    assert Window(began=0, now=length).phase == phase


def test_a_clock_that_is_set_back_ends_no_response_before_it_began() -> None:
    """The window has no negative length."""
    window = Window.of(NOW, NOW - timedelta(hours=1))
    assert window.began == window.now == epoch(NOW)


@pytest.mark.parametrize("hours", [-24, -2, 0, 2, 24])
def test_the_day_of_a_response_has_an_hour_on_both_sides(hours: int) -> None:
    """Daylight saving time may have begun or ended within the day."""
    window = Window(began=10 * DAY + hours * HOUR, now=10 * DAY + hours * HOUR)
    first = (10 * 24 + hours - 1) // 24
    assert window.days(0) == range(first, (10 * 24 + hours + 1) // 24 + 1)


@pytest.mark.parametrize("order", [1, -1])
def test_the_finest_use_of_several_counts(order: int) -> None:
    """A page with today's date and the current second changes with every second."""
    parameters = [("day", NOW.date()), ("now", NOW)][::order]
    use = find_clock_use(parameters, Window.of(NOW, NOW), Provenance())
    assert use == ClockUse(what="the parameter now is the current time", grain=Grain.INSTANT)


CONTAINERS: dict[str, Any] = {
    "a list": [1, NOW],
    "a tuple in a list": [(1, NOW)],
    "a set": {1, NOW},
    "a mapping": {"from": {"until": NOW}},
    "a text with two dates": f"2020-01-01 and {NOW.isoformat()}",
}


@pytest.mark.parametrize("value", CONTAINERS.values(), ids=CONTAINERS)
def test_every_part_of_a_value_is_examined(value: Any) -> None:
    """Also inside of lists and mappings."""
    assert use_of(value) == Grain.INSTANT


EXPLAINED: dict[str, tuple[Any, dict[str, Any]]] = {
    "the row's instant": (NOW, {"results": [[(NOW,)]]}),
    "the row's number": (int(NOW.timestamp()), {"results": [[(int(NOW.timestamp()),)]]}),
    "a later row": (NOW, {"results": [[(1,)], [(2,), (NOW,)]]}),
    "the date in the URL": (NOW.date(), {"url": "/2026/11/29"}),
    "the month in the URL": (date(2026, 12, 1), {"url": "/2026/12"}),
    "the end of the month in the URL": (date(2026, 12, 1), {"url": "/2026/11"}),
    "the instant in the URL": (SECOND_NOW, {"url": "/?at=2026-11-29T07:03:04Z"}),
}


@pytest.mark.parametrize(("value", "origin"), EXPLAINED.values(), ids=EXPLAINED)
def test_a_value_of_a_row_or_the_url_is_no_clock(value: Any, origin: dict[str, Any]) -> None:
    """The same value without its origin is one."""
    assert use_of(value, **origin) is None
    assert use_of(value) is not None


UNEXPLAINED: dict[str, tuple[Any, dict[str, Any]]] = {
    "another instant in a row": (NOW, {"results": [[(NOW + timedelta(microseconds=1),)]]}),
    "another day in the URL": (NOW.date(), {"url": "/2026/11/27"}),
    "another year in the URL": (NOW.date(), {"url": "/2025/11/29"}),
    "only the year in the URL": (NOW.date(), {"url": "/2026"}),
    "only the month in the URL": (NOW.date(), {"url": "/11"}),
    "another second in a row": (
        SECOND_NOW, {"results": [[(SECOND_NOW - timedelta(seconds=7),)]]}
    ),
}  # fmt: skip


@pytest.mark.parametrize(("value", "origin"), UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_a_value_near_one_of_a_row_or_the_url_is_a_clock(
    value: Any, origin: dict[str, Any]
) -> None:
    """Only the value itself, or one that is derived from it, is explained."""
    assert use_of(value, **origin) is not None


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (10**9 - 1, False),
        (10**9, True),
        (10**20 - 1, True),
        (10**20, False),
        ("2026-1-1", False),
        ("2026-01-01", True),
        ("20260101", True),
        ("x" * 60 + "2026-01-01", False),
        (None, False),
        (True, False),
        (b"2026-01-01", False),
        (1.5, True),
    ],
)
def test_most_values_are_excluded_quickly(value: Any, *, outcome: bool) -> None:
    """Numbers outside of the range of timestamps, and texts that are too short or too long."""
    assert may_be_moment(value) is outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("2026-11-29", date(2026, 11, 29)),
        ("2026-11-29 07:03:04", datetime(2026, 11, 29, 7, 3, 4)),  # noqa: DTZ001 - no zone
        ("2026-11-29 07:03:04 Z", datetime(2026, 11, 29, 7, 3, 4, tzinfo=UTC)),
        ("2026-11-29 07:03:04,5 +00:00", datetime(2026, 11, 29, 7, 3, 4, 500_000, tzinfo=UTC)),
        ("2026-13-29", None),
        ("2026-11-31 00:00:00", None),
    ],
)
def test_instants_are_read_in_iso_8601(text: str, outcome: Any) -> None:
    """Text that is no instant gives none."""
    assert read_iso(text) == outcome


CLOCKS = ["CURRENT_DATE", "localtime", "clock_timestamp ()", "'today'", "julianday()", "uuidv7()"]


@pytest.mark.parametrize("sql", CLOCKS)
def test_each_function_of_the_clock_is_recognised(sql: str) -> None:
    """In either letter case, with spaces before the parenthesis."""
    assert clock_in_sql(f"SELECT {sql}")
    assert clock_in_sql(f"SELECT {sql.swapcase()}")


@pytest.mark.parametrize(
    ("statement", "word", "outcome"),
    [
        ("SELECT date(?)", "now", True),
        ("SELECT ?::timestamptz", "Tomorrow", True),
        ("SELECT CAST(? AS DATE)", "TODAY", True),
        ("SELECT date(?)", "soon", False),
        ("SELECT title FROM post WHERE title = ?", "now", False),
    ],
)
def test_a_word_is_an_instant_only_where_a_statement_converts_it(
    statement: str, word: str, *, outcome: bool
) -> None:
    """Both the word and the conversion are needed."""
    assert reads_as_moment(statement, word) is outcome
