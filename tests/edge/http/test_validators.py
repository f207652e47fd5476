"""Conditional requests: entity tags and dates."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    dates,
    validators,
)
from app.edge.http.fields import HeaderFields

NOW = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def after(seconds: float) -> str:
    """Return the HTTP date that lies this many seconds after NOW."""
    return dates.format_http_date(NOW + seconds)


class TestConditions:
    """Entity tags and dates of conditional requests."""

    TAGS: ClassVar[dict[str, tuple[str, str | None, bool]]] = {
        "equal": ('"a"', '"a"', False),
        "one weak": ('W/"a"', '"a"', False),
        "the other weak": ('"a"', 'W/"a"', False),
        "another": ('"b"', '"a"', True),
        "another case": ('"A"', '"a"', True),
        "in a list": ('"b" , W/"a"', '"a"', False),
        "in a list with an invalid part": ('"a", b', '"a"', True),
        "any": ("*", '"a"', False),
        "any, without a tag": ("*", None, False),
        "any in a list": ('*, "b"', '"a"', True),
        "an invalid tag, equal": ("a", "a", False),
        "an invalid tag, another": ("b", "a", True),
        "no tag": ('"a"', None, True),
        "spaces around": (' \t"a" ', '"a"', False),
    }

    @pytest.mark.parametrize(("header", "etag", "sends"), TAGS.values(), ids=TAGS)
    def test_if_none_match(self, header: str, etag: str | None, sends: bool) -> None:
        """Compared weakly; true means that the page is sent."""
        assert validators.evaluate_if_none_match(header, etag) is sends

    @pytest.mark.parametrize(
        ("header", "modified", "sends"),
        [
            (DATE, int(NOW), False),
            (DATE, int(NOW) + 1, True),
            (DATE, int(NOW) - 1, False),
            (DATE, None, True),
            ("yesterday", 0, True),
        ],
    )
    def test_if_modified_since(self, header: str, modified: int | None, sends: bool) -> None:
        """A page of the same second is not sent."""
        assert validators.evaluate_if_modified_since(header, modified, now=NOW) is sends

    IF_RANGE: ClassVar[dict[str, tuple[str, str | None, str | None, str | None, bool]]] = {
        "an equal tag": ('"a"', '"a"', None, None, True),
        "a weak tag": ('W/"a"', 'W/"a"', None, None, False),
        "a weak tag of the page": ('"a"', 'W/"a"', None, None, False),
        "another tag": ('"b"', '"a"', None, None, False),
        "no tag": ('"a"', None, None, None, False),
        "a date of sixty seconds": (DATE, None, DATE, after(60), True),
        "a date of fifty-nine seconds": (DATE, None, DATE, after(59), False),
        "another date": (DATE, None, after(1), after(99), False),
        "an earlier date": (DATE, None, after(-1), after(99), False),
        "no Date": (DATE, None, DATE, None, False),
        "no Last-Modified": (DATE, None, None, after(99), False),
        "an invalid date": ("x", None, DATE, after(99), False),
    }

    @pytest.mark.parametrize(
        ("header", "etag", "modified", "date", "result"), IF_RANGE.values(), ids=IF_RANGE
    )
    def test_if_range(
        self, header: str, etag: str | None, modified: str | None, date: str | None, result: bool
    ) -> None:
        """Only a strong validator that is equal selects a part."""
        lines = {"Last-Modified": modified, "Date": date}
        fields = HeaderFields([(name, value) for name, value in lines.items() if value])
        tag = validators.ETag.parse(etag)
        assert validators.evaluate_if_range(header, fields, tag, now=NOW) is result

    MATCHES: ClassVar[dict[str, tuple[dict[str, str], dict[str, str], bool]]] = {
        "no validator": ({}, {"ETag": '"a"', "Last-Modified": DATE}, True),
        "equal tags": ({"ETag": '"a"'}, {"ETag": '"a"'}, True),
        "equal weak tags": ({"ETag": 'W/"a"'}, {"ETag": 'W/"a"'}, True),
        "a weak tag for a strong one": ({"ETag": 'W/"a"'}, {"ETag": '"a"'}, True),
        "a strong tag for a weak one": ({"ETag": '"a"'}, {"ETag": 'W/"a"'}, False),
        "another tag, the same date": (
            {"ETag": '"b"', "Last-Modified": DATE},
            {"ETag": '"a"', "Last-Modified": DATE},
            False,
        ),
        "a tag for none": ({"ETag": '"a"'}, {}, False),
        "equal dates": ({"Last-Modified": DATE}, {"Last-Modified": DATE}, True),
        "a later date": ({"Last-Modified": after(1)}, {"Last-Modified": DATE}, False),
        "a date for none": ({"Last-Modified": DATE}, {}, False),
    }

    @pytest.mark.parametrize(("newer", "stored", "result"), MATCHES.values(), ids=MATCHES)
    def test_a_304_is_about_the_stored_response(
        self, newer: dict[str, str], stored: dict[str, str], result: bool
    ) -> None:
        """Its validators must equal the stored ones (RFC 9111 section 4.3.4)."""
        both = HeaderFields(newer.items()), HeaderFields(stored.items())
        assert validators.matches_stored(*both) is result


@pytest.mark.parametrize(
    ("one", "other", "strongly", "weakly"),
    [
        ('"a"', '"a"', True, True),
        ('W/"a"', '"a"', False, True),
        ('"a"', 'W/"a"', False, True),
        ('W/"a"', 'W/"a"', False, True),
        ('"a"', '"b"', False, False),
    ],
)
def test_two_tags_are_compared(one: str, other: str, strongly: bool, weakly: bool) -> None:
    """A strong comparison needs two strong tags (RFC 9110 section 8.8.3.2)."""
    first, second = validators.ETag.parse(one), validators.ETag.parse(other)
    assert first is not None
    assert second is not None
    assert first.matches_strongly(second) is strongly
    assert first.matches_weakly(second) is weakly
