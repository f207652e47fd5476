"""Which Host names are answered: another one gets a 400, before anything is looked up or stored."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from werkzeug.sansio.utils import host_is_trusted

from .edge.http import target as targets

REFUSED = b"This site is not served under that name.\n"
MALFORMED = b"The Host header is missing, or it names no host.\n"


class TrustedHosts:
    """Refuses what TRUSTED_HOSTS does not name, and spells the Host in lower case.

    What is no host at all is refused as well (RFC 9112 section 3.2). The host of a target in
    absolute form replaces the Host header (section 3.2.2).
    """

    def __init__(self, wsgi: Callable[..., Any], trusted: Collection[str] | None) -> None:
        self.wsgi = wsgi
        self.trusted = tuple(trusted or ())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Pass the request on, or refuse it."""
        reason = self._refusal(environ)
        if reason is None:
            return self.wsgi(environ, start_response)
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(reason))),
            ("Cache-Control", "no-store"),
        ]
        start_response("400 Bad Request", headers)
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else reason]

    def _refusal(self, environ: dict[str, Any]) -> bytes | None:
        host = environ.get("HTTP_HOST", "").lower()
        missing = "HTTP_HOST" not in environ and environ.get("SERVER_PROTOCOL") == "HTTP/1.1"
        if missing or _refused(host, ()):
            return MALFORMED
        host = _absolute_host(environ) or host
        if host:
            environ["HTTP_HOST"] = host
        return _refused(host, self.trusted)


def _absolute_host(environ: dict[str, Any]) -> str | None:
    """The authority of `GET http://host/path`; None for nearly every request, which has no such."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
    if target.startswith("/"):
        return None
    authority = targets.parse(target).authority
    return authority.lower() if authority else None


@lru_cache(maxsize=256)
def _refused(host: str, trusted: tuple[str, ...]) -> bytes | None:
    """Why a host is not answered; remembered, as every HIT asks for one of a few."""
    if host and not targets.is_host(host):
        return MALFORMED
    if trusted and not host_is_trusted(host.rstrip("."), trusted):
        return REFUSED
    return None
