"""The standalone gateway over raw sockets, against hostile clients and faulty origins."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import pytest

from app.edge.http.dates import format_http_date
from tests.edge.gateway.raw import (
    RawClient,
    RawOrigin,
    RawResponse,
    ask,
    at_once,
    command,
    free_port,
    page,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live
LONG = "Cache-Control: max-age=3600"
OLD = f"Last-Modified: {format_http_date(time.time() - 86_400 * 300)}"
NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Wire:
    """A gateway in front of an origin, and a URL path that no other test uses."""

    port: int
    origin: RawOrigin
    path: str

    def script(self, response: bytes) -> None:
        """Set the bytes that the origin sends for this path."""
        self.origin.script[self.path] = response

    def ask(self, *lines: str, method: str = "GET") -> RawResponse:
        """Request the path over a separate connection."""
        return ask(self.port, self.path, *lines, method=method)

    @property
    def request_count(self) -> int:
        """Return how often the origin received a request for the path."""
        return self.origin.count(self.path)


@pytest.fixture(scope="module")
def gateway() -> Iterator[tuple[int, RawOrigin]]:
    """Run the command with its defaults in front of an origin."""
    origin = RawOrigin()
    with serving(origin) as origin_port, command(origin_port) as port:
        yield port, origin


@pytest.fixture
def wire(gateway: tuple[int, RawOrigin]) -> Wire:
    """Return the gateway with an unused path."""
    port, origin = gateway
    return Wire(port=port, origin=origin, path=f"/{next(NUMBERS)}")


# request smuggling

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: evil.example\r\nX-Real-IP: 10.0.0.1\r\n\r\n"
FRAMING = [
    "content-length",
    "Content-Length, close",
    "close, CONTENT-LENGTH",
    "host",
    "via",
    "host, via, content-length, transfer-encoding, cdn-loop, content-type",
    "\tcontent-length\t,",
]


@pytest.mark.parametrize("field_name", FRAMING)
def test_connection_never_removes_the_proxys_own_fields(wire: Wire, field_name: str) -> None:
    """RFC 9110 section 7.6.1: the origin gets one request, with its framing, Host and Via."""
    head = (
        f"POST {wire.path} HTTP/1.1\r\nHost: example.org\r\nConnection: {field_name}\r\n"
        f"Content-Type: text/x\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n"
    )
    with RawClient(wire.port) as client:
        client.send(head.encode() + SMUGGLED)
        response = client.read()
    assert response is not None
    assert response.status == 200
    assert wire.origin.count("/smuggled") == 0
    (request,) = [request for request in wire.origin.requests if request.target == wire.path]
    assert request.body == SMUGGLED
    assert request.values("Content-Length") == [str(len(SMUGGLED))]
    assert request.values("Content-Type") == ["text/x"]
    assert request.values("Host") == ["example.org"]
    assert request.values("Via") == ["1.1 broadsheet"]


def test_a_chunked_body_has_one_framing(wire: Wire) -> None:
    """RFC 9112 section 6.1: the request has chunks and no length."""
    head = (
        f"POST {wire.path} HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n"
        "Connection: transfer-encoding, close\r\n\r\n"
    )
    with RawClient(wire.port) as client:
        client.send(head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED))
        response = client.read()
    assert response is not None
    assert wire.origin.count("/smuggled") == 0
    (request,) = [request for request in wire.origin.requests if request.target == wire.path]
    assert (request.body, request.values("Content-Length")) == (SMUGGLED, [])


AMBIGUOUS = {
    "length and chunks": ["Content-Length: 4", "Transfer-Encoding: chunked"],
    "two lengths": ["Content-Length: 4", "Content-Length: 64"],
    "a list of lengths": ["Content-Length: 4, 64"],
    "a signed length": ["Content-Length: +4"],
    "a negative length": ["Content-Length: -4"],
    "another coding": ["Transfer-Encoding: gzip, chunked"],
    "chunked twice": ["Transfer-Encoding: chunked, chunked"],
    "identity": ["Transfer-Encoding: identity"],
    "white space before the colon": ["Content-Length : 4"],
    "a folded field": ["X-A: b", " Content-Length: 4"],
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_without_one_framing_is_refused(wire: Wire, lines: list[str]) -> None:
    """RFC 9112 section 6.3: no origin gets it, the error is not stored, the connection ends."""
    head = "\r\n".join([f"POST {wire.path} HTTP/1.1", "Host: example.org", *lines, "", "0\r\n\r\n"])
    with RawClient(wire.port) as client:
        client.send(head.encode())
        response = client.read()
        assert response is not None
        assert response.status == 400
        assert response.value("Cache-Control") == "no-store"
        assert client.read() is None
    assert wire.request_count == 0


def test_a_body_that_breaks_off_is_no_request(wire: Wire) -> None:
    """The origin does not wait for the missing rest of a body."""
    head = f"POST {wire.path} HTTP/1.1\r\nHost: example.org\r\nContent-Length: 9\r\n\r\nabc"
    with RawClient(wire.port) as client:
        client.send(head.encode())
        client.end()
        response = client.read()
    assert response is None or response.status == 400


# variants

NEGOTIATED = ["accept-language", "Accept-Language, close", "close ,\tACCEPT-LANGUAGE"]


@pytest.mark.parametrize("field_name", NEGOTIATED)
def test_connection_can_not_poison_a_variant(wire: Wire, field_name: str) -> None:
    """A field that the origin does not see selects no variant."""
    wire.script(page(b"default", LONG, "Vary: Accept-Language"))
    with RawClient(wire.port) as client:
        client.ask(wire.path, "Accept-Language: de", f"Connection: {field_name}")
    assert wire.origin.requests[-1].values("Accept-Language") == []
    wire.script(page(b"deutsch", LONG, "Vary: Accept-Language"))
    assert wire.ask("Accept-Language: de").body == b"deutsch"
    assert wire.ask().body == b"default"


@pytest.mark.parametrize("field", ["Cookie: id=1", "X-Version: 2", "Authorization: Basic YTpi"])
def test_connection_removes_a_field_for_everybody(wire: Wire, field: str) -> None:
    """The gateway, its key and its origin read the same request."""
    name = field.partition(":")[0]
    wire.script(page(b"plain", LONG, f"Vary: {name}"))
    with RawClient(wire.port) as client:
        client.ask(wire.path, field, f"Connection: {name}")
    assert wire.origin.requests[-1].values(name) == []
    wire.script(page(b"special", f"{LONG}, public", f"Vary: {name}"))
    assert wire.ask(field).body == b"special"


def test_connection_can_not_hide_that_nothing_may_be_stored(wire: Wire) -> None:
    """RFC 9110 section 7.6.1: Cache-Control is for all recipients, in requests as well."""
    wire.script(page(b"page", LONG))
    with RawClient(wire.port) as client:
        client.ask(wire.path, "Cache-Control: no-store", "Connection: cache-control")
    wire.ask()
    assert wire.request_count == 2


HIDDEN = {
    "a cookie": [LONG, "Set-Cookie: id=1", "Connection: set-cookie"],
    "a restriction": [LONG, "CDN-Cache-Control: no-store", "Connection: cdn-cache-control"],
    "a Vary": [LONG, "Vary: *", "Connection: vary"],
    "an Age": [LONG, "Age: 7200", "Connection: age"],
}


@pytest.mark.parametrize("lines", HIDDEN.values(), ids=HIDDEN)
def test_connection_of_a_response_hides_nothing(wire: Wire, lines: list[str]) -> None:
    """Restricting directives of a response stay effective."""
    wire.script(page(b"page", *lines))
    wire.ask()
    wire.ask()
    assert wire.request_count == 2


def test_connection_of_a_response_can_not_remove_its_coding(wire: Wire) -> None:
    """A body without its Content-Encoding or Content-Type is another body."""
    lines = ("Content-Encoding: x-a", "Content-Type: text/x", "Connection: content-encoding")
    wire.script(page(b"page", LONG, *lines))
    for response in (wire.ask(), wire.ask()):
        assert response.value("Content-Encoding") == "x-a"
        assert response.value("Content-Type") == "text/x"


# responses to one request

CONDITIONS = [
    "Range: bytes=999-",
    "Range: bytes=0-1",
    'If-None-Match: "x"',
    f"If-Modified-Since: {format_http_date(1)}",
    'If-Range: "x"',
    'If-Match: "x"',
    f"If-Unmodified-Since: {format_http_date(1)}",
    'If: (["x"])',
    "Request-Range: bytes=0-1",
]
STATUSES = ["200 OK", "206 Partial Content", "304 Not Modified", "412 No", "416 No", "404 No"]


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_the_answer_to_a_condition_is_never_stored(wire: Wire, condition: str, status: str) -> None:
    """After a response that was not shared, the origin sees the reader's conditions."""
    wire.script(page(b"private", "Cache-Control: no-store"))
    wire.ask()
    wire.script(page(b"" if status.startswith("304") else b"conditional", LONG, status=status))
    wire.ask(condition)
    wire.script(page(b"whole", LONG))
    response = wire.ask()
    assert (response.status, response.body) == (200, b"whole") or "hit" in response.cache
    if "hit" in response.cache:  # the condition was kept from the origin
        assert wire.origin.requests[-1].values(condition.partition(":")[0]) == []
        assert status in {"200 OK", "404 No"}


