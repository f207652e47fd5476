"""Requests as the proxy sends them, and its answers when it can't forward one."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.finding_key import FINDING_KEY
from app.edge.gateway.proxy import Proxy
from tests.edge.gateway.raw import RawOrigin, RawRequest, free_port, serving
from tests.edge.gateway.scripted_origin import environ_for, get

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = timedelta(seconds=10)


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[RawOrigin, int]]:
    """Serve an origin."""
    origin = RawOrigin()
    with serving(origin) as port:
        yield origin, port


@pytest.fixture
def origin(server: tuple[RawOrigin, int]) -> RawOrigin:
    """Return the origin without recorded requests."""
    server[0].requests.clear()
    return server[0]


@pytest.fixture
def port(server: tuple[RawOrigin, int]) -> int:
    """Return the port of the origin."""
    return server[1]


def forward(proxy: Proxy, environ: dict[str, Any]) -> tuple[str, bytes, str | None]:
    """Send a request; return the status line, the body and the finding."""
    lines: list[str] = []

    def start_response(status: str, _headers: Any, _exc_info: Any = None) -> Any:
        lines.append(status)
        return bytes

    body = proxy(environ, start_response)
    try:
        content = b"".join(body)
    finally:
        getattr(body, "close", int)()
    return lines[0], content, environ.get(FINDING_KEY)


def send_request(origin: RawOrigin, proxy: Proxy, **changes: Any) -> RawRequest:
    """Forward a request with these environ values; return what the origin has received."""
    environ = environ_for(get())
    environ.update(changes)
    environ = {name: value for name, value in environ.items() if value is not None}
    line, _, finding = forward(proxy, environ)
    assert (line, finding) == ("200 OK", None)
    (request,) = origin.requests
    return request


def test_the_proxy_writes_its_own_fields_only(origin: RawOrigin, port: int) -> None:
    """Host, Via, CDN-Loop and Connection, in front of the fields of the request."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    request = send_request(origin, proxy, HTTP_X_A="b", HTTP_ACCEPT="text/html")
    assert request.line == "GET / HTTP/1.1"
    assert request.lines == (
        "Host: example.org",
        "Via: 1.1 broadsheet",
        f"CDN-Loop: {proxy.token}",
        "Connection: close",
        "X-A: b",
        "Accept: text/html",
    )


DROPPED: dict[str, dict[str, str]] = {
    "HTTP_CONNECTION": {"HTTP_CONNECTION": "X-Hop", "HTTP_X_HOP": "1"},
    "HTTP_KEEP_ALIVE": {"HTTP_KEEP_ALIVE": "1"},
    "HTTP_TE": {"HTTP_TE": "trailers"},
    "HTTP_UPGRADE": {"HTTP_UPGRADE": "h2c"},
    "HTTP_PROXY": {"HTTP_PROXY": "http://evil.example"},
    "HTTP_PROXY_AUTHORIZATION": {"HTTP_PROXY_AUTHORIZATION": "a"},
    "HTTP_CONTENT_LENGTH": {"HTTP_CONTENT_LENGTH": "9"},
    "a name that is none": {"HTTP_X_(B)": "c"},
}


@pytest.mark.parametrize("changes", DROPPED.values(), ids=DROPPED)
def test_a_field_of_the_hop_is_dropped(
    origin: RawOrigin, port: int, changes: dict[str, str]
) -> None:
    """RFC 9110 section 7.6.1; `Proxy` could be read as a setting of a CGI program."""
    request = send_request(origin, Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT), **changes)
    assert [line.partition(":")[0] for line in request.lines] == [
        "Host",
        "Via",
        "CDN-Loop",
        "Connection",
    ]


def test_lists_of_earlier_proxies_are_extended(origin: RawOrigin, port: int) -> None:
    """RFC 9110 section 7.6.3 and RFC 8586."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    request = send_request(origin, proxy, HTTP_VIA="1.0 a", HTTP_CDN_LOOP="b")
    assert request.values("Via") == ["1.0 a, 1.1 broadsheet"]
    assert request.values("CDN-Loop") == [f"b, {proxy.token}"]


@pytest.mark.parametrize(
    ("keep_host", "host", "value"),
    [
        (True, "example.org:81", "example.org:81"),
        (True, None, "127.0.0.1:PORT"),
        (True, "", "127.0.0.1:PORT"),
        (False, "example.org", "127.0.0.1:PORT"),
    ],
)
def test_the_host_is_the_clients_or_the_origins(
    origin: RawOrigin, port: int, *, keep_host: bool, host: str | None, value: str
) -> None:
    """Credentials in the origin's URL are not part of it."""
    proxy = Proxy(f"http://user:word@127.0.0.1:{port}", timeout=TIMEOUT, keep_host=keep_host)
    request = send_request(origin, proxy, HTTP_HOST=host)
    assert request.values("Host") == [value.replace("PORT", str(port))]


