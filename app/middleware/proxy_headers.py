"""Take the client's address and scheme from the headers of trusted proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

_FIELD = "HTTP_X_FORWARDED_PROTO"


class ProxyHeaders:
    """Trusts the given number of proxies, counted from the origin outwards.

    Host, port and prefix are never taken from a header: a client could choose the links of a
    shared page.
    """

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], proxies: int) -> None:
        self._wsgi = ProxyFix(wsgi, x_for=proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        self._proxies = proxies

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Set the client's address and scheme, then pass the request on."""
        if reported := scheme(environ.get(_FIELD, ""), self._proxies):
            environ["wsgi.url_scheme"] = reported
        return self._wsgi(environ, start_response)


def scheme(field: str, proxies: int) -> str | None:
    """Return the scheme that our outermost proxy reported; None if it reported none.

    Each proxy appends its own entry, so the last entries are those of our proxies. Many routers
    overwrite the field with one entry instead: that entry comes from the proxy nearest to the
    origin, which is ours, and the client's own value is gone.
    """
    words = [word.strip().lower() for word in field.split(",") if word.strip()][-proxies:]
    return words[0] if words and words[0] in {"http", "https"} else None
