"""The security headers of every response, whoever made it: a view, the gateway, an error.

What a view has set itself stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Any

CONTENT_SECURITY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; manifest-src 'self'; "
    "media-src 'self'; script-src 'self'; style-src 'self'"
)
"""Everything comes from the site itself; nothing is inline, nobody may frame it."""

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
)

ALWAYS = (
    ("Content-Security-Policy", CONTENT_SECURITY),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", PERMISSIONS),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
)

SECURE_TRANSPORT = (
    "Strict-Transport-Security",
    f"max-age={timedelta(days=365).total_seconds():.0f}",
)

SHARED_TYPES = ("image/", "audio/", "video/", "application/atom+xml", "application/feed+json")
"""What other sites may embed: a feed, and the pictures in it, are read elsewhere."""

Headers = list[tuple[str, str]]
_SAME_ORIGIN = ("Cross-Origin-Resource-Policy", "same-origin")
_CROSS_ORIGIN = ("Cross-Origin-Resource-Policy", "cross-origin")
_ALWAYS = tuple((name.lower(), (name, value)) for name, value in ALWAYS)


def missing(status: str, headers: Headers, *, secure: bool) -> Headers:
    """The headers that this response still needs."""
    names, values = zip(*headers, strict=True) if headers else ((), ())
    found, typed = _lacking(names, secure=secure)
    # A 304 names no type, and what it says replaces what the reader has stored.
    if typed is None or status.startswith("304"):
        return list(found)
    shared = typed >= 0 and values[typed].startswith(SHARED_TYPES)
    return [*found, _CROSS_ORIGIN if shared else _SAME_ORIGIN]


@lru_cache(maxsize=512)
def _lacking(names: tuple[str, ...], *, secure: bool) -> tuple[Headers, int | None]:
    """The lacking headers, remembered since responses are of few kinds, and where the type is.

    None for the type where it does not matter, -1 where there is none.
    """
    present = {name.lower(): place for place, name in enumerate(names)}
    found = [header for name, header in _ALWAYS if name not in present]
    if secure and "strict-transport-security" not in present:
        found.append(SECURE_TRANSPORT)
    said = "cross-origin-resource-policy" in present
    return found, None if said else present.get("content-type", -1)


class SecurityHeaders:
    """The outermost layer: adds to each response what is missing."""

    def __init__(self, wsgi: Callable[..., Any]) -> None:
        self.wsgi = wsgi

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on, and complete the headers of its response."""

        def start(status: str, headers: Headers, *exc_info: Any) -> Any:
            secure = environ.get("wsgi.url_scheme") == "https"
            more = missing(status, headers, secure=secure)
            return start_response(status, [*headers, *more], *exc_info)

        found: Iterable[bytes] = self.wsgi(environ, start)
        return found