TARGETS: list[tuple[str, str, str, str, bool, str]] = [
    ("", "", "/", "", False, "/"),
    ("", "", "", "", False, "/"),
    ("", "", "", "a", False, "/?a"),
    ("", "", "/a", "b=c&d", False, "/a?b=c&d"),
    ("", "/mount", "/a", "", False, "/mount/a"),
    ("/base", "", "/a", "b", False, "/base/a?b"),
    ("/base/", "", "/a", "", False, "/base/a"),
    ("/base", "", "", "", False, "/base"),
    ("", "", "/a b/\xc3\xa9%?;:@&=+$,!'()*~-._", "", False, "/a%20b/%C3%A9%25%3F;:@&=+$,!'()*~-._"),
    ("", "", "/a%2Fb%25", "", True, "/a%2Fb%25"),
    ("", "", "/a%2Fb%25", "", False, "/a%252Fb%2525"),
    ("", "", "/", "a=\xc3\xa9&b=%C3%A9", False, "/?a=%C3%A9&b=%C3%A9"),
    ("", "", "/", "a b\x01\x7f", False, "/?a%20b%01%7F"),
    ("", "", "/", "[]{}|^`<>\"'\\#?/:@!$*()~", False, "/?[]{}|^`<>\"'\\#?/:@!$*()~"),
]


@pytest.mark.parametrize(("base", "script", "path", "query", "encoded", "target"), TARGETS)
def test_a_target_is_forwarded_unchanged(
    origin: RawOrigin,
    port: int,
    base: str,
    script: str,
    path: str,
    *,
    query: str,
    encoded: bool,
    target: str,
) -> None:
    """Only bytes that a target can't contain are percent-encoded."""
    proxy = Proxy(f"http://127.0.0.1:{port}{base}", timeout=TIMEOUT, encoded=encoded)
    request = send_request(origin, proxy, SCRIPT_NAME=script, PATH_INFO=path, QUERY_STRING=query)
    assert request.line == f"GET {target} HTTP/1.1"


BODIES: list[tuple[dict[str, Any], bytes, list[str], list[str]]] = [
    ({}, b"", [], []),
    ({"CONTENT_LENGTH": ""}, b"", [], []),
    ({"CONTENT_LENGTH": "0"}, b"", ["0"], []),
    ({"CONTENT_LENGTH": "4"}, b"page", ["4"], []),
    ({"CONTENT_LENGTH": "004"}, b"page", ["4"], []),
    ({"HTTP_TRANSFER_ENCODING": "chunked"}, b"page", [], ["chunked"]),
    ({"HTTP_TRANSFER_ENCODING": " Chunked "}, b"", [], ["chunked"]),
    ({"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": "2"}, b"page", [], ["chunked"]),
    ({"CONTENT_LENGTH": "200000"}, b"x" * 200_000, ["200000"], []),
    ({"CONTENT_LENGTH": "3"}, b"page", ["3"], []),
]