NEVER_STORED = [
    "206 Partial Content",
    "226 IM Used",
    "401 Unauthorized",
    "407 Proxy Authentication Required",
    "408 Request Timeout",
    "412 Precondition Failed",
    "416 Range Not Satisfiable",
    "417 Expectation Failed",
    "421 Misdirected Request",
    "425 Too Early",
    "428 Precondition Required",
    "429 Too Many Requests",
    "431 Request Header Fields Too Large",
    "508 Loop Detected",
    "511 Network Authentication Required",
    "600 Unknown",
    "999 Unknown",
]


@pytest.mark.parametrize("status", NEVER_STORED)
def test_what_speaks_of_one_request_is_never_stored(wire: Wire, status: str) -> None:
    """The lifetime of such a response has no effect."""
    wire.script(
        page(b"page", f"{LONG}, public", "Expires: Thu, 01 Jan 2099 00:00:00 GMT", status=status)
    )
    assert wire.ask().status == int(status[:3])
    wire.ask()
    assert wire.request_count == 2


# lengths

CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
WRONG_LENGTHS = {
    "too long": page(b"hello", LONG, "Content-Length: 100", "Connection: close"),
    "beside chunks": page(CHUNKS, LONG, "Content-Length: 100", "Transfer-Encoding: chunked"),
    "beside chunks, short": page(CHUNKS, LONG, "Content-Length: 2", "Transfer-Encoding: chunked"),
    "two that differ": page(b"hello", LONG, "Content-Length: 5", "Content-Length: 100"),
    "a list that differs": page(b"hello", LONG, "Content-Length: 5, 100"),
    "no number": page(b"hello", LONG, "Content-Length: five"),
    "signed": page(b"hello", LONG, "Content-Length: +5"),
    "chunks that break off": page(b"9\r\nhello", LONG, "Transfer-Encoding: chunked"),
    "a signed chunk": page(b"+5\r\nhello\r\n0\r\n\r\n", LONG, "Transfer-Encoding: chunked"),
    "chunks of HTTP/1.0": page(CHUNKS, LONG, "Transfer-Encoding: chunked").replace(
        b"HTTP/1.1", b"HTTP/1.0"
    ),
    "another coding": page(CHUNKS, LONG, "Transfer-Encoding: gzip, chunked"),
    "two codings": page(CHUNKS, LONG, "Transfer-Encoding: gzip", "Transfer-Encoding: chunked"),
    "named in Connection": page(
        b"hello", LONG, "Content-Length: 100", "Connection: content-length, close"
    ),
}


