"""Asking a WSGI app in this very process, with no client's cost around it."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def hit(self) -> bool:
        """Tell whether the gateway answered by itself."""
        return "; hit" in self.headers.get("cache-status", "")

    @property
    def stored(self) -> bool:
        """Tell whether the gateway kept it."""
        return "; stored" in self.headers.get("cache-status", "")

    @property
    def digest(self) -> bytes:
        """What a reader got, so short that many of them can be kept."""
        text = f"{self.status} {self.headers.get('location', '')}\n"
        return blake2b(text.encode() + self.body, digest_size=12).digest()


def environ(path: str) -> dict[str, Any]:
    """What a server hands over for a browser's GET."""
    path, _, query = path.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


BROWSER = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd"}
"""What a browser says of itself, as far as it matters here."""


class Visit:
    """A browser's visit of a page, up to its last byte, and what the server does after that."""

    def __init__(self, wsgi: Wsgi, path: str) -> None:
        self._wsgi = wsgi
        self._environ = {**environ(path), **BROWSER}
        self._parts: Iterable[bytes] = ()

    def read_page(self) -> None:
        """Ask, and read the response to its end."""
        self._parts = self._wsgi(self._environ, lambda *_: lambda _written: None)
        b"".join(self._parts)

    def end(self) -> None:
        """Tell the app that all is sent, as a server does."""
        getattr(self._parts, "close", bool)()


def ask(wsgi: Wsgi, path: str) -> Answer:
    """Ask for a path and read the response to its end."""
    calls: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Callable[..., None]:
        calls[:] = [status, headers]
        return lambda _written: None

    parts = wsgi(environ(path), start)
    try:
        body = b"".join(parts)
    finally:
        if hasattr(parts, "close"):
            parts.close()
    status = HTTPStatus(int(calls[0].split()[0]))
    return Answer(status=status, headers={k.lower(): v for k, v in calls[1]}, body=body)
