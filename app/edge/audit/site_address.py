"""The address of the one site that an audit may send requests to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?")


class AuditError(Exception):
    """The audit can't run; the command prints the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAddress:
    """Scheme, host and port of a site.

    `host` is without brackets; `aliases` are further origins (scheme and host) of the site.
    """

    scheme: str
    host: str
    port: int
    aliases: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, aliases: tuple[str, ...] = ()) -> Self:
        """Parse a base URL; raises AuditError with the reason, which never contains a password."""
        parts = _split(text.strip())
        host = (parts.hostname or "").lower()
        if not (_is_ip(host) or _NAME.fullmatch(_ascii(host))):
            raise AuditError("The URL has no valid host name: write it like https://example.org.")
        port = _port(parts)
        return cls(scheme=parts.scheme, host=_ascii(host), port=port, aliases=aliases)

    @property
    def authority(self) -> str:
        """Host and port as in the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL without a trailing slash."""
        return f"{self.scheme}://{self.authority}"

    @property
    def is_https(self) -> bool:
        """Return whether the scheme is https."""
        return self.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Return whether the host is the local machine."""
        if _is_ip(self.host):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost" or self.host.endswith(".localhost")

    def request_target(self, url: str) -> str | None:
        """Return the request target of a URL of this site; None for other or invalid URLs."""
        try:
            parts = urlsplit(url.strip())
            mine = not parts.netloc or self._is_mine(parts)
        except ValueError:
            return None
        path = parts.path or "/"
        if not mine or parts.scheme not in {"", "http", "https"} or not path.startswith("/"):
            return None
        target = f"{path}?{parts.query}" if parts.query else path
        return target if target.isascii() and target.isprintable() and " " not in target else None

    def _is_mine(self, parts: SplitResult) -> bool:
        scheme = parts.scheme or self.scheme
        port = parts.port or _PORTS.get(scheme)
        if ((parts.hostname or "").lower(), port) == (self.host, self.port):
            return True
        return f"{scheme}://{parts.netloc}".lower() in self.aliases


def _split(text: str) -> SplitResult:
    if "://" not in text:
        raise AuditError("The URL has no scheme: write it like https://example.org.")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise AuditError("The URL is not valid: write it like https://example.org.") from None
    if parts.scheme not in _PORTS:
        raise AuditError(
            "Only http and https URLs can be checked: write it like https://example.org."
        )
    if parts.username is not None or parts.password is not None:
        raise AuditError(
            "The URL contains a user name or a password: remove them, the audit needs none."
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise AuditError(
            "The URL has a path or a query: give only the site, like https://example.org."
        )
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise AuditError("The port of the URL is not a number from 1 to 65535.")
    return port or _PORTS[parts.scheme]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
