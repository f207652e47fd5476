"""An origin that a test steers: it says what it is told to, and remembers what it was asked."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

NORMAL = "max-age=3600"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer; `short` is how many bytes of its body are missing when the line goes dead."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"page"
    short: int = 0

    def to_bytes(self, method: str) -> bytes:
        """The bytes of the answer."""
        length = ("Content-Length", str(len(self.body) + self.short))
        lines = [f"{name}: {value}" for name, value in (*self.headers, length)]
        head = "\r\n".join([f"HTTP/1.1 {self.status} Said", *lines, "Connection: close", "", ""])
        bare = method == "HEAD" or self.status in {204, 304}
        return head.encode() + (b"" if bare else self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class Answering:
    """The origin's mind; whoever asks for a path that has no answer gets a plain page."""

    port: int = 0
    healthy: bool = True
    answers: dict[str, Said] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)

    def say(self, path: str, body: bytes = b"page", /, **fields: str | int) -> None:
        """Answer a path with this from now on; `cache_control="…"` is a header field."""
        status = int(fields.pop("status", 200))
        headers = tuple((name.replace("_", "-"), str(value)) for name, value in fields.items())
        self.answers[path] = Said(status=status, headers=headers, body=body)

    def of(self, path: str) -> list[Asked]:
        """The requests for a path, oldest first."""
        return [request for request in self.requests if request.target.partition("?")[0] == path]

    def answer(self, request: Asked) -> bytes:
        """What one request hears."""
        path = request.target.partition("?")[0]
        if path == "/healthz":
            return Said(status=200 if self.healthy else 503).to_bytes(request.method)
        self.requests.append(request)
        plain = Said(headers=(("Surrogate-Control", NORMAL), ("X-Accel-Expires", "3600")))
        return self.answers.get(path, plain).to_bytes(request.method)


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline().decode("latin-1")
        if not line:
            return
        method, target, _ = line.split(" ", 2)
        headers = {}
        while text := self.rfile.readline().strip().decode("latin-1"):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        self.rfile.read(int(headers.get("content-length", "0")))
        request = Asked(method=method, target=target, headers=headers)
        self.wfile.write(self.server.mind.answer(request))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, mind: Answering) -> None:
        super().__init__(("127.0.0.1", mind.port), _Handler)
        self.mind = mind


@contextmanager
def answering(port: int = 0) -> Iterator[Answering]:
    """Start an origin on loopback; it stops at the end."""
    mind = Answering(port=port)
    with _Server(mind) as server:
        mind.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield mind
        server.shutdown()
