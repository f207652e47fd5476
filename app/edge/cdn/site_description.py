"""The input of every configuration generator: routes, origins and settings of a site.

Pure values. They depend neither on the web framework that describes its routes nor on an edge.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..name import NAME
from ..policy.policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_PORTS = {"http": 80, "https": 443}
MIN_SECRET_LENGTH = 16
_SECRET = re.compile(rf"[A-Za-z0-9._~+/=-]{{{MIN_SECRET_LENGTH},200}}")

SECRET_FILE = f"/etc/varnish/{NAME}.secret"
"""The default file of the secret that allows purges; Varnish reads it."""

#: The local machine and private networks, where an app and its edge usually run.
PRIVATE_NETWORKS = (
    "127.0.0.0/8",
    "::1",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """One route: `url_rule` as in the app, `pattern` as a regular expression of whole paths.

    `wildcard` is a pattern with `*` for edges without regular expressions; it may match more.
    `query_params`: parameters that the route reads. None: not declared, so the whole query string
    belongs to the cache key.
    """

    url_rule: str
    pattern: str
    wildcard: str
    policy: str
    is_shared: bool
    query_params: tuple[str, ...] | None = ()

    def is_covered_by(self, other: RouteRule) -> bool:
        """Return whether the other rule's wildcard matches everything that this rule matches."""
        return fnmatchcase(self.wildcard, other.wildcard)


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginServer:
    """Scheme, host and port of a server of the site, as its edge connects to it."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> OriginServer:
        """Parse `http://10.0.0.1:8000`; raises PolicyError for an invalid origin."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or parts.username)
        if parts.scheme not in _PORTS or not _HOST.fullmatch(host) or not plain or port == 0:
            raise PolicyError(f"{url!r} is not a valid origin: write it as http://10.0.0.1:8000.")
        return cls(scheme=parts.scheme, host=host, port=port or _PORTS[parts.scheme])

    @property
    def authority(self) -> str:
        """Host and port; without the port if it is the default of the scheme."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDescription:
    """A site as an edge needs it, with its rules in the order in which they are matched.

    `dialects`: the dialects that the app writes. `secret` allows purges; if it is empty, an edge
    that can reads it from `secret_file`. `vary` are the request fields by which the edge stores
    variants (EDGE_VARY).
    """

    site: OriginServer
    rules: tuple[RouteRule, ...]
    origins: tuple[OriginServer, ...]
    dialects: tuple[str, ...] = ()
    purge_networks: tuple[str, ...] = PRIVATE_NETWORKS
    secret: str = ""
    secret_file: str = SECRET_FILE
    max_body_bytes: int = 8 * 1024 * 1024
    vary: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for reason in self._contradictions():
            raise PolicyError(reason)

    def _contradictions(self) -> Iterator[str]:
        if not self.origins:
            yield "An edge needs an origin: set --origin http://10.0.0.1:8000."
        if self.secret and not _SECRET.fullmatch(self.secret):
            yield (
                "The secret that allows purges is too weak or can't be sent in a header: "
                f"use at least {MIN_SECRET_LENGTH} letters and digits, "
                "such as the output of `openssl rand -hex 32`."
            )
        if re.search(r'["\s\\]', self.secret_file) or not self.secret_file.startswith("/"):
            yield f"{self.secret_file!r} is not a valid file: give an absolute path without spaces."
        for network in self.purge_networks:
            yield from _network_errors(network)


def _network_errors(network: str) -> Iterator[str]:
    try:
        ipaddress.ip_network(network)
    except ValueError:
        yield f"{network!r} is not a valid network: write it as 10.0.0.0/8 or 127.0.0.1."
