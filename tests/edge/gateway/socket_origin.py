"""The same table over real HTTP: an origin that writes bytes, the proxy, the gateway, a client."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from app.edge.gateway.proxy import Proxy
from tests.edge.gateway.scripted_origin import (
    Origin,
    Pair,
    Received,
    ScriptedResponse,
    Stage,
    Step,
    says,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "example.org"


class WireOrigin(Origin):
    """An origin that writes scripted bytes; interim responses precede each response."""

    raw: bytes | None = None
    interim: bytes = b""

    def handle(self, connection: socket.socket) -> None:
        """Answer one request and close."""
        with connection, connection.makefile("rb") as stream:
            line = stream.readline().decode("latin-1")
            if not line:
                return
            method, target, _ = line.split(" ", 2)
            headers = http.client.parse_headers(stream)
            stream.read(int(headers.get("Content-Length", "0")))
            connection.sendall(self.interim + self.answer(method, target, headers.items()))

    def answer(self, method: str, target: str, headers: Any) -> bytes:
        """Return the bytes of the next response, and record the request."""
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers}
        with self.lock:
            self.environs.append({**environ, "REQUEST_METHOD": method, "target": target})
            answer = self.script.pop(0) if self.script else says(b"unasked", status=599)
        self.clock.now += answer.takes
        if answer.fails:
            return b""
        if self.raw is not None:
            return self.raw
        return wire(answer, self.head(answer), head_only=method == "HEAD")


def wire(answer: ScriptedResponse, pairs: list[Pair], *, head_only: bool) -> bytes:
    """Build a response; one without a length ends with its connection."""
    bodiless = head_only or answer.status in {204, 304}
    lines = [f"HTTP/1.1 {answer.status} Scripted", *(f"{name}: {value}" for name, value in pairs)]
    body = b"" if bodiless else answer.body
    if answer.breaks:
        lines.append(f"Content-Length: {len(body) + 10}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body


class _Quiet(WSGIRequestHandler):
    """A handler without logging and name lookups."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is inherited
        """Log nothing."""

    def address_string(self) -> str:
        return "127.0.0.1"


class _Threaded(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: the client notices it."""


class _OriginServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[int]:
    """Serve in a thread; yield the port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]  # type: ignore[misc,index,unused-ignore] # both are on TCP
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class WireStage(Stage):
    """A gateway in front of the proxy in front of an origin, all on loopback."""

    origin: WireOrigin

    def __init__(self, port: int, origin: WireOrigin, **more: Any) -> None:
        proxy = Proxy(f"http://127.0.0.1:{port}", timeout=timedelta(seconds=5))
        super().__init__(app=proxy, **more)
        origin.clock = self.clock
        self.origin = origin
        self.origin_port = port
        self.port = 0

    def ask(self, step: Step) -> Received:
        """Send the request of a step over a separate connection."""
        path, mark, query = step.target.partition("?")
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Host": HOST, **step.headers}
        target = quote(path.encode("latin-1")) + mark + query
        try:
            link.putrequest(step.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                link.putheader(name, value)
            if step.content:
                link.putheader("Content-Length", str(len(step.content)))
            link.endheaders(step.content or None)
            answer = link.getresponse()
            try:
                body = answer.read()
            except http.client.IncompleteRead as error:
                body = error.partial
        finally:
            link.close()
        pairs = tuple((name, value) for name, value in answer.getheaders())
        return Received(status=answer.status, headers=pairs, body=body)


@contextmanager
def wired(**more: Any) -> Iterator[WireStage]:
    """Start an origin and a gateway in front of it."""
    origin = WireOrigin(clock=lambda: 0)  # type: ignore[arg-type] # the stage gives it its clock

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            origin.handle(self.request)

    with running(_OriginServer(("127.0.0.1", 0), Handler)) as origin_port:
        stage = WireStage(origin_port, origin, **more)
        server = _Threaded(("127.0.0.1", 0), _Quiet)
        server.set_app(stage.gateway)
        with running(server) as port:
            stage.port = port
            yield stage


def wait_for(port: int) -> None:
    """Wait until a server listens on the port."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("The command did not start to listen.")
