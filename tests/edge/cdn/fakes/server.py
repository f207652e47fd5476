"""A server on loopback that runs a fake API and can fail call by call."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, parse_qs, urlsplit

from app.edge.cdn import PurgeTarget
from app.edge.testing import Ending, FrozenClock


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeRequest:
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
class FakeResponse:
    """One response."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def json_response(status: int, what: object, **headers: str) -> FakeResponse:
    """Return a JSON response; write header names with underscores."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    fields["Content-Type"] = "application/json"
    return FakeResponse(status=status, headers=fields, body=json.dumps(what).encode())


class FakeServer:
    """Responds with `answer`, unless a fault is next; "drip" sends headers without an end."""

    def __init__(self) -> None:
        self.requests: list[FakeRequest] = []
        self.faults: deque[Ending] = deque()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port of the server."""
        port: int = self._http.server_address[1]
        return port

    @property
    def url(self) -> str:
        """The base URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    def secure(self, context: ssl.SSLContext) -> None:
        """Use TLS from now on."""
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Handle a request; each fake implements this."""
        raise NotImplementedError

    def reply(self, request: FakeRequest) -> FakeResponse | Ending:
        """Handle the request, fail, or both."""
        with self.lock:
            self.requests.append(request)
            if not self.faults:
                return self.answer(request)
            fault = self.faults.popleft()
            if fault.acts:
                self.answer(request)
            return fault

    def ends(self, ending: Ending) -> None:
        """Add an ending for the next call that has none yet."""
        self.faults.append(ending)

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


class FakeEdge(FakeServer):
    """A fake edge with a small cache, so that a test can see what a purge removes."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = FrozenClock()
        self.pages: dict[str, str] = {}
        self.stale: set[str] = set()

    def store(self, target: PurgeTarget) -> None:
        """Store a page."""
        self.pages[target.url] = target.tag
        self.stale.discard(target.url)

    def keeps(self, target: PurgeTarget) -> bool:
        """Return whether the page would be served without a request to the origin."""
        return target.url in self.pages and target.url not in self.stale

    def is_served_stale(self, target: PurgeTarget) -> bool:
        """Return whether the page would be served while the origin fails."""
        return target.url in self.pages

    def forget(self, urls: Iterable[str], *, soft: bool = False) -> None:
        """Purge pages: remove them, or with `soft` mark them stale."""
        for url in list(urls):
            if soft and url in self.pages:
                self.stale.add(url)
            else:
                self.pages.pop(url, None)

    def urls_with_tags(self, tags: Iterable[str]) -> list[str]:
        """The pages that carry one of these tags; case does not matter."""
        lower_tags = {tag.lower() for tag in tags}
        return [url for url, tag in self.pages.items() if tag.lower() in lower_tags]

    def begin(self) -> None:
        """Reset the fake for the next test."""
        with self.lock:
            self.requests.clear()
            self.faults.clear()
            self.pages.clear()
            self.stale.clear()
            self.clock.at = FrozenClock().at
            self.refill()

    def refill(self) -> None:
        """Restore the full quota."""


class Bucket:
    """A token bucket that a fake counts calls with."""

    def __init__(self, clock: FrozenClock, *, per_second: float, burst: float) -> None:
        self._clock, self._rate, self._burst = clock, per_second, burst
        self.refill()

    def refill(self) -> None:
        """Fill the bucket."""
        self._level, self._at = self._burst, self._clock.timestamp()

    def take(self, count: float = 1) -> bool:
        """Take tokens, if there are as many."""
        now = self._clock.timestamp()
        self._level = min(self._level + (now - self._at) * self._rate, self._burst)
        self._at = now
        if self._level + 1e-6 < count:
            return False
        self._level -= count
        return True


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    owner: FakeServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore clients that disconnect."""


class _Handler(BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        request = FakeRequest(
            method=self.command,
            target=self.path,
            headers=self.headers,
            body=self.rfile.read(length),
        )
        reply = self.server.owner.reply(request)
        if isinstance(reply, Ending) and reply.how:
            self.close_connection = True
            getattr(self, f"_{reply.how}")()
            return
        default_headers = {"Server": "fake", "Date": self.date_time_string()}
        self.send_response_only(reply.status)
        for name, value in {**default_headers, **reply.headers}.items():
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
