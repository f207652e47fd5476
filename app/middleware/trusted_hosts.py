"""Answer 400 to a request with an untrusted or malformed Host, before any lookup in the cache."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import lru_cache
from typing import Any

from werkzeug.sansio.utils import host_is_trusted

from app.edge.http import target as targets

UNTRUSTED_HOST = b"This site is not served under that name.\n"
MALFORMED_HOST = b"The Host header is missing, or it names no host.\n"


class TrustedHosts:
    """Refuses hosts that TRUSTED_HOSTS does not list, and converts the Host to lower case.

    A malformed Host is refused as well (RFC 9112 section 3.2). The host of a target in absolute
    form replaces the Host header (section 3.2.2).
    """

    def __init__(self, wsgi: Callable[..., Any], trusted_hosts: Collection[str] | None) -> None:
        self.wsgi = wsgi
        self.trusted_hosts = tuple(trusted_hosts or ())

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
        if missing or _host_error(host, ()):
            return MALFORMED_HOST
        host = _absolute_host(environ) or host
        if host:
            environ["HTTP_HOST"] = host
        return _host_error(host, self.trusted_hosts)


def _absolute_host(environ: dict[str, Any]) -> str | None:
    """The authority of `GET http://host/path`; None for nearly every request, which has no such."""
    target = environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/"
    if target.startswith("/"):
        return None
    authority = targets.parse(target).authority
    return authority.lower() if authority else None


@lru_cache(maxsize=256)
def _host_error(host: str, trusted_hosts: tuple[str, ...]) -> bytes | None:
    """Return why a host is refused; cached, because every hit asks for one of few hosts."""
    if host and not targets.is_host(host):
        return MALFORMED_HOST
    if trusted_hosts and not host_is_trusted(host.rstrip("."), trusted_hosts):
        return UNTRUSTED_HOST
    return None
