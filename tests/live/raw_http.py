"""HTTP as it goes over the wire: requests that no client library would send, answers as they came."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from werkzeug.datastructures import Headers

Pair = tuple[str, str]
PATIENCE = 20.0
"""Seconds that a test waits for an answer."""

OURS_AND_NOW = frozenset({"age", "cache-status", "connection", "date", "expires", "server"})
"""Fields that tell of one exchange, not of the page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; lines of one name are joined."""

    status: int
    headers: Headers
    body: bytes

    @property
    def page(self) -> tuple[int, frozenset[Pair], bytes]:
        """What every reader must get alike."""
        fields = ((name.lower(), value) for name, value in self.headers)
        lasting = frozenset(pair for pair in fields if pair[0] not in OURS_AND_NOW)
        return self.status, lasting, self.body

    @property
    def cache_status(self) -> str:
        """What the caches on the way said; empty when none did."""
        return self.headers.get("Cache-Status", "")


def request(
    target: str | bytes,
    *lines: str | bytes,
    method: str | bytes = "GET",
    host: str | bytes | None = "127.0.0.1",
    version: str = "HTTP/1.1",
    content: bytes = b"",
    close: bool = True,
) -> bytes:
    """The bytes of a request; each line is written as it is, and the connection ends with it if it is to close."""
    head = [_bytes(method) + b" " + _bytes(target) + b" " + version.encode()]
    if host is not None:
        head.append(b"Host: " + _bytes(host))
    if close:
        head.append(b"Connection: close")
    head += [*map(_bytes, lines), b"", content]
    return b"\r\n".join(head)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("latin-1") if isinstance(text, str) else text


def send(port: int, data: bytes) -> bytes:
    """Everything that a server says to these bytes until it hangs up."""
    data_received = b""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as link:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may refuse before it heard all
            link.sendall(data)
        with suppress(ConnectionResetError):
            while part := link.recv(65536):
                data_received += part
    return data_received


def answers(data: bytes, *, method: str = "GET") -> list[Answer]:
    """The answers in a stream, interim ones left out."""
    stream = BytesIO(data)
    parsed: list[Answer] = []
    while stream.tell() < len(data):
        reply = http.client.HTTPResponse(_Recorded(stream), method=method)  # type: ignore[arg-type] # it needs makefile() alone
        reply.begin()
        parsed.append(
            Answer(
                status=reply.status, headers=_join_headers(reply.getheaders()), body=reply.read()
            )
        )
    return parsed


class _Recorded:
    def __init__(self, stream: BytesIO) -> None:
        self._stream = stream

    def makefile(self, *_: Any) -> Any:
        return _Unclosed(self._stream)


class _Unclosed:
    """A stream of which a response reads its part, and then lets the next one read."""

    def __init__(self, stream: BytesIO) -> None:
        self.read, self.readline, self.readinto = stream.read, stream.readline, stream.readinto

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Others go on reading."""


def _join_headers(pairs: Iterable[Pair]) -> Headers:
    headers: dict[str, str] = {}
    for name, value in pairs:
        name_in_use = next((key for key in headers if key.lower() == name.lower()), name)
        headers[name_in_use] = (
            f"{headers[name_in_use]}, {value}" if name_in_use in headers else value
        )
    return Headers(headers)


def exchange(port: int, data: bytes, *, method: str = "GET") -> Answer:
    """The one answer to one request."""
    received = send(port, data)
    assert received, f"No answer to {data[:200]!r}"
    return answers(received, method=method)[-1]


def ask(port: int, target: str, headers: Sequence[Pair] = (), *, method: str = "GET") -> Answer:
    """Ask as any client would."""
    lines = [f"{name}: {value}" for name, value in headers]
    return exchange(port, request(target, *lines, method=method), method=method)
