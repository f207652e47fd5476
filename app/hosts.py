"""Which Host names are answered: another one gets a 400, before anything is looked up or stored."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from werkzeug.sansio.utils import host_is_trusted

REFUSED = b"This site is not served under that name.\n"


class TrustedHosts:
    """Refuses what TRUSTED_HOSTS does not name, and spells the Host in lower case."""

    def __init__(self, wsgi: Callable[..., Any], trusted: Collection[str] | None) -> None:
        self.wsgi = wsgi
        self.trusted = trusted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Pass the request on, or refuse it."""
        host = environ.get("HTTP_HOST", "").lower()
        if host:
            environ["HTTP_HOST"] = host
        if not self.trusted or host_is_trusted(host.rstrip("."), self.trusted):
            return self.wsgi(environ, start_response)
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(REFUSED))),
            ("Cache-Control", "no-store"),
        ]
        start_response("400 Bad Request", headers)
        return [b"" if environ.get("REQUEST_METHOD") == "HEAD" else REFUSED]
