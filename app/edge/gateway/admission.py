"""Reject invalid requests in the standalone server, before the gateway handles them.

The WSGI server has parsed the request, but it accepts some requests that no origin should receive.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from ..http import target as targets
from . import loops, response

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from .response import GatewayResponse

_log: Final = logging.getLogger(__name__)
_BAD_REQUEST: Final = "400 Bad Request"


class Admission:
    """WSGI middleware in front of a gateway and its proxy: rejects or normalises requests.

    `token` is the proxy's own member of CDN-Loop. The path keeps its percent-encoding if the server
    provides it: a proxy must not rewrite it (RFC 9112 section 3.2.1), and some origins do not treat
    `%2F` as a slash.
    """

    def __init__(self, app: WSGIApplication, *, token: str) -> None:
        self._app = app
        self._token = token

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Forward the request, or reject it."""
        error_response = self._find_error_response(environ)
        if error_response is None:
            return self._app(environ, start_response)
        start_response(error_response.status_line, error_response.headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else error_response.body

    def _find_error_response(self, environ: WSGIEnvironment) -> GatewayResponse | None:
        sentence = _bad_host(environ) or _bad_target(environ) or _bad_coding(environ)
        if sentence is not None:
            return response.build_text_response(_BAD_REQUEST, sentence)
        return looped(environ, self._token)


def looped(environ: WSGIEnvironment, token: str) -> GatewayResponse | None:
    """Return a 508 for a request that this gateway has forwarded before, else None."""
    return loop_detected() if loops.has_looped(environ, token) else None


def loop_detected() -> GatewayResponse:
    """Return the 508 of RFC 5842 section 7.2, and log how to fix the loop."""
    _log.warning(
        "gateway.loop: a request returned to this gateway; configure another server as its origin"
    )
    sentence = (
        "The request returned to a gateway that had forwarded it: the gateway is its own origin."
    )
    return response.build_text_response("508 Loop Detected", sentence)


def _bad_host(environ: WSGIEnvironment) -> str | None:
    """Return the error in Host (RFC 9112 section 3.2), or None; HTTP/1.0 may omit the field."""
    host = environ.get("HTTP_HOST")
    if host is None:
        old = environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
        return None if old else "The Host header is missing."
    return None if targets.is_host(host) else "The Host header is not a valid host."


def _bad_target(environ: WSGIEnvironment) -> str | None:
    """Return the error in the request target, or None after its parts are set in the environ.

    The authority of a target in absolute form replaces Host (RFC 9112 section 3.2.2).
    """
    raw = environ.get("RAW_URI")
    if not raw:
        return None
    if "#" in raw:
        return "The request target must not contain a fragment."
    target = targets.parse(raw)
    if target.authority is not None:
        if not targets.is_host(target.authority):
            return "The request target does not contain a valid host."
        environ["HTTP_HOST"] = target.authority
    if raw == "*" and environ["REQUEST_METHOD"] == "OPTIONS":
        return None
    if not target.path.startswith("/"):
        return "The request target is neither a path nor an http or https URL."
    environ["PATH_INFO"], environ["QUERY_STRING"] = target.path, target.query or ""
    return None


def _bad_coding(environ: WSGIEnvironment) -> str | None:
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is None or coding.strip(" \t").lower() == "chunked":
        return None
    return "The request has a transfer coding other than chunked."
