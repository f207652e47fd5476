from __future__ import annotations

import string
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.http.cache_control import MAX_DELTA_SECONDS, Directives

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["Max-Age=60, PUBLIC"], {"max-age": "60", "public": None}, id="case"),
        pytest.param(["max-age=1", "no-cache"], {"max-age": "1", "no-cache": None}, id="lines"),
        pytest.param(['max-age="60"'], {"max-age": "60"}, id="9111-5.2-quoted-number"),
        pytest.param(['a="x,no-store",b'], {"a": "x,no-store", "b": None}, id="comma-in-quotes"),
        pytest.param([r'a="q\"\\"'], {"a": 'q"\\'}, id="9110-5.6.4-escapes"),
        pytest.param(
            ['a="x, no-store'], {"a": '"x', "no-store": None}, id="open-quote-hides-nothing"
        ),
        pytest.param([", ,,max-age=1,,"], {"max-age": "1"}, id="9110-5.6.1-empty-elements"),
        pytest.param(["a b, =c, é, @, max-age=1"], {"max-age": "1"}, id="junk-is-left-out"),
        pytest.param(["no-store\x00\x07"], {"no-store": None}, id="control-characters"),
        pytest.param(["no-store=x"], {"no-store": None}, id="argument-of-a-flag"),
        pytest.param(["ext=1, ext=2"], {"ext": "1"}, id="unknown-twice-first-counts"),
    ],
)
def test_parse_reads_what_is_there(lines: list[str], expected: dict[str, str | None]) -> None:
    """The directives in any lines are parsed, and nothing raises."""
    assert dict(Directives.parse(lines)) == expected


@pytest.mark.parametrize(
    ("line", "name", "seconds"),
    [
        ("max-age=0", "max-age", 0),
        ("max-age=0060", "max-age", 60),
        ("max-age=-1", "max-age", 0),
        ("max-age=1.5", "max-age", 0),
        ("max-age=", "max-age", 0),
        ("max-age", "max-age", 0),
        ("max-age= 60", "max-age", 0),
        ("max-age=60 60", "max-age", 0),
        ("max-age='60'", "max-age", 0),
        ("max-age=²", "max-age", 0),
        ("max-age=1\x000", "max-age", 0),
        ("max-age=60;x", "max-age", 0),
        ("max-age=1, max-age=60", "max-age", 1),
        ("max-age=60, max-age=1", "max-age", 1),
        ("max-age=60, max-age=x", "max-age", 0),
        ("max-age=99999999999", "max-age", MAX_DELTA_SECONDS),
        ("max-age=" + "9" * 9000, "max-age", MAX_DELTA_SECONDS),
        ("min-fresh=1, min-fresh=5", "min-fresh", 5),
        ("max-stale, max-stale=5", "max-stale", 5),
        ("max-stale=5, max-stale", "max-stale", 5),
        ("public", "max-age", None),
    ],
)
def test_seconds_in_doubt_mean_stale(line: str, name: str, seconds: int | None) -> None:
    """RFC 9111 sections 1.2.2, 4.2.1: an invalid number is zero, of two the stricter counts."""
    directives = Directives.parse([line])
    assert directives.delta_seconds(name) == seconds
    assert directives.seconds(name) == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("line", "fields", "whole"),
    [
        ('private="Set-Cookie, X-Y"', {"set-cookie", "x-y"}, False),
        ("private=Set-Cookie", {"set-cookie"}, False),
        ('private="a", private="b"', {"a", "b"}, False),
        ('private="a", private', set(), True),
        ('private, private="a"', set(), True),
        ('private=""', set(), True),
        ('private="a b"', set(), True),
        ('private="a', set(), True),
        ("max-age=1", set(), False),
    ],
)
def test_field_lists_in_doubt_mean_the_whole_response(
    line: str, fields: set[str], whole: bool
) -> None:
    """A list with an invalid field name covers the whole response."""
    directives = Directives.parse([line])
    assert directives.fields("private") == fields
    assert directives.is_unqualified("private") is whole


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        (Directives.of(max_age=60, public=True), "max-age=60, public"),
        (Directives.of(max_age=DAY, s_maxage=timedelta(0)), "max-age=86400, s-maxage=0"),
        (Directives.of(max_age=timedelta(seconds=1.9)), "max-age=1"),
        (Directives.of(private=["Set-Cookie", "X"]), 'private="Set-Cookie, X"'),
        (Directives.of(no_cache="Set-Cookie"), 'no-cache="Set-Cookie"'),
        (Directives.of(no_store=True, no_transform=None, public=False), "no-store"),
        (Directives.of(stale_while_revalidate=DAY, stale_if_error=5), None),
        (Directives.of(must_revalidate=True, proxy_revalidate=True, immutable=True), None),
        (Directives.of(must_understand=True, no_transform=True, max_stale=True), None),
        (Directives.of(community="UCI", note='a"b'), r'community=UCI, note="a\"b"'),
    ],
)
def test_of_writes_every_directive(directives: Directives, expected: str | None) -> None:
    """Each response directive of RFC 9111, 5861 and 8246 can be built and parsed back."""
    assert expected is None or str(directives) == expected
    assert Directives.parse([str(directives)]) == directives


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"max_age": -1}, "zero or more"),
        ({"max_age": 1.5}, "zero or more"),
        ({"max_age": True}, "needs a number"),
        ({"no_store": 5}, "takes no argument"),
        ({"private": []}, "field names"),
        ({"private": ["a b"]}, "field names"),
        ({"private": 5}, "field names"),
        ({"x": "a\r\nb"}, "printable"),
        ({"x": ["a"]}, "takes a string"),
        ({"a b": True}, "not the name of a cache directive"),
    ],
)
def test_of_refuses_what_no_header_could_say(arguments: dict[str, object], complaint: str) -> None:
    """An invalid value raises where it is passed."""
    with pytest.raises(ValueError, match=complaint):
        Directives.of(**arguments)  # type: ignore[arg-type] # wrong on purpose