@pytest.mark.parametrize(("changes", "body", "lengths", "codings"), BODIES)
def test_a_body_is_forwarded_with_one_framing(
    origin: RawOrigin,
    port: int,
    changes: dict[str, Any],
    body: bytes,
    *,
    lengths: list[str],
    codings: list[str],
) -> None:
    """Chunks or a length, never both; of a longer body only the announced bytes are read."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    request = send_request(
        origin,
        proxy,
        REQUEST_METHOD="POST",
        CONTENT_TYPE="text/x",
        **{"wsgi.input": BytesIO(body), **changes},
    )
    assert request.body == (body[: int(lengths[0])] if lengths else body)
    assert request.values("Content-Length") == lengths
    assert request.values("Transfer-Encoding") == codings
    assert request.values("Content-Type") == ["text/x"]


class BrokenInput:
    """A request body that the server can't read: a bad chunk, or a client that has gone."""

    def read(self, _size: int = -1) -> bytes:
        """Raise an exception that only the server knows."""
        raise RuntimeError("Invalid chunk size")


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "another coding": (
        {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        "The request has a transfer coding other than chunked.",
    ),
    **{
        f"length {length!r}": (
            {"CONTENT_LENGTH": length},
            "The Content-Length of the request is not a number.",
        )
        for length in ("+4", "-4", "4_0", "0x4", "4, 4", " 4", "\xb2", "four")
    },
    "a short body": (
        {"CONTENT_LENGTH": "5", "wsgi.input": BytesIO(b"page")},
        "The body of the request is shorter than its Content-Length.",
    ),
    "a broken body": (
        {"CONTENT_LENGTH": "5", "wsgi.input": BrokenInput()},
        "The body of the request can't be read.",
    ),
    "a broken chunk": (
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BrokenInput()},
        "The body of the request can't be read.",
    ),
    "a bad method": (
        {"REQUEST_METHOD": "GET /a HTTP/1.1\r\nX-A:"},
        "The request can't be forwarded: method can't contain control characters.",
    ),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD.values(), ids=BAD)
def test_a_request_that_can_not_be_forwarded_is_a_400(
    origin: RawOrigin, port: int, changes: dict[str, Any], sentence: str
) -> None:
    """The client made the mistake, not the origin; Cache-Status says so."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    environ = {**environ_for(get(method="POST")), **changes}
    line, body, finding = forward(proxy, environ)
    assert (line, finding) == ("400 Bad Request", "bad-request")
    assert body.decode().startswith(sentence[:-1])
    assert not [request for request in origin.requests if request.body == b"page "]


def test_a_loop_is_a_508(origin: RawOrigin, port: int, caplog: pytest.LogCaptureFixture) -> None:
    """By the own token, or by a connection to the server that has received the request."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    own = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": str(port)}
    for changes, finding in (({"HTTP_CDN_LOOP": proxy.token}, None), (own, "loop")):
        environ = {**environ_for(get()), **changes}
        line, _, reason = forward(proxy, environ)
        assert (line, reason) == ("508 Loop Detected", finding)
    assert origin.requests == []
    assert caplog.text.count("gateway.loop") == 2


def test_a_port_without_a_server_is_a_502(caplog: pytest.LogCaptureFixture) -> None:
    """The log has the error."""
    proxy = Proxy(f"http://127.0.0.1:{free_port()}", timeout=TIMEOUT)
    line, body, finding = forward(proxy, environ_for(get()))
    assert (line, finding) == ("502 Bad Gateway", "origin-unreachable")
    assert body == b"The origin could not be reached.\n"
    assert "proxy.origin_failed: the client gets a 502" in caplog.text


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"]
)
def test_an_origin_that_is_silent_is_a_504(head: bytes) -> None:
    """Before its head, within it, and before its body."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:

        def serve() -> None:
            link, _ = silent.accept()
            with link:
                link.sendall(head)
                while link.recv(65_536):
                    """Wait until the proxy closes the connection."""

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        proxy = Proxy(address, timeout=timedelta(milliseconds=100))
        line, body, finding = forward(proxy, environ_for(get()))
        assert (line, finding) == ("504 Gateway Timeout", "origin-timeout")
        assert body == b"The origin did not answer in time.\n"
        thread.join(10)
        assert not thread.is_alive()


def test_an_https_origin_gets_a_tls_handshake() -> None:
    """A server that does not speak TLS is a 502; the request is not sent in clear text."""
    data: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            link, _ = server.accept()
            with link:
                data.append(link.recv(65_536))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        proxy = Proxy(f"https://127.0.0.1:{server.getsockname()[1]}", timeout=TIMEOUT)
        line, _, finding = forward(proxy, environ_for(get()))
        thread.join(10)
    assert (line, finding) == ("502 Bad Gateway", "origin-unreachable")
    assert data[0][:1] == b"\x16"


def test_a_mistake_of_the_program_is_no_502(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server reports it as its own error, with a traceback."""
    proxy = Proxy(f"http://127.0.0.1:{port}", timeout=TIMEOUT)
    monkeypatch.setattr(proxy, "_target", lambda _environ: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        forward(proxy, environ_for(get()))
