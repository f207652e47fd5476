"""Let scripts of every site read the API, feeds and downloads (CORS).

The header is the same for every origin, so no `Vary` is needed and caches store one response.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Headers = list[tuple[str, str]]

ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
EXPOSED = ("Access-Control-Expose-Headers", "*")
PREFLIGHT = (
    ANY_ORIGIN,
    ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
    ("Access-Control-Allow-Headers", "*"),
    ("Access-Control-Max-Age", "86400"),
    ("Cache-Control", "no-store"),
)
"""The answer to a preflight request: browsers ask before they send an unusual header."""

_OPEN = re.compile(
    r"/api(?:/.*)?|/downloads/.*|(?:/topics/[^/]+|/authors/[^/]+)?/feed\.(?:xml|rss|json)"
    r"|(?:/articles)?/[^/]+\.md|/llms\.txt",
    re.IGNORECASE | re.DOTALL,
)


def is_open(path: str) -> bool:
    """Tell whether scripts of other sites may read what is at a path, errors included.

    Other spellings count as well: a redirect without the header could not be followed.
    """
    return _OPEN.fullmatch(path.rstrip("/") or "/") is not None


def is_preflight(environ: dict[str, Any]) -> bool:
    """Tell whether a browser asks whether it may send another request."""
    asks = "HTTP_ORIGIN" in environ and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
    return asks and environ.get("REQUEST_METHOD") == "OPTIONS"


class CrossOrigin:
    """Adds the header to each response at an open path, and answers preflight requests."""

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        self.wsgi = wsgi

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a preflight request; pass any other one on."""
        if not is_open(environ.get("PATH_INFO", "")):
            return self.wsgi(environ, start_response)  # type: ignore[no-any-return]  # WSGI
        if is_preflight(environ):
            start_response("204 No Content", [*PREFLIGHT])
            return []

        def start(status: str, headers: Headers, *exc_info: Any) -> Any:
            others = [each for each in headers if each[0].lower() != ANY_ORIGIN[0].lower()]
            return start_response(status, [*others, ANY_ORIGIN, EXPOSED], *exc_info)

        response: Iterable[bytes] = self.wsgi(environ, start)
        return response