def test_with_replaces_and_removes() -> None:
    """Only the named directives of the copy differ."""
    before = Directives.of(max_age=1, public=True, no_cache=True)
    assert str(before.replace(max_age=2, no_cache=None)) == "public, max-age=2"
    assert str(before) == "max-age=1, public, no-cache"


def test_directives_are_values() -> None:
    """Equal directives in any order are equal dict keys."""
    assert len({Directives.parse(["a, b=1"]), Directives.parse(["b=1,A"])}) == 1
    assert Directives() != {"a": None}


names = st.text(string.ascii_letters + string.digits + "-_!", min_size=1)


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=200), max_size=4))
def test_no_soup_makes_parse_raise_and_all_round_trips(lines: list[str]) -> None:
    """Parsed directives are unchanged after writing and parsing them again."""
    directives = Directives.parse(lines)
    assert Directives.parse([str(directives)]) == directives
    for name in (*directives, "max-age"):
        directives.seconds(name)
        directives.fields(name)


@given(st.lists(st.sampled_from(['"', "\\", ",", "=", "private", "max-age", "a", " ", "1"])))
def test_quotes_and_commas_round_trip(parts: list[str]) -> None:
    """The characters that matter to the grammar survive in any order."""
    directives = Directives.parse(["".join(parts)])
    assert Directives.parse([str(directives)]) == directives


@pytest.mark.parametrize("unit", ['"', '"\\', '\\"', ",", "a=", 'a="x",', "max-age=1,", " "])
@pytest.mark.timeout(30)
def test_a_line_of_64_kilobytes_is_read_in_linear_time(unit: str) -> None:
    """No repetition makes the parser slow."""
    for _ in range(20):
        Directives.parse([unit * (65536 // len(unit))])
