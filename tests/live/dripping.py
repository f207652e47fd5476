"""Slow senders: many connections that each send a byte a second, and reconnect when closed."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType

_HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_FIELDS = b"X-Filler: " + b"a" * 4000
SENDERS: Mapping[str, tuple[bytes, bytes]] = MappingProxyType(
    {
        "heads": (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", _FIELDS),
        "nothing but a line": (b"", b"GET / HTTP/1.1\r\n" * 9),
        "small bodies": (_HEAD % b"/" + b"Content-Length: 100\r\n\r\n", b"a" * 100),
        "large bodies": (
            _HEAD % b"/" + b"Content-Length: 1000000\r\n\r\n" + b"a" * 60000,
            b"a" * 99,
        ),
        "bodies of a refused POST": (
            _HEAD % b"/nowhere" + b"Content-Length: 5000\r\n\r\n",
            b"a" * 99,
        ),
        "chunks": (_HEAD % b"/" + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 99),
        "a GET with a body": (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n",
            b"a" * 99,
        ),
    }
)
"""What each kind sends at once, and what it then sends byte by byte."""


class _Sender:
    def __init__(self, port: int, start: bytes, rest: bytes) -> None:
        self._port, self._start, self._rest = port, start, rest
        self._link: socket.socket | None = None
        self._sent_bytes = 0

    def send(self) -> None:
        """Send one byte more; connect first where there is no connection."""
        try:
            if self._link is None:
                self._link = socket.create_connection(("127.0.0.1", self._port), timeout=1)
                self._link.sendall(self._start)
                self._link.settimeout(0)
                self._sent_bytes = 0
            self._link.send(self._rest[self._sent_bytes % len(self._rest) :][:1])
            self._sent_bytes += 1
            with suppress(BlockingIOError):
                if not self._link.recv(4096):
                    self.close()
        except OSError:
            self.close()

    def close(self) -> None:
        """End the connection."""
        if self._link is not None:
            self._link.close()
            self._link = None


@contextmanager
def dripping(port: int, kind: str, *, count: int, interval: float = 1.0) -> Iterator[None]:
    """Have so many senders of this kind at work."""
    senders = [_Sender(port, *SENDERS[kind]) for _ in range(count)]
    for sender in senders:
        sender.send()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(interval):
            for sender in senders:
                sender.send()

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for sender in senders:
            sender.close()


def durations(request: Callable[[], object], *, count: int) -> list[float]:
    """The seconds that each of so many requests took."""
    seconds = []
    for _ in range(count):
        began = time.monotonic()
        request()
        seconds.append(time.monotonic() - began)
    return seconds
