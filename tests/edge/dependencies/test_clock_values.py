"""Parameters that were computed from the clock are recognised, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import Range

from app.edge.dependencies.clock_values import (
    ClockUse,
    Grain,
    Window,
    clock_in_sql,
    find_clock_use,
    reads_as_moment,
)
from app.edge.dependencies.provenance import Provenance

START = datetime(2026, 11, 29, 7, 3, 4, 987_654, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def cut_to_second(now: datetime) -> datetime:
    """Return an instant without its fraction of a second."""
    return now.replace(microsecond=0)


def cut_to_hour(now: datetime) -> datetime:
    """Return an instant without its minutes."""
    return now.replace(minute=0, second=0, microsecond=0)


def midnight(now: datetime) -> datetime:
    """Return the beginning of the day."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


DERIVED: dict[str, tuple[Callable[[datetime], Any], Grain]] = {
    "now": (lambda now: now, Grain.INSTANT),
    "now without a zone": (lambda now: now.replace(tzinfo=None), Grain.INSTANT),
    "a week ago": (lambda now: now - 7 * DAY, Grain.INSTANT),
    "90 seconds ago": (lambda now: now - timedelta(seconds=90), Grain.INSTANT),
    "in 37 hours": (lambda now: now + timedelta(hours=37), Grain.INSTANT),
    "cut to milliseconds": (
        lambda now: now.replace(microsecond=now.microsecond // 1000 * 1000),
        Grain.INSTANT,
    ),
    "cut to the second": (cut_to_second, Grain.INSTANT),
    "a week ago, cut to the second": (lambda now: cut_to_second(now) - 7 * DAY, Grain.INSTANT),
    "an hour ago, cut to the second": (
        lambda now: cut_to_second(now) - timedelta(hours=1),
        Grain.INSTANT,
    ),
    "cut to the minute": (lambda now: now.replace(second=0, microsecond=0), Grain.INSTANT),
    "cut to the hour": (cut_to_hour, Grain.INSTANT),
    "a week ago, cut to the hour": (lambda now: cut_to_hour(now) - 7 * DAY, Grain.INSTANT),
    "midnight": (midnight, Grain.DAY),
    "midnight in Berlin": (lambda now: midnight(now.astimezone(BERLIN)), Grain.DAY),
    "midnight in Berlin as UTC": (
        lambda now: midnight(now.astimezone(BERLIN)).astimezone(UTC),
        Grain.INSTANT,
    ),
    "tomorrow": (lambda now: midnight(now).replace(tzinfo=None) + DAY, Grain.DAY),
    "the end of the day": (lambda now: datetime.combine(now.date(), time.max), Grain.DAY),
    "today": (lambda now: now.date(), Grain.DAY),
    "thirty days ago": (lambda now: now.date() - 30 * DAY, Grain.DAY),
    "the time of day": (lambda now: now.time(), Grain.INSTANT),
    "seconds": (lambda now: int(now.timestamp()), Grain.INSTANT),
    "a day ago in seconds": (lambda now: int(now.timestamp()) - 86400, Grain.INSTANT),
    "seconds with a fraction": (lambda now: now.timestamp(), Grain.INSTANT),
    "an hour ago as a float": (lambda now: now.timestamp() - 3600, Grain.INSTANT),
    "milliseconds": (lambda now: int(now.timestamp() * 1000), Grain.INSTANT),
    "nanoseconds": (lambda now: int(now.timestamp() * 10**6) * 1000 + 7, Grain.INSTANT),
    "seconds as text": (lambda now: str(int(now.timestamp())), Grain.INSTANT),
    "ISO 8601": (lambda now: now.isoformat(), Grain.INSTANT),
    "ISO 8601 with a Z": (lambda now: f"{now:%Y-%m-%dT%H:%M:%SZ}", Grain.INSTANT),
    "as SQLite keeps it": (lambda now: f"{now:%Y-%m-%d %H:%M:%S.%f}", Grain.INSTANT),
    "the date in ISO 8601": (lambda now: now.date().isoformat(), Grain.DAY),
    "a pattern": (lambda now: f"{now:%Y-%m-%d}%", Grain.DAY),
    "the date without hyphens": (lambda now: f"{now:%Y%m%d}", Grain.DAY),
    "the date with dots": (lambda now: f"{now:%d.%m.%Y}", Grain.DAY),
    "in a list": (lambda now: [1, now - DAY], Grain.INSTANT),
    "in a range": (lambda now: Range(now - DAY, None), Grain.INSTANT),
}


def clock_use_of(
    value: Any, began: datetime, provenance: Provenance | None = None
) -> ClockUse | None:
    """Return the clock use of one parameter of a response that took ten milliseconds."""
    window = Window.of(began, began + timedelta(milliseconds=10))
    return find_clock_use([("p", value)], window, provenance or Provenance())


@pytest.mark.parametrize(("derive", "grain"), DERIVED.values(), ids=DERIVED)
def test_a_value_that_was_computed_from_the_clock_is_recognised(
    derive: Callable[[datetime], Any], grain: Grain
) -> None:
    """At any time of the response, and never with a coarser precision."""
    random = Random(9)
    for _ in range(500):
        began = START + timedelta(seconds=random.random() * 86400 * 400)
        now = began + timedelta(microseconds=random.randint(0, 10_000))
        use = clock_use_of(derive(now), began)
        assert use is not None, now
        assert use.grain >= grain


CONSTANTS = {
    "a new year": datetime(2026, 1, 1),  # noqa: DTZ001 - the column has no zone
    "noon": datetime(2026, 1, 1, 12, tzinfo=UTC),
    "the end of time": datetime.max,  # noqa: DTZ901 - as above
    "the beginning of time": datetime.min,  # noqa: DTZ901 - as above
    "to the second": datetime(2025, 6, 3, 14, 30, 15, tzinfo=UTC),
    "a day": date(2026, 1, 1),
    "a word": "some-slug-2026",
    "a date in a word": "2026-01-05-some-slug",
    "a number": 12,
    "ten digits": 1_234_567_890,
    "a large id": 10**9 + 7,
    "an ISBN": 9_780_131_103_627,
    "an ISBN as text": "9780131103627",
    "an opening time": time(9),
    "nothing": None,
    "a flag": True,
}


@pytest.mark.parametrize("constant", CONSTANTS.values(), ids=CONSTANTS)
def test_a_constant_is_no_clock(constant: Any) -> None:
    """Tested for ten thousand responses over two hours, some longer than a second."""
    random = Random(5)
    for _ in range(10_000):
        assert clock_use_of(constant, START + timedelta(seconds=random.random() * 7200)) is None


def test_what_a_row_has_given_is_no_clock() -> None:
    """A page queries the posts before and after a post, or of the week around it."""
    random = Random(6)
    for _ in range(10_000):
        began = START + timedelta(seconds=random.random() * 86400)
        stored = began - timedelta(seconds=random.random() * 86400 * 900)
        rows = Provenance(results=[[(1, f"{stored:%Y-%m-%d %H:%M:%S.%f}")]])
        for value in (stored, stored.replace(tzinfo=None), stored - 7 * DAY, stored + 7 * DAY):
            assert clock_use_of(value, began, rows) is None


def test_a_row_that_was_written_just_now_is_no_clock() -> None:
    """Its timestamps are recognised as values of the row, at any precision."""
    for stored in (START, cut_to_second(START), cut_to_hour(START), midnight(START)):
        assert clock_use_of(stored, START) is not None
        rows = Provenance(results=[[(stored,)]])
        assert clock_use_of(stored, START, rows) is None


URLS = {
    "/2026/11/29/": midnight(START),
    "/archive?day=2026-11-29": START.date(),
    "/archive/20261129": START.date().isoformat(),
    "/2026/11/28": midnight(START),  # the end of that day
    "/posts?before=2026-11-29T07%3A03%3A04.987654%2B00:00": START,
    "/posts?since=1795935784": 1_795_935_784,
}


@pytest.mark.parametrize(("url", "value"), URLS.items(), ids=URLS)
def test_what_the_url_has_given_is_no_clock(url: str, value: Any) -> None:
    """Values in the URL belong to the page, because another URL is another page."""
    assert clock_use_of(value, START) is not None
    assert clock_use_of(value, START, Provenance(url=url)) is None
    assert clock_use_of(value, START, Provenance(url="/about")) is not None


def test_an_object_of_an_earlier_response_is_a_constant() -> None:
    """A clock returns a new object for each call."""
    started = START - timedelta(days=3)
    assert clock_use_of(started, START) is not None
    assert clock_use_of(started, START, Provenance(constants={id(started)})) is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 WHERE published_at < now()",
        "SELECT CURRENT_TIMESTAMP",
        "SELECT * FROM post ORDER BY random()",
        "SELECT date('now')",
        "SELECT datetime()",
    ],
)
def test_raw_sql_that_uses_the_clock_is_recognised(sql: str) -> None:
    """Its tables may be declared, but its result changes without a change of a table."""
    assert clock_in_sql(sql)


def test_raw_sql_without_a_clock_is_left_alone() -> None:
    """Columns may have similar names."""
    assert not clock_in_sql("SELECT now_playing, knows FROM post WHERE random_id = :id")


def test_a_text_that_the_database_reads_as_now_is_recognised() -> None:
    """Both databases parse some words as instants."""
    assert reads_as_moment("SELECT CAST(? AS TIMESTAMP)", "now")
    assert reads_as_moment("SELECT date(?)", "NOW")
    assert not reads_as_moment("SELECT id FROM topic WHERE slug = ?", "now")