REFUSED_LENGTHS = {
    "two that differ",
    "a list that differs",
    "no number",
    "signed",
    "another coding",
    "two codings",
    "a signed chunk",
}
"""The client gets a 502 instead of a response with such a length."""


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("name", "response"), WRONG_LENGTHS.items(), ids=WRONG_LENGTHS)
def test_a_wrong_length_never_swallows_the_next_response(
    wire: Wire, name: str, response: bytes, method: str
) -> None:
    """RFC 9112 section 6.3: the body has the right end or the connection ends; nothing is stored."""
    wire.origin.script[wire.path] = response
    wire.origin.script[f"{wire.path}b"] = page(b"next")
    with RawClient(wire.port) as client:
        first = client.ask(wire.path, "Content-Length: 0", method=method)
        assert first.status == (502 if name in REFUSED_LENGTHS else 200)
        assert first.status != 200 or first.body == b"hello"
        client.try_ask(f"{wire.path}b")
        second = client.read()
        assert second is None or second.body == b"next"
        assert second is None or first.complete
    count_before = wire.request_count
    wire.ask()
    assert wire.request_count == count_before + 1


def test_more_than_the_length_is_not_part_of_the_page(wire: Wire) -> None:
    """Bytes after the announced length are neither forwarded nor read as a response."""
    evil = page(b"evil", LONG)
    wire.script(page(b"hello" + evil, LONG, "Content-Length: 5"))
    wire.origin.script[f"{wire.path}b"] = page(b"next")
    with RawClient(wire.port) as client:
        assert client.ask(wire.path).body == b"hello"
        assert client.ask(f"{wire.path}b").body == b"next"
        assert client.ask(wire.path).body == b"hello"


