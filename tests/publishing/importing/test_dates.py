"""Dates are read as people and tools write them."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.importing import dates


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2019-11-07", datetime(2019, 11, 7, tzinfo=UTC)),
        ("2019-1-7", datetime(2019, 1, 7, tzinfo=UTC)),
        ("2019-11-07 08:30", datetime(2019, 11, 7, 8, 30, tzinfo=UTC)),
        ("2019-11-07T08:30:15Z", datetime(2019, 11, 7, 8, 30, 15, tzinfo=UTC)),
        ("2019-11-07 8:30:15 +0100", datetime(2019, 11, 7, 7, 30, 15, tzinfo=UTC)),
        ("2019-11-07T08:30:15.5+01:00", datetime(2019, 11, 7, 7, 30, 15, 500_000, tzinfo=UTC)),
        ("2019-11-07 08:30:15 UTC", datetime(2019, 11, 7, 8, 30, 15, tzinfo=UTC)),
        ("2019-11-07 08:30:15 +02", datetime(2019, 11, 7, 6, 30, 15, tzinfo=UTC)),
        ("Thu, 07 Nov 2019 08:30:15 GMT", datetime(2019, 11, 7, 8, 30, 15, tzinfo=UTC)),
        ("Thu, 07 Nov 2019 08:30:15 -0500", datetime(2019, 11, 7, 13, 30, 15, tzinfo=UTC)),
        ("2015-03-17 14:00:00 -4", datetime(2015, 3, 17, 18, tzinfo=UTC)),
        ("2015-03-17 14:00:00 +05:30", datetime(2015, 3, 17, 8, 30, tzinfo=UTC)),
        ("2015-03-17 14:00 EST", datetime(2015, 3, 17, 19, tzinfo=UTC)),
        ("January 5, 2021", datetime(2021, 1, 5, tzinfo=UTC)),
        ("Jan 5th 2021 3:04 pm", datetime(2021, 1, 5, 15, 4, tzinfo=UTC)),
        ("Jan. 5, 2021 at 12 AM", datetime(2021, 1, 5, tzinfo=UTC)),
        ("Tuesday, 5 January 2021 10:20", datetime(2021, 1, 5, 10, 20, tzinfo=UTC)),
        ("2014/7/7 10:20", datetime(2014, 7, 7, 10, 20, tzinfo=UTC)),
        ("2013/7/13 20:46:25", datetime(2013, 7, 13, 20, 46, 25, tzinfo=UTC)),
        ("2013.7.13", datetime(2013, 7, 13, tzinfo=UTC)),
        ("2021年1月5日", datetime(2021, 1, 5, tzinfo=UTC)),
        ("2021年01月05日 10:20", datetime(2021, 1, 5, 10, 20, tzinfo=UTC)),
        ("2021 年 1 月 5 日 10时20分30秒", datetime(2021, 1, 5, 10, 20, 30, tzinfo=UTC)),
        ("2021年1月5日 下午3:20", datetime(2021, 1, 5, 15, 20, tzinfo=UTC)),
        ("2021年1月5日(火)", datetime(2021, 1, 5, tzinfo=UTC)),
        ("2021년 1월 5일 오전 10시", datetime(2021, 1, 5, 10, tzinfo=UTC)),
        ("5 janvier 2021", datetime(2021, 1, 5, tzinfo=UTC)),
        ("mardi 1er août 2023", datetime(2023, 8, 1, tzinfo=UTC)),
        ("15 mai 2021 à 10:20", datetime(2021, 5, 15, 10, 20, tzinfo=UTC)),
        ("3. März 2021, 08:05", datetime(2021, 3, 3, 8, 5, tzinfo=UTC)),
        ("5 de enero de 2021", datetime(2021, 1, 5, tzinfo=UTC)),
        ("12 dicembre 2020", datetime(2020, 12, 12, tzinfo=UTC)),
        ("7 mei 2019", datetime(2019, 5, 7, tzinfo=UTC)),
        ("Sept. 9, 2019", datetime(2019, 9, 9, tzinfo=UTC)),
        ("1420070400", datetime(2015, 1, 1, tzinfo=UTC)),
        (1420070400, datetime(2015, 1, 1, tzinfo=UTC)),
        ("1420070400000", datetime(2015, 1, 1, tzinfo=UTC)),
        (date(2019, 11, 7), datetime(2019, 11, 7, tzinfo=UTC)),
        (datetime(2019, 11, 7, 8), datetime(2019, 11, 7, 8, tzinfo=UTC)),  # noqa: DTZ001 - a writer named no zone
        (
            datetime(2019, 11, 7, 8, tzinfo=timezone(timedelta(hours=2))),
            datetime(2019, 11, 7, 6, tzinfo=UTC),
        ),
    ],
    ids=str,
)
def test_a_date_is_an_aware_moment(value: object, moment: datetime) -> None:
    """Without a zone it is UTC; with one it is moved there."""
    assert dates.parse(value) == moment
    assert dates.parse(value).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2019-02-31",
        "2019-13-01",
        "2019-11-07T25:00",
        2019,
        True,
        None,
        [],
        "0000-01-01",
        "2014-7/7",
        "January 32, 2021",
        "Foo 5, 2021",
        "Marvin 5, 2021",
        "5 listopad 2021",
        "5/6/2021",
        "2021年13月5日",
        "2021年1月5日 25:00",
        "2021年1月5日 noon",
        "2015-03-17 14:00 XYZ",
        "2015-03-17 14:00 +99",
        "2026",
    ],
    ids=repr,
)
def test_what_is_no_date_is_refused(value: object) -> None:
    """The sentence shows how to write one."""
    with pytest.raises(ValueError, match="is not a date; write it like"):
        dates.parse(value)


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    """Nothing but `ValueError` comes out of a text."""
    with suppress(ValueError):
        assert dates.parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2019-11-07-title.md", datetime(2019, 11, 7, tzinfo=UTC)),
        ("2019-11-07_title.md", datetime(2019, 11, 7, tzinfo=UTC)),
        ("2019-11-07", datetime(2019, 11, 7, tzinfo=UTC)),
        ("2019-11-071-title.md", None),
        ("2019-02-31-title.md", None),
        ("title-2019-11-07.md", None),
    ],
)
def test_a_date_in_a_name_stands_in_front(name: str, expected: datetime | None) -> None:
    """Only a real date at the front of a name counts."""
    assert dates.in_name(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("2019/11/07/slug", datetime(2019, 11, 7, tzinfo=UTC)),
        ("inside/2019/1/7/slug", datetime(2019, 1, 7, tzinfo=UTC)),
        ("2019/13/07/slug", None),
        ("12019/11/07", None),
        ("slug", None),
    ],
)
def test_a_date_in_a_path_is_three_folders(path: str, expected: datetime | None) -> None:
    """Year, month and day each fill a segment."""
    assert dates.in_path(path) == expected


def test_a_name_without_its_date_is_the_slug() -> None:
    """A name that has no date is left alone."""
    assert dates.without_date("2019-11-07-a-b") == "a-b"
    assert dates.without_date("a-b") == "a-b"


def test_a_date_without_a_zone_is_in_that_of_the_old_site() -> None:
    """A zone in the text is stronger; a day begins at midnight there."""
    berlin = ZoneInfo("Europe/Berlin")
    assert dates.parse("2019-07-01", berlin) == datetime(2019, 6, 30, 22, tzinfo=UTC)
    assert dates.parse("2019-12-01 10:00", berlin) == datetime(2019, 12, 1, 9, tzinfo=UTC)
    assert dates.parse("2019-07-01T10:00Z", berlin) == datetime(2019, 7, 1, 10, tzinfo=UTC)
    assert dates.parse("July 1, 2019", berlin) == datetime(2019, 6, 30, 22, tzinfo=UTC)
