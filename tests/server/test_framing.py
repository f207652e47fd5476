from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from app.server.connection import ReceivedUnreader
from app.server.framing import Framing, Limits, Progress

LIMITS = Limits(line=100, head=1000, body=50)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

COMPLETE = {
    "no body": GET,
    "an empty line before it": b"\r\n" + GET,
    "no fields": b"GET / HTTP/1.0\r\n\r\n",
    "a length": POST + b"Content-Length: 5\r\n\r\nabcde",
    "a length of nothing": POST + b"content-length:0\r\n\r\n",
    "leading zeros": POST + b"Content-Length: 0005\r\n\r\nabcde",
    "line ends in the body": POST + b"Content-Length: 9\r\n\r\na\nb\r\n\r\ncd",
    "one chunk": CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n",
    "chunks": CHUNKED + b"5\r\nabcde\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
    "no chunk": CHUNKED + b"0\r\n\r\n",
    "trailers": CHUNKED + b"1\r\na\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n",
    "line ends in a chunk": CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\n\r\n",
    "two codings": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
}


def framed(data: bytes, *, step: int, limits: Limits = LIMITS) -> tuple[Framing, Progress]:
    """The framing of these bytes when they arrive so many at a time."""
    framing, buffer, progress = Framing(limits=limits), bytearray(), Progress.HEAD
    for start in range(0, len(data), step):
        buffer += data[start : start + step]
        progress = framing.advance(buffer)
        if progress in {Progress.COMPLETE, Progress.TOO_LARGE}:
            break
    return framing, progress


@pytest.mark.parametrize("step", [1, 3, 1000])
@pytest.mark.parametrize("name", COMPLETE)
def test_a_request_ends_where_its_last_byte_is(name: str, step: int) -> None:
    """However it is cut into pieces, and whatever follows it."""
    data = COMPLETE[name]
    framing, progress = framed(data + GET, step=step)
    assert (progress, framing.end, framing.closes) == (Progress.COMPLETE, len(data), False)


@pytest.mark.parametrize("name", COMPLETE)
def test_a_request_that_lacks_a_byte_is_not_complete(name: str) -> None:
    """So no thread ever waits for the last byte."""
    _, progress = framed(COMPLETE[name][:-1], step=1)
    assert progress in {Progress.HEAD, Progress.BODY}


@pytest.mark.parametrize("name", COMPLETE)
def test_gunicorn_finds_the_same_end(name: str) -> None:
    """Its parser consumes exactly the bytes that it is given."""
    parser = RequestParser(Config(), (), ("127.0.0.1", 1))
    parser.unreader = unreader = ReceivedUnreader()
    unreader.supply(COMPLETE[name])
    next(parser).body.read()
    assert unreader.exhausted


IN_DOUBT = {
    "two lengths": POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "the same length twice": POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
    "a length and chunks": POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a length with a sign": POST + b"Content-Length: +5\r\n\r\n",
    "a length in a list": POST + b"Content-Length: 5, 5\r\n\r\n",
    "a space before the colon": POST + b"Content-Length : 5\r\n\r\n",
    "an unknown expectation": POST + b"Expect: more\r\nContent-Length: 5\r\n\r\n",
    "no number": POST + b"Content-Length: five\r\n\r\n",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunked before the last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nabc",
    "a chunk of a wrong size": CHUNKED + b"xyz\r\nabc",
    "a negative chunk": CHUNKED + b"-1\r\nabc",
    "a bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "a bare line feed in a field": b"GET / HTTP/1.1\r\nHost: a\nX: b",
    "a request line without end": b"GET /" + b"a" * 200,
    "a head without end": b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 200,
    "trailers without end": CHUNKED + b"0\r\n" + b"X-A: b\r\n" * 200,
    "a size line without end": CHUNKED + b"1;" + b"a" * 9000,
}


@pytest.mark.parametrize("step", [1, 10_000])
@pytest.mark.parametrize("name", IN_DOUBT)
def test_what_has_no_certain_end_is_judged_by_gunicorn(name: str, step: int) -> None:
    """And nothing that follows on its connection is read as a request."""
    framing, progress = framed(IN_DOUBT[name], step=step)
    assert (progress, framing.closes) == (Progress.COMPLETE, True)


TOO_LARGE = {
    "a length": POST + b"Content-Length: 51\r\n\r\n",
    "a length of many digits": POST + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "one chunk": CHUNKED + b"33\r\n",
    "chunks": CHUNKED + b"19\r\n" + b"a" * 25 + b"\r\n1A\r\n",
    "a chunk of sixteen digits": CHUNKED + b"f" * 16 + b"\r\n",
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_body_above_the_limit_is_known_before_it_arrives(name: str) -> None:
    """Its length says so, or the size of its next chunk."""
    framing, progress = framed(TOO_LARGE[name], step=1)
    assert (progress, framing.closes) == (Progress.TOO_LARGE, True)


def test_chunks_of_one_byte_have_a_limit_on_the_wire() -> None:
    """A chunk can have an extension of eight kilobytes for each byte of content."""
    data = CHUNKED + (b"1;" + b"a" * 8000 + b"\r\na\r\n") * 20
    _, progress = framed(data, step=4096)
    assert progress is Progress.TOO_LARGE


@pytest.mark.parametrize(
    ("head", "expects"),
    [
        (b"POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n", True),
        (b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", False),
    ],
)
def test_who_waits_for_100_continue_is_known(head: bytes, *, expects: bool) -> None:
    """An HTTP/1.0 client knows no interim responses (RFC 9110 section 10.1.1)."""
    assert framed(head, step=1)[0].expects_continue is expects
