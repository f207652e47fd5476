"""A server on loopback whose answers a test writes; it can be told to misbehave, call by call."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, parse_qs, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Message
    body: bytes

    @property
    def url(self) -> SplitResult:
        """The target's parts."""
        return urlsplit(self.target)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return {name: values[-1] for name, values in parse_qs(self.url.query).items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; `how` may be "reset" (cut off), "late" (none at all) or "drip" (without end)."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = ""


class Server:
    """Answers with `answer`; `faults` go first, one a call, and with `acts` after acting."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: deque[tuple[Reply, bool]] = deque()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._http.server_address[1]
        return port

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def answer(self, asked: Asked) -> Reply:
        """Act on a request; each fake has its own way."""
        raise NotImplementedError

    def reply(self, asked: Asked) -> Reply:
        """Act, misbehave, or both."""
        with self.lock:
            self.asked.append(asked)
            if not self.faults:
                return self.answer(asked)
            fault, acts = self.faults.popleft()
            if acts:
                self.answer(asked)
            return fault

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    owner: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        asked = Asked(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=self.rfile.read(length),
        )
        reply = self.server.owner.reply(asked)
        if reply.how:
            self.close_connection = True
            getattr(self, f"_{reply.how}")()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _late(self) -> None:
        self.server.owner.stopped.wait(10)

    def _drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.owner.stopped.wait(0.05):
            self.wfile.write(b"X: y\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_PURGE = do_BAN = _any  # noqa: N815 - as http.server calls them
