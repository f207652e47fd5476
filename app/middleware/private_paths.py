"""Make every response below the private prefixes private: of views, errors and redirects.

It stands around all layers that answer, so that no layer and no view can forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.edge.flask.response import CACHE_HEADERS
from app.private_paths import is_private

Headers = list[tuple[str, str]]

PRIVATE_HEADERS = (("Cache-Control", "private, no-store"), ("X-Robots-Tag", "noindex"))

_REPLACED = CACHE_HEADERS | {name.lower() for name, _ in PRIVATE_HEADERS}
_NO_REFERRER = ("Referrer-Policy", "no-referrer")
_SAME_ORIGIN = ("Referrer-Policy", "same-origin")
"""The studio's: under `no-referrer`, browsers post a form with `Origin: null`."""


def make_private(headers: Headers, path: str) -> Headers:
    """Return the headers of a private response, without any field that lets a cache store it."""
    remaining = [(name, value) for name, value in headers if name.lower() not in _REPLACED]
    if any(name.lower() == "referrer-policy" for name, _ in remaining):
        return [*remaining, *PRIVATE_HEADERS]
    referrer = _SAME_ORIGIN if path.lower().lstrip("/").startswith("studio") else _NO_REFERRER
    return [*remaining, *PRIVATE_HEADERS, referrer]


class PrivatePaths:
    """Rewrites the caching headers of each response below the private prefixes."""

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        self.wsgi = wsgi

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on."""
        path = environ.get("PATH_INFO", "")

        def start(status: str, headers: Headers, *exc_info: Any) -> Any:
            return start_response(status, make_private(headers, path), *exc_info)

        response: Iterable[bytes] = self.wsgi(
            environ, start if is_private(path) else start_response
        )
        return response
