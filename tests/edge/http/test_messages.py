"""The parts of a message: its target, lines, framing and hop-by-hop fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.http import connection, framing, lines, target
from app.edge.http.fields import HeaderFields, is_name, is_value
from app.edge.http.target import Target

latin = st.text(st.characters(max_codepoint=255), max_size=60)

TARGETS = {
    "/": Target(path="/"),
    "/a?b=c?d": Target(path="/a", query="b=c?d"),
    "/a?": Target(path="/a", query=""),
    "//h/a": Target(path="//h/a"),
    "/a/http://h/b": Target(path="/a/http://h/b"),
    "/?u=http://h/b": Target(path="/", query="u=http://h/b"),
    "http://h/a?b": Target(authority="h", path="/a", query="b"),
    "HTTPS://h:8443": Target(authority="h:8443", path="/"),
    "http://h?a": Target(authority="h", path="/", query="a"),
    "http://h//i://j": Target(authority="h", path="//i://j"),
    "http:///a": Target(authority="", path="/a"),
    "ftp://h/a": Target(path="ftp://h/a"),
    "h:443": Target(path="h:443"),
    "*": Target(path="*"),
    "": Target(path=""),
}


@pytest.mark.parametrize("raw", TARGETS)
def test_a_target_has_one_reading(raw: str) -> None:
    """RFC 9112 section 3.2: an authority is only at the start of a target."""
    assert target.parse(raw) == TARGETS[raw]


@given(latin)
def test_a_target_loses_nothing(raw: str) -> None:
    """Every character of the target is in one of the parts."""
    parsed = target.parse(f"/{raw}")
    query = "" if parsed.query is None else f"?{parsed.query}"
    assert parsed.authority is None
    assert parsed.path + query == f"/{raw}"


HOSTS = [
    "h",
    "H.example.",
    "h:80",
    "h:",
    "[::1]",
    "[::ffff:10.0.0.1]:443",
    "a_b",
    "%C3%A9",
    "1.2.3.4",
]
NO_HOSTS = ["", ":80", "a b", 'a"b', "a,b", "a@b", "a/b", "a:b", "a:99999", "[::1", "[:::]", "[1]"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_one(host: str) -> None:
    """RFC 9110 section 7.2."""
    assert target.is_host(host)


@pytest.mark.parametrize("host", [*NO_HOSTS, "a%zz", "\xe9", "a\n", "h" * 301, "a\x00"])
def test_what_is_no_host_is_none(host: str) -> None:
    """A comma is rejected too: it could join two Host lines."""
    assert not target.is_host(host)


LENGTHS: list[tuple[list[str], int | None]] = [
    ([], None),
    (["5"], 5),
    (["5", "5"], 5),
    (["5, 5"], 5),
    (["5", "6"], framing.INVALID),
    (["5, 6"], framing.INVALID),
    (["5,"], framing.INVALID),
    ([""], framing.INVALID),
    (["+5"], framing.INVALID),
    (["-5"], framing.INVALID),
    (["5 5"], framing.INVALID),
    (["0x5"], framing.INVALID),
    (["\xb2"], framing.INVALID),
    (["9" * 30], framing.INVALID),
]


@pytest.mark.parametrize(("values", "length"), LENGTHS)
def test_a_length_is_one_number(values: list[str], length: int | None) -> None:
    """RFC 9110 section 8.6."""
    assert (
        framing.content_length(HeaderFields(("Content-Length", value) for value in values))
        == length
    )


REPAIRED = [
    (200, [("Content-Length", "5")], [("Content-Length", "5")]),
    (200, [("content-length", "5, 5")], [("Content-Length", "5")]),
    (200, [("Content-Length", "5"), ("Content-Length", "5")], [("Content-Length", "5")]),
    (200, [("Content-Length", "5"), ("Content-Length", "6")], []),
    (200, [("Content-Length", "five")], []),
    (200, [("Content-Length", "5"), ("Transfer-Encoding", "chunked")], []),
    (200, [("Transfer-Encoding", "chunked")], []),
    (204, [("Content-Length", "5")], []),
    (103, [("Content-Length", "5")], []),
    (304, [("Content-Length", "5")], [("Content-Length", "5")]),
    (200, [("X-A", "b")], [("X-A", "b")]),
]


@pytest.mark.parametrize(("status", "pairs", "expected"), REPAIRED)
def test_a_wrong_framing_is_left_out(
    status: int, pairs: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    """The server then frames the body itself."""
    length = framing.content_length(HeaderFields(pairs))
    assert framing.repaired(status, pairs, length) == expected


@pytest.mark.parametrize("codings", ["gzip", "gzip, chunked", "chunked, chunked", "identity", ""])
def test_a_transfer_coding_that_nobody_asked_for_is_refused(codings: str) -> None:
    """RFC 9112 section 7.4: without TE, only chunked is allowed."""
    with pytest.raises(framing.FramingError):
        framing.of_response(HeaderFields([("Transfer-Encoding", codings)]))


FRAMED: list[tuple[list[tuple[str, str]], bool, framing.Framing]] = [
    ([], False, framing.Framing(chunked=False, length=None)),
    ([("Content-Length", "5")], False, framing.Framing(chunked=False, length=5)),
    ([("Content-Length", "5, 5")], True, framing.Framing(chunked=False, length=5)),
    ([("Transfer-Encoding", "CHUNKED")], False, framing.Framing(chunked=True, length=None)),
    (
        [("Transfer-Encoding", "chunked")],
        True,
        framing.Framing(chunked=True, length=None, contradictory=True),
    ),
    *(
        (
            [("Transfer-Encoding", "chunked"), ("Content-Length", length)],
            False,
            framing.Framing(chunked=True, length=None, contradictory=True),
        )
        for length in ("5", "five")
    ),
]


@pytest.mark.parametrize(("pairs", "http_1_0", "expected"), FRAMED)
def test_a_response_is_framed_by_chunks_or_a_length(
    pairs: list[tuple[str, str]], http_1_0: bool, expected: framing.Framing
) -> None:
    """RFC 9112 section 6.3: chunks win; a length beside them, or HTTP/1.0, is contradictory."""
    assert framing.of_response(HeaderFields(pairs), http_1_0=http_1_0) == expected


@pytest.mark.parametrize(("values", "length"), LENGTHS)
def test_a_response_whose_length_is_no_number_has_no_framing(
    values: list[str], length: int | None
) -> None:
    """RFC 9112 section 6.3: a proxy discards such a response."""
    fields = HeaderFields(("Content-Length", value) for value in values)
    if length == framing.INVALID:
        with pytest.raises(framing.FramingError, match="not one number"):
            framing.of_response(fields)
    else:
        assert framing.of_response(fields).length == length


@given(st.lists(st.binary(max_size=40).map(lambda line: line + b"\r\n"), max_size=8))
def test_whatever_is_parsed_can_be_sent(raw: list[bytes]) -> None:
    """A parser of foreign lines never raises, and its fields can be sent by a server."""
    assert HeaderFields(lines.parse(raw).pairs).sendable


@given(
    st.lists(st.tuples(st.from_regex(r"\A[A-Za-z-]+\Z"), st.from_regex(r"\A[!-~]*\Z")), max_size=8)
)
def test_what_is_well_formed_stays_as_it_is(pairs: list[tuple[str, str]]) -> None:
    """Names keep their case, and lines their order."""
    raw = [f"{name}: {value}\r\n".encode() for name, value in pairs]
    section = lines.parse(raw)
    assert (section.pairs, section.malformed) == (tuple(pairs), False)


@given(latin)
def test_what_can_be_sent_has_no_line_end(text: str) -> None:
    """A valid name or value can't begin another line."""
    for valid in (is_name(text), is_value(text)):
        assert not (valid and set(text) & set("\r\n\x00"))


NAMED = {
    "close": set(),
    "keep-alive, Upgrade": set(),
    "X-A": {"x-a"},
    "x-a , ,X-B,": {"x-a", "x-b"},
    "content-length, host, via, cdn-loop": set(),
    "cache-control, x-forwarded-for, Content-Type": set(),
    "transfer-encoding, te, upgrade": set(),
    "x_a": set(),
    "cookie, accept-language": {"cookie", "accept-language"},
}


@pytest.mark.parametrize("value", NAMED)
def test_connection_names_fields_of_its_hop(value: str) -> None:
    """RFC 9110 section 7.6.1: fields for all recipients are protected."""
    assert connection.named_fields(value) == NAMED[value]
