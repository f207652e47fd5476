"""Responses of an origin as bytes, through the proxy and the gateway: forwarded, stored or a 502."""

from __future__ import annotations

import http.client
import socket
import threading
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.proxy import Proxy
from tests.edge.gateway import raw
from tests.edge.gateway.raw import RawOrigin, serving
from tests.edge.gateway.scripted_origin import Received, Stage, environ_for, get

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "Cache-Control: max-age=3600"
CHUNKED = "Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"
NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A gateway in front of an origin, and a URL path that no other test uses."""

    stage: Stage
    origin: RawOrigin
    path: str

    def ask(self, response: bytes | None = None, **more: Any) -> Received:
        """Request the path; `response` is what the origin sends."""
        if response is not None:
            self.origin.script[self.path] = response
        return self.stage.ask(get(target=self.path, **more))

    @property
    def request_count(self) -> int:
        """Return how often the origin received a request for the path."""
        return self.origin.count(self.path)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[RawOrigin, Stage]]:
    """Serve an origin, with a gateway in front of it."""
    origin = RawOrigin()
    with serving(origin) as port:
        proxy = Proxy(f"http://127.0.0.1:{port}", timeout=timedelta(seconds=10))
        yield origin, Stage(app=proxy)


@pytest.fixture
def wire(server: tuple[RawOrigin, Stage]) -> Wire:
    """Return the gateway with an unused path."""
    origin, stage = server
    return Wire(stage=stage, origin=origin, path=f"/{next(NUMBERS)}")


def page(body: bytes = b"page", *lines: str | bytes, status: str = "200 OK") -> bytes:
    """Build a text response."""
    return raw.page(body, "Content-Type: text/plain", *lines, status=status)


def chunks(*sizes_and_data: bytes) -> bytes:
    """Build a response in chunks; the arguments alternate between sizes and data."""
    lines = zip(sizes_and_data[::2], sizes_and_data[1::2], strict=True)
    body = b"".join(size + b"\r\n" + data + b"\r\n" for size, data in lines)
    return page(body + LAST, LONG, CHUNKED)


def status_line(line: bytes) -> bytes:
    """Build a response with this status line."""
    return page(b"page", LONG).replace(b"HTTP/1.1 200 OK", line)


BAD_SIZES = (b"+4", b"-4", b"0x4", b" 4", b"4_0", b"4 4", b"4,", b"\xb2", b"", b";x", b"4" * 17)
BAD_LENGTHS = (b"+4", b"-4", b"0x4", b"4_0", b"4 4", b"4,", b"\xb2", b"", b"five", b"4" * 19)
BAD_STATUS_LINES = (
    b"HTTP/1.1 +200 OK",
    b"HTTP/1.1 -200 OK",
    b"HTTP/1.1 2_00 OK",
    b"HTTP/1.1 0200 OK",
    b"HTTP/1.1 099 OK",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 2\xb20 OK",
    b"HTTP/1.1 OK",
    b"HTTP/1.1",
    b"HTTP/2 200 OK",
    b"HTTP/1.10 200 OK",
    b"HTTP/11 200 OK",
    b"http/1.1 200 OK",
    b" HTTP/1.1 200 OK",
    b"xHTTP/1.1 200 OK",
    b"",
)
MALFORMED = {
    **{f"chunk size {size!r}": chunks(size, b"page") for size in BAD_SIZES},
    **{f"length {n!r}": page(b"page", LONG, b"Content-Length: " + n) for n in BAD_LENGTHS},
    **{f"status line {line!r}": status_line(line) for line in BAD_STATUS_LINES},
    "two lengths": page(b"page", LONG, "Content-Length: 4", "Content-Length: 5"),
    "another coding": page(LAST, LONG, "Transfer-Encoding: gzip, chunked"),
    "two codings": page(LAST, LONG, "Transfer-Encoding: gzip", CHUNKED),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "too many interim responses": b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + page(),
    "too many lines": page(b"page", LONG, *["X-A: b"] * 200),
    "a line that is too long": page(b"page", LONG, "X-A: " + "b" * 65_536),
}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("response", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_response_is_a_502(wire: Wire, response: bytes, method: str) -> None:
    """RFC 9112 section 6.3: the client gets a 502 with the reason, and nothing is stored."""
    answer = wire.ask(response, method=method)
    assert answer.status == 502
    assert answer.cache.endswith("; detail=malformed-response")
    assert answer.header("Cache-Control") == "no-store"
    assert answer.body == b"The origin did not send a valid HTTP response.\n"
    assert wire.ask(page(b"good", LONG)).body == b"good"


INCOMPLETE = {
    "nothing": b"",
    "the head breaks off": b"HTTP/1.1 200 OK\r\nX-A: b\r\n",
    "a line breaks off": b"HTTP/1.1 200 OK\r\nX-A: b",
    "no byte of the body": page(b"", LONG, "Content-Length: 4"),
    "no byte of a chunk": page(b"4\r\n", LONG, CHUNKED),
    "no chunk": page(b"", LONG, CHUNKED),
    "a chunk size breaks off": page(b"4", LONG, CHUNKED),
}


@pytest.mark.parametrize("response", INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_response_that_breaks_off_before_its_body_is_a_502(wire: Wire, response: bytes) -> None:
    """Until the first byte of the body the client can still get another status."""
    answer = wire.ask(response)
    assert answer.status == 502
    assert answer.cache.endswith("; detail=incomplete-response")
    assert answer.body == b"The origin closed the connection before its response was complete.\n"
    assert wire.ask(page(b"good", LONG)).body == b"good"


VALID_STATUS_LINES = {
    b"HTTP/1.1 200 OK": "200 OK",
    b"HTTP/1.1 200": "200 Unknown",
    b"HTTP/1.1 200 ": "200 Unknown",
    b"HTTP/1.1  200   All right ": "200 All right",
    b"HTTP/1.0 200 OK": "200 OK",
    b"HTTP/1.9 200 OK": "200 OK",
    b"HTTP/1.1 200 caf\xe9": "200 caf\xe9",
    b"HTTP/1.1 299 Strange": "299 Strange",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK": "200 OK",
    b"HTTP/1.1 199 A\r\nX-A: b\r\n\r\nHTTP/1.1 103 B\r\n\r\nHTTP/1.1 200 OK": "200 OK",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 16 + b"HTTP/1.1 200 OK": "200 OK",
}


@pytest.mark.parametrize(("line", "text"), VALID_STATUS_LINES.items())
def test_a_valid_status_line_is_forwarded(wire: Wire, line: bytes, text: str) -> None:
    """RFC 9112 section 4: without a reason, and after interim responses."""
    lines: list[str] = []
    wire.origin.script[wire.path] = status_line(line)
    environ = environ_for(get(target=wire.path))
    body = b"".join(wire.stage.gateway(environ, lambda status, *_: lines.append(status) or bytes))  # type: ignore[func-returns-value] # append returns None
    assert (lines, body) == ([text], b"page")
    assert wire.ask(status=int(text[:3])).cache.startswith("hit")
    assert wire.request_count == 1


def chunked_page(body: bytes, *lines: str | bytes) -> bytes:
    """Build a response with this body in the chunked coding."""
    return page(body, LONG, CHUNKED, *lines)


VALID_BODIES = {
    "chunks": (chunked_page(b"3\r\npag\r\n1\r\ne\r\n" + LAST), b"page"),
    "an extension": (chunked_page(b'4;a="b"\r\npage\r\n0;c\r\n\r\n'), b"page"),
    "white space": (chunked_page(b"4 \t\r\npage\r\n" + LAST), b"page"),
    "a large digit": (chunked_page(b"A\r\n0123456789\r\n" + LAST), b"0123456789"),
    "a small digit": (chunked_page(b"a\r\n0123456789\r\n" + LAST), b"0123456789"),
    "zeros": (chunked_page(b"0" * 15 + b"4\r\npage\r\n000\r\n\r\n"), b"page"),
    "a bare line feed": (chunked_page(b"4\npage\r\n0\n\n"), b"page"),
    "trailers": (chunked_page(b"4\r\npage\r\n0\r\nX-A: b\r\nX-C: d\r\n\r\n"), b"page"),
    "no chunk but the last": (chunked_page(LAST), b""),
    "a coding in capitals": (page(LAST, LONG, "Transfer-Encoding: CHUNKED"), b""),
    "two equal lengths": (page(b"page", LONG, "Content-Length: 4", "Content-Length: 4"), b"page"),
    "a length with zeros": (page(b"page", LONG, "Content-Length: 0004"), b"page"),
    "more than the length": (page(b"page", LONG, "Content-Length: 3"), b"pag"),
    "no byte": (page(b"", LONG), b""),
    "up to the end": (page(b"page", LONG).replace(b"Content-Length: 4\r\n", b""), b"page"),
    "a line of the greatest length": (page(b"page", LONG, "X-A: " + "b" * 65_529), b"page"),
    "the greatest number of lines": (page(b"page", LONG, *["X-A: b"] * 197), b"page"),
}


@pytest.mark.parametrize(("response", "body"), VALID_BODIES.values(), ids=VALID_BODIES)
def test_a_complete_body_is_stored(wire: Wire, response: bytes, body: bytes) -> None:
    """RFC 9112 section 7.1: without its chunks and their extensions and trailers."""
    first = wire.ask(response)
    assert (first.status, first.body, first.cache) == (200, body, "fwd=uri-miss; stored")
    assert first.header("Transfer-Encoding") is None
    second = wire.ask()
    assert second.body == body
    assert second.cache.startswith("hit")


REPAIRED = {
    "a length beside chunks": chunked_page(b"4\r\npage\r\n" + LAST, "Content-Length: 9"),
    "chunks of HTTP/1.0": chunked_page(b"4\r\npage\r\n" + LAST).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a line without a colon": page(b"page", LONG, "X-A"),
    "a space before the colon": page(b"page", LONG, "X-A : b"),
    "a control character": page(b"page", LONG, "X-A: b\x01"),
    "a control character in the reason": page(b"page", LONG, status="200 O\x01K"),
}


@pytest.mark.parametrize("response", REPAIRED.values(), ids=REPAIRED)
def test_a_response_that_had_to_be_repaired_is_not_stored(wire: Wire, response: bytes) -> None:
    """Another recipient could read it in another way."""
    for _ in range(2):
        answer = wire.ask(response)
        assert (answer.status, answer.body) == (200, b"page")
        assert answer.cache.endswith("; detail=malformed-response")
        assert answer.header("Content-Length") in {None, "4"}
    assert wire.request_count == 2


BROKEN = {
    "the body is short": (page(b"pa", LONG, "Content-Length: 4"), True),
    "a chunk is short": (chunked_page(b"4\r\npa"), True),
    "the last chunk is missing": (chunked_page(b"2\r\npa\r\n"), True),
    "the end of a chunk is missing": (chunked_page(b"2\r\npa"), True),
    "half of the end of a chunk is missing": (chunked_page(b"2\r\npa\r"), True),
    "a chunk is long": (chunked_page(b"2\r\npage\r\n" + LAST), False),
    "a chunk ends with other characters": (chunked_page(b"2\r\npaXX" + LAST), False),
    "a chunk ends with a line feed": (chunked_page(b"2\r\npa\n\n" + LAST), False),
    "the second size is invalid": (chunked_page(b"2\r\npa\r\n+2\r\nge\r\n" + LAST), False),
    "the second size is missing": (chunked_page(b"2\r\npa\r\n\r\nge\r\n" + LAST), False),
}


@pytest.mark.parametrize("cache_control", ["max-age=3600", "no-store"])
@pytest.mark.parametrize(("response", "is_incomplete"), BROKEN.values(), ids=BROKEN)
def test_a_body_that_breaks_off_raises_an_error(
    wire: Wire, response: bytes, is_incomplete: bool, cache_control: str
) -> None:
    """The server then ends the connection, so that the client notices; nothing is stored."""
    wire.origin.script[wire.path] = response.replace(b"max-age=3600", cache_control.encode())
    body = wire.stage.gateway(environ_for(get(target=wire.path)), lambda *_: bytes)
    chunks = iter(body)
    assert next(chunks) == b"pa"
    with pytest.raises(http.client.HTTPException) as raised:
        next(chunks)
    assert isinstance(raised.value, http.client.IncompleteRead) is is_incomplete
    body.close()  # type: ignore[attr-defined] # a body that was read has one
    assert wire.ask(page(b"good", LONG)).body == b"good"


BODILESS = [
    ("HEAD", "200 OK", ["Content-Length: 100"], "100"),
    ("HEAD", "200 OK", ["Content-Length: five"], None),
    ("HEAD", "200 OK", [CHUNKED], None),
    ("GET", "204 No Content", ["Content-Length: 100"], None),
    ("GET", "204 No Content", ["Content-Length: five"], None),
    ("GET", "304 Not Modified", ["Content-Length: 100"], "100"),
    ("GET", "304 Not Modified", ["Transfer-Encoding: gzip"], None),
]


@pytest.mark.parametrize(("method", "status", "lines", "length"), BODILESS)
def test_a_response_without_a_body_has_no_framing(
    wire: Wire, method: str, status: str, lines: list[str], length: str | None
) -> None:
    """RFC 9112 section 6.3: HEAD, 204 and 304 end with their head."""
    build = (
        page if method == "HEAD" else raw.page
    )  # wsgiref's checker wants no type without content
    answer = wire.ask(build(b"", LONG, *lines, status=status), method=method)
    assert (answer.status, answer.body) == (int(status[:3]), b"")
    assert answer.header("Content-Length") == length


def test_a_chunk_is_forwarded_before_the_next_one_arrives() -> None:
    """The proxy reads only the first chunk ahead."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        proxy = Proxy(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=timedelta(seconds=10))
        link: list[socket.socket] = []

        def serve() -> None:
            link.append(server.accept()[0])
            link[0].recv(65_536)
            link[0].sendall(chunked_page(b"2\r\npa\r\n"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        body = proxy(environ_for(get()), lambda *_: bytes)
        chunks = iter(body)
        assert next(chunks) == b"pa"
        thread.join()
        link[0].sendall(b"2\r\nge\r\n" + LAST)
        assert list(chunks) == [b"ge"]
        body.close()  # type: ignore[attr-defined] # the proxy's own body
        link[0].close()


def test_fields_of_the_hop_are_not_forwarded(wire: Wire) -> None:
    """RFC 9110 section 7.6.1: the lines that Connection names, in any case, and Connection itself."""
    lines = ("Connection: x-HOP, close", "X-Hop: 1", "Keep-Alive: timeout=5", "X-End: 2")
    answer = wire.ask(page(b"page", LONG, *lines))
    names = ("Connection", "X-Hop", "Keep-Alive", "X-End")
    assert [answer.header(name) for name in names] == [None, None, None, "2"]
