"""Raw HTTP for tests: an origin that reads requests strictly, and a client that repairs nothing."""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.edge.gateway.socket_origin import running, wait_for
from tests.live.run_folder import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO, Self

ROOT = Path(__file__).parents[3]
PATIENCE = 10.0
"""Seconds that a client waits for the next byte."""


@dataclass(frozen=True, kw_only=True)
class RawRequest:
    """One request as the origin reads it, with its original header lines."""

    line: str
    lines: tuple[str, ...]
    body: bytes

    @property
    def target(self) -> str:
        """Return the request target."""
        return self.line.split(" ")[1]

    def values(self, name: str) -> list[str]:
        """Return the values of all lines of one field."""
        pairs = [line.partition(":") for line in self.lines]
        return [value.strip() for key, _, value in pairs if key.lower() == name.lower()]


def read_request(stream: BinaryIO) -> RawRequest | None:
    """Read one request by RFC 9112; return None at the end of the connection."""
    line = stream.readline().decode("latin-1").rstrip("\r\n")
    if not line:
        return None
    lines: list[str] = []
    while (text := stream.readline().decode("latin-1")) not in {"\r\n", "\n", ""}:
        lines.append(text.rstrip("\r\n"))
    head = RawRequest(line=line, lines=tuple(lines), body=b"")
    if head.values("Transfer-Encoding"):
        body = _read_chunks(stream)
    else:
        body = stream.read(int((head.values("Content-Length") or ["0"])[0]))
    return RawRequest(line=line, lines=head.lines, body=body)


def _read_chunks(stream: BinaryIO) -> bytes:
    body = b""
    while size := int(stream.readline().split(b";")[0], 16):
        body += stream.read(size)
        stream.readline()
    while stream.readline() not in {b"\r\n", b""}:
        """A trailer."""
    return body


@dataclass
class RawOrigin:
    """Answers each request with the scripted bytes for its path, or with a page.

    It keeps connections open, so that bytes after one request are read as the next request.
    """

    script: dict[str, bytes] = field(default_factory=dict)
    requests: list[RawRequest] = field(default_factory=list)

    def handle(self, connection: socket.socket) -> None:
        """Answer the requests of one connection."""
        with connection, connection.makefile("rb") as stream:
            while (request := read_request(stream)) is not None:
                self.requests.append(request)
                path = request.target.partition("?")[0]
                response = self.script.get(path, page(b"unscripted", "Cache-Control: no-store"))
                connection.sendall(response)
                if not _ends_by_itself(response, request.line.split(" ")[0]):
                    return

    def count(self, path: str) -> int:
        """Return the number of requests for a path."""
        return sum(request.target.partition("?")[0] == path for request in self.requests)


def _ends_by_itself(response: bytes, method: str) -> bool:
    """Return whether a client can find the end of these bytes, so that the connection can stay open."""
    head, _, body = response.partition(b"\r\n\r\n")
    return method != "HEAD" and b"\r\nContent-Length: %d" % len(body) in head


def page(body: bytes = b"page", *lines: str | bytes, status: str = "200 OK") -> bytes:
    """Build a response; add the right Content-Length if the lines contain none."""
    head = [f"HTTP/1.1 {status}".encode("latin-1")]
    head += [line.encode("latin-1") if isinstance(line, str) else line for line in lines]
    if not any(line.lower().startswith((b"content-length", b"transfer-enc")) for line in head):
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*head, b"", body])


@dataclass(frozen=True, kw_only=True)
class RawResponse:
    """One response as a strict client reads it."""

    status: int
    lines: tuple[str, ...]
    body: bytes
    complete: bool

    def value(self, name: str) -> str | None:
        """Return all lines of one field, joined; None if there is none."""
        pairs = [line.partition(":") for line in self.lines]
        values = [value.strip() for key, _, value in pairs if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def cache(self) -> str:
        """Return the gateway's Cache-Status of the response."""
        return (self.value("Cache-Status") or "").rpartition("broadsheet; ")[2]


class RawClient:
    """One connection; sends bytes unchanged and reads responses by RFC 9112."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._stream = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def end(self) -> None:
        """Shut down the sending direction."""
        self._socket.shutdown(socket.SHUT_WR)

    def try_ask(self, path: str) -> None:
        """Send one more request; ignore an error if the server has closed the connection."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.send(f"GET {path} HTTP/1.1\r\nHost: example.org\r\n\r\n".encode())

    def read(self, method: str = "GET") -> RawResponse | None:
        """Read the next response; return None if the server has closed the connection."""
        try:
            line = self._stream.readline().decode("latin-1")
        except ConnectionResetError:
            return None
        if not line:
            return None
        assert line.startswith(("HTTP/1.1 ", "HTTP/1.0 ")), f"This is no response: {line!r}"
        lines: list[str] = []
        while (text := self._stream.readline().decode("latin-1")) not in {"\r\n", ""}:
            lines.append(text.rstrip("\r\n"))
        head = RawResponse(status=int(line[9:12]), lines=tuple(lines), body=b"", complete=True)
        body, complete = self._body(head, method)
        return RawResponse(status=head.status, lines=head.lines, body=body, complete=complete)

    def _body(self, head: RawResponse, method: str) -> tuple[bytes, bool]:
        if method == "HEAD" or head.status in {204, 304}:
            return b"", True
        length = head.value("Content-Length")
        if head.value("Transfer-Encoding") is not None:
            assert length is None, "Content-Length beside Transfer-Encoding"
            return self._chunks()
        if length is None:
            return self._stream.read(), True
        body = self._stream.read(int(length))
        return body, len(body) == int(length)

    def _chunks(self) -> tuple[bytes, bool]:
        body = b""
        while (line := self._stream.readline()) and (size := int(line, 16)):
            body += self._stream.read(size)
            self._stream.readline()
        self._stream.readline()
        return body, bool(line)

    def ask(
        self, path: str, *lines: str, method: str = "GET", host: str = "example.org"
    ) -> RawResponse:
        """Send one request without a body on this connection and read its response."""
        head = "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines, "", ""])
        self.send(head.encode("latin-1"))
        response = self.read(method)
        assert response is not None, "The server closed the connection without a response."
        return response


def ask(port: int, path: str, *lines: str, method: str = "GET") -> RawResponse:
    """Send one request over a connection of its own."""
    with RawClient(port) as client:
        return client.ask(path, *lines, "Connection: close", method=method)


@contextmanager
def serving(origin: RawOrigin) -> Iterator[int]:
    """Serve an origin; yield its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            origin.handle(self.request)

    class RawServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 64

        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore a client that closes its connection."""

    with running(RawServer(("127.0.0.1", 0), Handler)) as port:
        yield port


def free_port() -> int:
    """Return a port without a listening server."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def command(origin_port: int, *arguments: str, port: int | None = None) -> Iterator[int]:
    """Run `python -m app.edge.gateway` in front of an origin; yield its port."""
    port = free_port() if port is None else port
    address = f"http://127.0.0.1:{origin_port}"
    words = [sys.executable, "-m", "app.edge.gateway", address, "--port", str(port), *arguments]
    process = RUN.start(words, cwd=ROOT)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def at_once(port: int, path: str, count: int) -> list[RawResponse]:
    """Send several requests at the same time, each over a connection of its own."""
    responses: list[RawResponse] = []
    threads = [
        threading.Thread(target=lambda: responses.append(ask(port, path))) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return responses
