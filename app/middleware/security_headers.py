"""Add security headers to every response: of views, of the gateway, of errors.

A header that the view has set is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

CONTENT_SECURITY = (
    "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; manifest-src 'self'; "
    "media-src 'self'; script-src 'self'; style-src 'self'"
)
"""Everything is loaded from the site itself; nothing is inline; no site may frame a page."""

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
    ("X-Frame-Options", "DENY"),
)
"""The default headers; X-Frame-Options repeats `frame-ancestors` for browsers without CSP."""

SECURE_TRANSPORT = (
    "Strict-Transport-Security",
    f"max-age={timedelta(days=365).total_seconds():.0f}",
)
"""The header of a response over HTTPS."""

_FRAME_OPTIONS = {(): "DENY", ("'none'",): "DENY", ("'self'",): "SAMEORIGIN"}
"""The X-Frame-Options for the sources of a `frame-ancestors` directive."""

CROSS_ORIGIN_TYPES = (
    *("image/", "audio/", "video/"),
    *("application/atom+xml", "application/rss+xml", "application/feed+json"),
)
"""Content types that other sites may embed: feeds are read elsewhere, with their images."""

Headers = list[tuple[str, str]]
_SAME_ORIGIN = ("Cross-Origin-Resource-Policy", "same-origin")
_CROSS_ORIGIN = ("Cross-Origin-Resource-Policy", "cross-origin")
_ALWAYS = tuple((name.lower(), (name, value)) for name, value in ALWAYS)


def secure_transport(*, include_subdomains: bool) -> tuple[str, str]:
    """The Strict-Transport-Security header of this site."""
    name, value = SECURE_TRANSPORT
    return name, f"{value}; includeSubDomains" if include_subdomains else value


def missing_headers(
    status: str, headers: Headers, *, secure: bool, transport: tuple[str, str] = SECURE_TRANSPORT
) -> Headers:
    """Return the security headers that a response lacks."""
    names, values = zip(*headers, strict=True) if headers else ((), ())
    lacking = _missing_base_headers(names, transport if secure else None)
    added = list(lacking.headers)
    if lacking.policies:
        policies = tuple(values[place] for place in lacking.policies)
        added += [("X-Frame-Options", option) for option in frame_options(policies)]
    # A 304 has no Content-Type, and its headers update the stored response (RFC 9111 §4.3.4).
    if lacking.content_type is None or status.startswith("304"):
        return added
    place = lacking.content_type
    is_shared = place >= 0 and values[place].startswith(CROSS_ORIGIN_TYPES)
    return [*added, _CROSS_ORIGIN if is_shared else _SAME_ORIGIN]


@lru_cache(maxsize=64)
def frame_options(policies: tuple[str, ...]) -> tuple[str, ...]:
    """The X-Frame-Options that says the same as these Content-Security-Policy headers.

    Empty where they name other sites in `frame-ancestors`, or nothing: the header can't say that.
    """
    options = {_FRAME_OPTIONS.get(sources) for sources in _frame_ancestors(policies)}
    return tuple(option for option in ("DENY", "SAMEORIGIN") if option in options)[:1]


def _frame_ancestors(policies: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The sources of the first `frame-ancestors` directive of each policy."""
    for policy in ",".join(policies).split(","):
        for directive in policy.split(";"):
            name, *sources = directive.lower().split() or [""]
            if name == "frame-ancestors":
                yield tuple(sources)
                break


class _MissingHeaders(NamedTuple):
    """The headers to add to a response, and the places of those whose value matters."""

    headers: tuple[tuple[str, str], ...]
    policies: tuple[int, ...]
    """Where a Content-Security-Policy stands from which X-Frame-Options follows."""
    content_type: int | None
    """None where the type does not matter, -1 where there is none."""


@lru_cache(maxsize=512)
def _missing_base_headers(
    names: tuple[str, ...], transport: tuple[str, str] | None
) -> _MissingHeaders:
    """Compare the names with the defaults; cached, since responses are of few kinds."""
    lower = [name.lower() for name in names]
    headers = [header for name, header in _ALWAYS if name not in lower]
    policies = [place for place, name in enumerate(lower) if name == "content-security-policy"]
    if policies:
        headers = [header for header in headers if header[0] != "X-Frame-Options"]
    if transport is not None and "strict-transport-security" not in lower:
        headers.append(transport)
    has_resource_policy = "cross-origin-resource-policy" in lower
    content_type = lower.index("content-type") if "content-type" in lower else -1
    return _MissingHeaders(
        headers=tuple(headers),
        policies=() if "x-frame-options" in lower else tuple(policies),
        content_type=None if has_resource_policy else content_type,
    )


class SecurityHeaders:
    """The outermost layer: adds the missing security headers to each response."""

    def __init__(self, wsgi: Callable[..., Any], *, include_subdomains: bool = False) -> None:
        self.wsgi = wsgi
        self.transport = secure_transport(include_subdomains=include_subdomains)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass the request on and complete the headers of its response."""

        def start(status: str, headers: Headers, *exc_info: Any) -> Any:
            secure = environ.get("wsgi.url_scheme") == "https"
            more = missing_headers(status, headers, secure=secure, transport=self.transport)
            return start_response(status, [*headers, *more], *exc_info)

        body: Iterable[bytes] = self.wsgi(environ, start)
        return body
