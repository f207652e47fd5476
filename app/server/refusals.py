"""The server's own error responses: every one is `no-store` and has the security headers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from app.middleware import security_headers

_TYPE: Final = ("Content-Type", "text/plain; charset=utf-8")
_NEVER_STORED: Final = ("Cache-Control", "no-store")


def refusal(status: HTTPStatus, sentence: str) -> bytes:
    """Return a whole response after which the connection is closed."""
    body = f"{sentence}\n".encode()
    headers = [
        ("Connection", "close"),
        _NEVER_STORED,
        _TYPE,
        ("Content-Length", str(len(body))),
        *([("Retry-After", "5")] if status is HTTPStatus.SERVICE_UNAVAILABLE else []),
        *security_headers.missing_headers(str(status.value), [_TYPE], secure=False),
    ]
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{n}: {v}" for n, v in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + body


class RefusingSocket:
    """The socket on which gunicorn writes an error response of its own."""

    headers = security_headers.missing_headers("400", [("Content-Type", "text/html")], secure=False)

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """Send the response with `no-store` and the security headers added."""
        status, _, rest = data.partition(b"\r\n")
        lines = [f"{name}: {value}".encode() for name, value in [_NEVER_STORED, *self.headers]]
        self._client.sendall(b"\r\n".join([status, *lines, rest]))
