"""What our own proxies say of the reader: their address, and whether they came by HTTPS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

_FIELD = "HTTP_X_FORWARDED_PROTO"


class ProxyHeaders:
    """Believes so many proxies, counted from ours outwards.

    Never the host, the port or a prefix: a reader could choose what a shared page links to.
    """

    def __init__(self, wsgi: Callable[..., Iterable[bytes]], proxies: int) -> None:
        self._wsgi = ProxyFix(wsgi, x_for=proxies, x_proto=0, x_host=0, x_port=0, x_prefix=0)
        self._proxies = proxies

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        if reported := scheme(environ.get(_FIELD, ""), self._proxies):
            environ["wsgi.url_scheme"] = reported
        return self._wsgi(environ, start_response)


def scheme(field: str, proxies: int) -> str | None:
    """What the outermost of our proxies says of whom it has in front of it; None: nothing.

    The last words are ours, since each proxy writes its own behind what it was told. Many routers
    write the field anew instead, with one word: then that word is of the proxy nearest to us, which
    is ours in any case, and what a reader sent is gone.
    """
    words = [word.strip().lower() for word in field.split(",") if word.strip()][-proxies:]
    return words[0] if words and words[0] in {"http", "https"} else None
