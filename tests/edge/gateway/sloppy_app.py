"""A WSGI application that breaks PEP 3333 in the ways of a table, behind a gateway, for gunicorn.

The last segment of a path selects the row; the first request of a path breaks the rule, and each
later one gets a valid page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.edge.gateway import Gateway, MemoryStore, Options

if TYPE_CHECKING:
    from collections.abc import Iterable

HELLO = b"hello"
#: What a row sends: the status line, its header list and its body. All of it may be kept.
Row = tuple[str, list[tuple[str, str]], list[bytes]]
LENGTHS: dict[str, Row] = {
    "too-short": ("200 OK", [("Content-Length", "100")], [HELLO]),
    "too-short-in-parts": ("200 OK", [("Content-Length", "100")], [b"hel", b"", b"lo"]),
    "empty": ("200 OK", [("Content-Length", "100")], []),
    "too-long": ("200 OK", [("Content-Length", "5")], [HELLO, b"HTTP/1.1 200 OK\r\n\r\n"]),
    "too-long-in-one": ("200 OK", [("Content-Length", "5")], [b"helloHTTP/1.1 200 OK\r\n\r\n"]),
    "differing": ("200 OK", [("Content-Length", "5"), ("content-length", "100")], [HELLO]),
    "listed": ("200 OK", [("Content-Length", "5, 100")], [HELLO]),
    "no-number": ("200 OK", [("Content-Length", "five")], [HELLO]),
    "beside-chunks": (
        "200 OK",
        [("Content-Length", "100"), ("Transfer-Encoding", "chunked")],
        [HELLO],
    ),
    "a-204": ("204 No Content", [("Content-Length", "5")], [HELLO]),
    "a-304": ("304 Not Modified", [("Content-Length", "5")], [HELLO]),
}
FIELDS: dict[str, Row] = {
    "nul": ("200 OK", [("X-A", "a\x00b")], [HELLO]),
    "newline": ("200 OK", [("X-A", "a\nSet-Cookie: b=c")], [HELLO]),
    "carriage-return": ("200 OK", [("X-A", "a\rb")], [HELLO]),
    "crlf": ("200 OK", [("X-A", "a\r\nX-B: c")], [HELLO]),
    "bell": ("200 OK", [("X-A", "\x07")], [HELLO]),
    "delete": ("200 OK", [("X-A", "a\x7f")], [HELLO]),
    "not-latin-1": ("200 OK", [("X-A", "100 \u20ac")], [HELLO]),
    "space-in-name": ("200 OK", [("X A", "b")], [HELLO]),
    "colon-in-name": ("200 OK", [("X-A:", "b")], [HELLO]),
    "no-name": ("200 OK", [("", "b")], [HELLO]),
    "accent-in-name": ("200 OK", [("X-\xe9", "b")], [HELLO]),
    "reason": ("200 O\nK", [], [HELLO]),
    "etag": ("200 OK", [("ETag", '"a\x00"')], [HELLO]),
    "tag-of-an-edge": ("200 OK", [("Content-Language", "de\x1b")], [HELLO]),
}
ROWS = LENGTHS | FIELDS
_requested_paths: set[str] = set()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Break a rule once per path, in one of three ways to write a body."""
    path = environ["PATH_INFO"]
    way, _, row = path.rpartition("/")
    if path in _requested_paths or row not in ROWS:
        start_response("200 OK", [("Content-Length", "4"), ("Cache-Control", "max-age=3600")])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"page"]
    _requested_paths.add(path)
    status, headers, body = ROWS[row]
    headers = [*headers, ("Cache-Control", "max-age=3600")]
    if way.endswith("generator"):
        return _generated(start_response, status, headers, body)
    write = start_response(status, headers)
    if way.endswith("write"):
        for chunk in body:
            write(chunk)
        return []
    return body


def _generated(
    start_response: Any, status: str, headers: list[tuple[str, str]], body: list[bytes]
) -> Iterable[bytes]:
    start_response(status, headers)
    yield from body


gateway = Gateway(application, store=MemoryStore(), options=Options())
