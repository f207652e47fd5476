"""Redirect or reject every spelling of a URL path but the canonical one, before the cache sees it.

`check_target` is pure. The case of a path and a slash at its end are left to the application.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote, unquote_to_bytes

from ..http import target as targets

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MAX_TARGET_LENGTH = 8000
"""The longest request target, as RFC 9110 section 4.1 recommends."""

# Characters that are not encoded in a path. WSGI decodes a path, so an application can't
# distinguish %3B from a semicolon.
_PLAIN = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@!$&'()*+,;="
)
_IN_PATH = "%/:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?[]|{}^`"
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROLS = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalTarget:
    """The target is canonical."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectTarget:
    """The target has another canonical form; `to` is a path on this host, never a URL."""

    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidTarget:
    """The target is invalid; `reason` is a sentence for the client."""

    status: HTTPStatus
    reason: str


# A fast check for most requests: segments of plain characters, no dot segments, no query.
_PLAIN_PATH = re.compile(r"/|(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*+)++/?", re.ASCII)
_SAME = CanonicalTarget()
TargetCheck: TypeAlias = CanonicalTarget | RedirectTarget | InvalidTarget


def check_target(target: str) -> TargetCheck:
    """Check a request target as the server received it, bytes as latin-1 characters.

    Of a target in absolute form (RFC 9112 section 3.2.2) only path and query are checked.
    """
    if len(target) <= MAX_TARGET_LENGTH and _PLAIN_PATH.fullmatch(target):
        return _SAME
    if error := _find_error(target):
        return error
    parsed = targets.parse(target)
    path, query = parsed.path or "/", parsed.query
    try:
        canonical = _path(path) + (f"?{_quoted(query, _IN_QUERY)}" if query else "")
    except UnicodeDecodeError:
        return InvalidTarget(status=HTTPStatus.BAD_REQUEST, reason="The address is not UTF-8.")
    received = path if query is None else f"{path}?{query}"
    return CanonicalTarget() if canonical == received else RedirectTarget(to=canonical)


def _find_error(target: str) -> InvalidTarget | None:
    parsed = targets.parse(target)
    path = parsed.path
    decoded = {int(hex_digits, 16) for hex_digits in _ENCODED.findall(path)}
    if len(target) > MAX_TARGET_LENGTH:
        return InvalidTarget(
            status=HTTPStatus.REQUEST_URI_TOO_LONG, reason="The address is too long."
        )
    if _CONTROLS.search(target) or any(code < 0x20 or code == 0x7F for code in decoded):  # noqa: PLR2004 - the control characters of ASCII
        return InvalidTarget(
            status=HTTPStatus.BAD_REQUEST, reason="The address must not contain control characters."
        )
    has_bad_host = parsed.authority and not targets.is_host(parsed.authority)
    if "#" in target or _BAD_PERCENT.search(path) or has_bad_host:
        return InvalidTarget(status=HTTPStatus.BAD_REQUEST, reason="The address is not a URL.")
    if "\\" in path or decoded & {ord("/"), ord("\\")}:
        return InvalidTarget(
            status=HTTPStatus.NOT_FOUND,
            reason="The address must not contain a backslash or an encoded slash.",
        )
    if path and not path.startswith("/"):
        return InvalidTarget(
            status=HTTPStatus.BAD_REQUEST, reason="The path must begin with a slash."
        )
    return None


def _path(path: str) -> str:
    """Merge slashes, remove dot segments (RFC 3986, 5.2.4) and normalise percent-encoding."""
    unquote_to_bytes(path.encode("latin-1")).decode("utf-8")
    output: list[str] = []
    segments = _ENCODED.sub(_decode_unreserved, _quoted(path, _IN_PATH)).split("/")
    for segment in segments:
        if segment == "..":
            del output[-1:]
        elif segment not in {"", "."}:
            output.append(segment)
    slash = "/" if output and segments[-1] in {"", ".", ".."} else ""
    return "/" + "/".join(output) + slash


def _decode_unreserved(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _PLAIN else match[0].upper()


def _quoted(text: str, safe: str) -> str:
    text.encode("latin-1").decode("utf-8")
    return quote(text.encode("latin-1"), safe=safe)


class CanonicalUrlMiddleware:
    """WSGI middleware that forwards only requests with a canonical target.

    Its own responses are never stored: a cache that merges slashes before its lookup would store a
    redirect under the URL that it leads to. `headers` are added to those responses.
    """

    def __init__(self, app: WSGIApplication, *, headers: Sequence[tuple[str, str]] = ()) -> None:
        self.app = app
        self.headers = tuple(headers)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Forward, redirect or reject the request."""
        verdict = check_target(raw_target(environ))
        if isinstance(verdict, CanonicalTarget):
            if not environ.get("SCRIPT_NAME") and not environ.get("PATH_INFO"):
                environ["PATH_INFO"] = "/"  # the path of http://host
            return self.app(environ, start_response)
        if isinstance(verdict, RedirectTarget):
            safe = environ.get("REQUEST_METHOD") in {"GET", "HEAD"}
            status = HTTPStatus.MOVED_PERMANENTLY if safe else HTTPStatus.PERMANENT_REDIRECT
            return self._answer(
                environ, start_response, status, f"See {verdict.to}", [("Location", verdict.to)]
            )
        return self._answer(environ, start_response, verdict.status, verdict.reason, [])

    def _answer(
        self,
        environ: dict[str, Any],
        start_response: StartResponse,
        status: HTTPStatus,
        sentence: str,
        headers: list[tuple[str, str]],
    ) -> Iterable[bytes]:
        body = f"{sentence}\n".encode()
        lines = [
            *headers,
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            *self.headers,
        ]
        start_response(f"{status.value} {status.phrase}", lines)
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]


def raw_target(environ: dict[str, Any]) -> str:
    """Return the request target as received, or rebuild it from path and query."""
    raw_uri = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if raw_uri:
        return str(raw_uri)
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    query = str(environ.get("QUERY_STRING", ""))
    return quote(path.encode("latin-1"), safe=_IN_PATH[1:]) + (f"?{query}" if query else "")
