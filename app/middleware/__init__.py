"""The WSGI layers of the site, in the order in which a request meets them.

`LAYERS` lists all of them. `install` adds those of the app; the caching library adds its own in
`Edge.init_app` and `Edge.track`, nearer to Flask. It also wraps each of them in a `Fallback`, which
answers from the layers behind it if the layer fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask

from app.edge.flask.fail_closed import FailClosedMiddleware
from app.edge.flask.startup import StartupGate
from app.edge.gateway import Gateway
from app.edge.gateway.canonical_url import CanonicalUrlMiddleware
from app.edge.gateway.compression import Compression

from .cross_origin import CrossOrigin
from .health import HealthEndpoints
from .private_paths import PrivatePaths
from .proxy_headers import ProxyHeaders
from .security_headers import SecurityHeaders
from .trusted_hosts import TrustedHosts

Wrap = Callable[[Any, Flask], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer: its class, what it does, and how it is put around the layers behind it.

    `wrap` is None for a layer that the caching library adds itself.
    """

    type: type
    purpose: str
    wrap: Wrap | None = None


def _security_headers(wsgi: Any, app: Flask) -> SecurityHeaders:
    return SecurityHeaders(wsgi, include_subdomains=app.config["HSTS_INCLUDE_SUBDOMAINS"])


def _proxy_headers(wsgi: Any, app: Flask) -> Any:
    """Trust no proxy header unless a proxy is configured."""
    proxies: int = app.config["PROXIES"]
    return ProxyHeaders(wsgi, proxies) if proxies else wsgi


def _trusted_hosts(wsgi: Any, app: Flask) -> TrustedHosts:
    return TrustedHosts(wsgi, app.config["TRUSTED_HOSTS"])


LAYERS = (
    Layer(
        type=SecurityHeaders,
        purpose="adds the security headers that a response lacks",
        wrap=_security_headers,
    ),
    Layer(
        type=PrivatePaths,
        purpose="makes every response below /studio and /preview private",
        wrap=lambda wsgi, _app: PrivatePaths(wsgi),
    ),
    Layer(
        type=CrossOrigin,
        purpose="lets scripts of other sites read the API, feeds and downloads",
        wrap=lambda wsgi, _app: CrossOrigin(wsgi),
    ),
    Layer(
        type=ProxyHeaders,
        purpose="takes the reader's address and scheme from the headers of trusted proxies",
        wrap=_proxy_headers,
    ),
    Layer(type=HealthEndpoints, purpose="answers /healthz and /readyz", wrap=HealthEndpoints),
    Layer(
        type=TrustedHosts,
        purpose="refuses a request with an unknown or malformed Host",
        wrap=_trusted_hosts,
    ),
    Layer(
        type=CanonicalUrlMiddleware,
        purpose="redirects other spellings of a URL to the one that is cached",
        wrap=lambda wsgi, _app: CanonicalUrlMiddleware(wsgi),
    ),
    Layer(type=StartupGate, purpose="answers 503 until the process has reached its database"),
    Layer(type=Gateway, purpose="answers from the cache, and stores what may be shared"),
    Layer(type=Compression, purpose="compresses public pages where the gateway is off"),
    Layer(
        type=FailClosedMiddleware, purpose="makes a response no-store that the guard has not judged"
    ),
)
"""Every layer, the outermost first; the last one calls Flask."""


def install(app: Flask) -> None:
    """Wrap `app.wsgi_app` in the app's own layers."""
    wsgi: Any = app.wsgi_app
    for layer in reversed(LAYERS):
        if layer.wrap is not None:
            wsgi = layer.wrap(wsgi, app)
    app.wsgi_app = wsgi  # type: ignore[method-assign] # as Flask documents