BODILESS = {
    "HEAD": ("HEAD", page(b"", LONG, "Content-Length: 100")),
    "a 204 with a length": ("GET", page(b"", LONG, "Content-Length: 100", status="204 No Content")),
    "a 204 with a body": (
        "GET",
        page(b"hello", LONG, "Content-Length: 5", status="204 No Content"),
    ),
    "a 304 with a length": ("GET", page(b"", LONG, "Content-Length: 9", status="304 Not Modified")),
    "a 304 with a body": ("GET", page(b"hello", LONG, "Content-Length: 5", status="304 No")),
    "a 204 to POST": ("POST", page(b"", "Content-Length: 100", status="204 No Content")),
}


@pytest.mark.parametrize(("method", "response"), BODILESS.values(), ids=BODILESS)
def test_what_has_no_body_leaves_the_connection_in_step(
    wire: Wire, method: str, response: bytes
) -> None:
    """RFC 9110 section 6.4.1: HEAD, 204 and 304 end with their head, regardless of a length."""
    wire.script(response)
    wire.origin.script[f"{wire.path}b"] = page(b"next")
    with RawClient(wire.port) as client:
        for _ in range(2):
            first = client.ask(wire.path, "Content-Length: 0", method=method)
            assert first.body == b""
            if first.status == 204:
                assert first.value("Content-Length") is None
            assert client.ask(f"{wire.path}b").body == b"next"


# fields

MALFORMED = {
    "NUL": b"X-A: a\x00b",
    "a bell": b"X-A: a\x07b",
    "DEL": b"X-A: a\x7fb",
    "a bare CR": b"X-A: a\rSet-Cookie: b=c",
    "vertical tab": b"X-A: a\x0bb",
    "a space in the name": b"X A: b",
    "a space before the colon": b"X-A : b",
    "no colon": b"X-A",
    "no name": b": b",
    "a byte above ASCII in the name": b"X-\xe9: b",
    "a control character in the name": b"X-\x01: b",
    "a parenthesis in the name": b"X(A): b",
    "a NUL in Content-Type": b"Content-Type: text/\x00html",
}


@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_a_response_with_a_malformed_field_is_not_stored(wire: Wire, line: bytes) -> None:
    """RFC 9110 section 5.5: each reader gets it repaired from the origin."""
    wire.script(page(b"page", line, LONG, "X-After: 1"))
    for _ in range(2):
        response = wire.ask()
        assert (response.status, response.body) == (200, b"page")
        assert response.value("X-After") == "1"
        assert response.value("Set-Cookie") is None
    assert wire.request_count == 2


@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_line_hides_no_restriction(wire: Wire, line: bytes) -> None:
    """The lines after it are read: the standard library's parser drops them all."""
    wire.script(page(b"mine", OLD, line, "Cache-Control: private", "Set-Cookie: id=1"))
    response = wire.ask()
    assert response.value("Cache-Control") == "private"
    assert response.value("Set-Cookie") == "id=1"
    wire.ask()
    assert wire.request_count == 2


@pytest.mark.parametrize("reason", ["OK\x00", "O\x07K", "O\rSet-Cookie: a=b", "\x7f"])
def test_a_malformed_reason_is_not_stored(wire: Wire, reason: str) -> None:
    """A server refuses such a status line, so every HIT would be an error."""
    wire.script(page(b"page", LONG, status=f"200 {reason}"))
    for _ in range(2):
        assert (wire.ask().status, wire.request_count > 0) == (200, True)
    assert wire.request_count == 2


@pytest.mark.parametrize("line", [b"X-A: caf\xe9", b"X-A:\tb\t", b"X-A:", b"X-A: a\r\n b"])
def test_a_strange_but_valid_field_is_stored(wire: Wire, line: bytes) -> None:
    """Latin-1, tabs, empty values and folds are no reason to fetch a page each time."""
    wire.script(page(b"page", line, LONG))
    assert wire.ask().value("X-A") == wire.ask().value("X-A")
    assert wire.request_count == 1


