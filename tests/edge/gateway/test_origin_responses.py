"""Responses of an origin as bytes, through the proxy and the gateway: forwarded, stored or a 502."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.proxy import Proxy
from tests.edge.gateway import raw
from tests.edge.gateway.raw import RawOrigin, serving
from tests.edge.gateway.scripted_origin import Received, Stage, get

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
    assert "stored" not in answer.cache
    assert answer.cache.endswith(("; detail=incomplete-response", "; detail=malformed-response"))
    assert wire.ask(page(b"good", LONG)).body == b"good"
