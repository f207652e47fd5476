"""Dates are read as people and tools write them."""

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

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