def test_a_malformed_304_freshens_nothing(wire: Wire) -> None:
    """The stored response does not change; the page is fetched without conditions."""
    wire.script(page(b"old", "Cache-Control: max-age=1", "Age: 9", 'ETag: "a"'))
    wire.ask()
    wire.script(page(b"", LONG, 'ETag: "a"', b"X-A: a\x00b", status="304 Not Modified"))
    wire.ask()
    assert wire.origin.requests[-1].values("If-None-Match") == []


NO_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a head that breaks off": b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nSet-Coo",
    "too many lines": page(b"", *["X-A: b"] * 300),
    "interim responses without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50,
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("response", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_response_is_a_502(wire: Wire, response: bytes) -> None:
    """The client gets the error at once, and nothing is stored."""
    wire.script(response)
    reply = wire.ask()
    assert (reply.status, reply.value("Cache-Control")) == (502, "no-store")


# heuristics

PERSONAL = ["Cookie: id=1", "Authorization: Basic YTpi"]
SILENT = {
    "Last-Modified": [OLD],
    "public": [OLD, "Cache-Control: public"],
    "a validator alone": ['ETag: "a"'],
    "must-revalidate": [OLD, "Cache-Control: must-revalidate"],
    "another directive": [OLD, "Cache-Control: no-transform"],
}


@pytest.mark.parametrize("lines", SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("field", PERSONAL)
def test_a_page_made_from_a_cookie_is_never_fresh_by_a_guess(
    wire: Wire, field: str, lines: list[str]
) -> None:
    """The next request is forwarded, also if it accepts a stale page."""
    wire.script(page(b"mine", *lines))
    wire.ask(field)
    wire.script(page(b"yours", *lines))
    assert wire.ask().body == b"yours"
    assert wire.request_count == 2


@pytest.mark.parametrize("field", PERSONAL)
def test_a_page_made_from_a_cookie_never_stands_in_for_an_error(wire: Wire, field: str) -> None:
    """It is not stored, so it can't be served while the origin fails."""
    wire.script(page(b"mine", OLD, 'ETag: "a"'))
    wire.ask(field)
    wire.script(page(b"down", status="503 Down"))
    assert wire.ask().body == b"down"


def test_a_page_with_a_lifetime_is_shared_whatever_the_cookie(wire: Wire) -> None:
    """An explicit lifetime allows storing (RFC 9111 section 3)."""
    wire.script(page(b"page", LONG))
    wire.ask("Cookie: id=1")
    wire.ask("Cookie: id=2")
    assert wire.request_count == 1


def test_a_silent_origin_is_trusted_where_nobody_is_named(wire: Wire) -> None:
    """RFC 9111 section 4.2.2."""
    wire.script(page(b"page", OLD))
    wire.ask()
    wire.ask()
    assert wire.request_count == 1


# the server's own answers

HOSTS = ["a b", 'a"b', "a,b", "a@b", "a/b", "a<b", "a:b", "a:99999", "[::1", "[:::]", "a%zz", ""]


@pytest.mark.parametrize("host", HOSTS)
def test_what_is_no_host_is_refused(wire: Wire, host: str) -> None:
    """RFC 9112 section 3.2: no origin gets the request, and the error is not stored."""
    with RawClient(wire.port) as client:
        response = client.ask(wire.path, host=host)
    assert (response.status, response.value("Cache-Control")) == (400, "no-store")
    assert wire.request_count == 0


@pytest.mark.parametrize("host", ["a", "A.example:80", "a.example.", "[::1]:8080", "a_b.example"])
def test_what_is_a_host_arrives(wire: Wire, host: str) -> None:
    """It may have any case and any port."""
    with RawClient(wire.port) as client:
        assert client.ask(wire.path, host=host).status == 200


def test_the_host_must_be_there(wire: Wire) -> None:
    """RFC 9112 section 3.2: only HTTP/1.0 may omit it."""
    for version, status in (("1.1", 400), ("1.0", 200)):
        with RawClient(wire.port) as client:
            client.send(f"GET {wire.path} HTTP/{version}\r\nConnection: close\r\n\r\n".encode())
            response = client.read()
        assert response is not None
        assert response.status == status


TOO_MUCH = {
    "a long target": (b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n" % (b"a" * 9000), 414),
    "a long field": (b"GET / HTTP/1.1\r\nHost: a\r\nX: %b\r\n\r\n" % (b"a" * 70_000), 431),
    "many fields": (b"GET / HTTP/1.1\r\nHost: a\r\n%b\r\n" % (b"X: a\r\n" * 200), 431),
    "no request": (b"hello\r\n\r\n", 400),
    "a NUL": (b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "an expectation": (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n", 417),
    "a tunnel": (b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400),
    "a fragment": (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "another scheme": (b"GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    "an authority that is none": (b"GET http://a@b/c HTTP/1.1\r\nHost: a\r\n\r\n", 400),
}


@pytest.mark.parametrize(("request_", "status"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_the_servers_own_errors_are_not_stored(wire: Wire, request_: bytes, status: int) -> None:
    """A cache in front must not store them under a URL of other clients."""
    with RawClient(wire.port) as client:
        client.send(request_)
        response = client.read()
    assert response is not None
    assert (response.status, response.value("Cache-Control")) == (status, "no-store")


def test_the_absolute_form_names_its_host(wire: Wire) -> None:
    """RFC 9112 section 3.2.2: its authority replaces Host in the key and for the origin."""
    wire.script(page(b"page", LONG))
    with RawClient(wire.port) as client:
        client.ask(f"http://other.example{wire.path}")
        assert wire.origin.requests[-1].values("Host") == ["other.example"]
        assert wire.origin.requests[-1].target == wire.path
        assert "hit" in client.ask(wire.path, host="other.example").cache
        assert "hit" not in client.ask(wire.path).cache


@pytest.mark.parametrize("path", ["/a://b/c", "/http://h/a", "/%2F//a", "/a?u=http://h/b"])
def test_a_url_inside_a_target_stays_there(wire: Wire, path: str) -> None:
    """The origin gets the target unchanged."""
    ask(wire.port, wire.path + path)
    assert wire.origin.requests[-1].target == wire.path + path


WITHHELD = [
    "X-Original-URI",
    "X-Original-URL",
    "X-Forwarded-Path",
    "X-Forwarded-Host",
    "X-Forwarded-For",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Client-IP",
    "X-Real-IP",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "Forwarded",
    "Proxy",
    "TE",
    "Upgrade",
    "Proxy-Authorization",
    "Keep-Alive",
    "HTTP2-Settings",
]


@pytest.mark.parametrize("name", WITHHELD)
def test_a_stranger_can_not_tell_the_origin_who_asks_for_what(wire: Wire, name: str) -> None:
    """Such fields are removed from a fetch that is shared."""
    wire.script(page(b"page", LONG))
    wire.ask(f"{name}: /evil")
    assert wire.origin.requests[-1].values(name) == []


# loops


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_gateway_that_is_its_own_origin_says_so_at_once(method: str) -> None:
    """RFC 8586: it responds with 508, and no thread waits for another one."""
    port = free_port()
    with command(port, port=port):
        start = time.monotonic()
        with RawClient(port) as client:
            response = client.ask("/", "Content-Length: 0", method=method)
        responses = [response, *at_once(port, "/", 40)]
        assert time.monotonic() - start < 10
    assert {each.status for each in responses} == {508}
    assert {each.value("Cache-Control") for each in responses} == {"no-store"}


def test_two_gateways_that_lead_to_one_another_say_so_at_once() -> None:
    """The first one recognises its own token when the request returns."""
    first, second = free_port(), free_port()
    with command(second, port=first), command(first, port=second):
        assert ask(first, "/").status == 508


def test_a_chain_of_gateways_is_no_loop() -> None:
    """Each has its own token in CDN-Loop."""
    origin = RawOrigin(script={"/a": page(b"page", LONG)})
    with serving(origin) as origin_port, command(origin_port) as inner, command(inner) as outer:
        assert ask(outer, "/a").body == b"page"
        assert len(origin.requests[-1].values("CDN-Loop")[0].split(",")) == 2


LOOPED = ["Via: 1.1 broadsheet", "CDN-Loop: broadsheet", 'CDN-Loop: a, broadsheet; x="y"']


@pytest.mark.parametrize("line", LOOPED)
def test_a_request_with_the_gateways_own_name_is_a_loop(wire: Wire, line: str) -> None:
    """If CDN-Loop was removed, Via shows that a gateway has forwarded the request."""
    assert wire.ask(line).status == 508
    assert wire.request_count == 0


@pytest.mark.parametrize("line", ["Via: 1.1 varnish, 1.0 b (broadsheet)", "CDN-Loop: cloudflare"])
def test_others_on_the_way_are_no_loop(wire: Wire, line: str) -> None:
    """Only the gateway's own name counts."""
    assert wire.ask(line).status == 200
