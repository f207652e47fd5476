"""Vary: which requests select the same variant."""

from __future__ import annotations

from typing import ClassVar

import pytest

from app.edge.http import (
    vary,
)


class TestVary:
    """Which requests select the same variant."""

    SAME: ClassVar = {
        "spaces around a value": ("x-a", " b\t", "b"),
        "spaces in a list": ("accept", "text/html , a/b", "text/html,a/b"),
        "case of a coding": ("accept-encoding", "GZIP, br", "br,gzip"),
        "order of codings": ("accept-encoding", "gzip, br", "br, gzip"),
        "order of charsets": ("accept-charset", "utf-8, a", "A, UTF-8"),
        "a full weight": ("accept-encoding", "gzip;q=1.000, br; q=1", "br,gzip"),
        "case of a language": ("accept-language", "DE, en;q=0.5", "de,EN;q=0.5"),
        "empty elements of weighted lists": ("accept-language", "de,,en,", "de,en"),
    }

    @pytest.mark.parametrize(("name", "one", "other"), SAME.values(), ids=SAME)
    def test_equal_meanings_select_the_same_variant(self, name: str, one: str, other: str) -> None:
        """White space, the case of codings and languages, and full weights have no meaning."""
        assert vary.normalise_value(name, one) == vary.normalise_value(name, other)

    DIFFERENT: ClassVar[dict[str, tuple[str, str | None, str | None]]] = {
        "case of a value": ("x-a", "B", "b"),
        "case in Accept": ("accept", "Text/html", "text/html"),
        "case of a cookie": ("cookie", "a=B", "a=b"),
        "case in Prefer": ("prefer", "A", "a"),
        "order in Accept": ("accept", "a/b, c/d", "c/d, a/b"),
        "order of languages": ("accept-language", "de, en", "en, de"),
        "order of other fields": ("x-a", "a, b", "b, a"),
        "spaces in other fields": ("x-a", "a, b", "a,b"),
        "spaces in quotes": ("accept", 'a;b=" ,"', 'a;b=","'),
        "a weight": ("accept-encoding", "gzip;q=0", "gzip"),
        "a small weight": ("accept-encoding", "gzip;q=0.1", "gzip;q=0.10"),
        "a weight that begins with 1": ("accept-encoding", "gzip;q=1.0001", "gzip"),
        "absent and empty": ("accept", None, ""),
        "longer than the limit": ("x-a", "a" * 4097, "a" * 4097 + " "),
    }

    @pytest.mark.parametrize(("name", "one", "other"), DIFFERENT.values(), ids=DIFFERENT)
    def test_other_differences_select_another_variant(
        self, name: str, one: str | None, other: str | None
    ) -> None:
        """A value is compared case-sensitively and in its order unless its grammar allows more."""
        assert vary.normalise_value(name, one) != vary.normalise_value(name, other)
        assert not vary.matches(((name, vary.normalise_value(name, one)),), lambda _: other)

    @pytest.mark.parametrize(("length", "equal"), [(4095, True), (4096, False), (4097, False)])
    def test_a_long_value_is_compared_as_it_is(self, length: int, equal: bool) -> None:
        """4096 characters are the most that are normalised; the other value has one more."""
        one, other = "a" * length, "a" * length + " "
        same = vary.normalise_value("x-a", one) == vary.normalise_value("x-a", other)
        assert same is equal

    def test_every_field_of_vary_must_match(self) -> None:
        """Also one that both requests lack."""
        request = {"a": "1", "b": None}
        selection = vary.selecting_values(("a", "b"), request.get)
        assert selection == (("a", "1"), ("b", None))
        assert vary.matches(selection, request.get)
        assert not vary.matches(selection, {"a": "1", "b": ""}.get)
        assert not vary.matches(selection, {"a": "2", "b": None}.get)
        assert vary.matches((), request.get)

    NOMINATED: ClassVar = {
        "none": ((), ()),
        "empty elements": ((" ,\t,",), ()),
        "several lines": (("B, a", "A\t, c"), ("a", "b", "c")),
        "everything": (("a", "b, * "), None),
        "a star in a name": (("a*",), ("a*",)),
    }

    @pytest.mark.parametrize(("lines", "names"), NOMINATED.values(), ids=NOMINATED)
    def test_the_names_of_all_lines_count(
        self, lines: tuple[str, ...], names: tuple[str, ...] | None
    ) -> None:
        """In lower case, each once."""
        assert vary.nominated_fields(lines) == names

    ONE_LINE: ClassVar = {
        "nothing to do": ([("Vary", "A, B")], ("a",), [("Vary", "A, B")]),
        "no line": ([("X", "1")], (), [("X", "1")]),
        "a name is added": ([("Vary", "A"), ("X", "1")], ("B",), [("X", "1"), ("Vary", "A, B")]),
        "two lines": ([("vary", "A"), ("Vary", "b, a")], (), [("Vary", "a, b")]),
        "everything": ([("Vary", "A"), ("Vary", "*")], ("B",), [("Vary", "*")]),
        "a repeated name stays": ([("Vary", "A, a")], (), [("Vary", "A, a")]),
        "the first line": ([], ("Accept-Encoding",), [("Vary", "Accept-Encoding")]),
    }

    @pytest.mark.parametrize(("pairs", "more", "result"), ONE_LINE.values(), ids=ONE_LINE)
    def test_a_response_has_one_line_of_vary(
        self, pairs: list[tuple[str, str]], more: tuple[str, ...], result: list[tuple[str, str]]
    ) -> None:
        """Old versions of nginx use only the last of several."""
        assert list(vary.in_one_line(pairs, *more)) == result
