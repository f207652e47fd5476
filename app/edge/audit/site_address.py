"""Address: the one site that an audit may talk to, read from what a person typed."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?\.?")


class AuditError(Exception):
    """The audit can't run; the message is one sentence for whoever typed the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteAddress:
    """Scheme, host and port; `host` without brackets, `aliases` are other origins of the site."""

    scheme: str
    host: str
    port: int
    aliases: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, *, aliases: tuple[str, ...] = ()) -> Self:
        """Read a base URL; raises Unable with what is wrong, never showing a password."""
        parts = _split(text.strip())
        host = (parts.hostname or "").lower()
        if not (_is_ip(host) or _NAME.fullmatch(_ascii(host))):
            raise AuditError("The address names no host: write it like https://example.org.")
        port = _port(parts)
        return cls(scheme=parts.scheme, host=_ascii(host), port=port, aliases=aliases)

    @property
    def authority(self) -> str:
        """Host and port as the Host header says them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without a slash at its end."""
        return f"{self.scheme}://{self.authority}"

    @property
    def is_https(self) -> bool:
        """Whether it is asked over TLS."""
        return self.scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine itself."""
        if _is_ip(self.host):
            return ipaddress.ip_address(self.host).is_loopback
        return self.host == "localhost" or self.host.endswith(".localhost")

    def request_target(self, url: str) -> str | None:
        """The request target of a URL of this site; None for another site's, or for none at all."""
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
        raise AuditError("The address has no scheme: write it like https://example.org.")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise AuditError("The address is no URL: write it like https://example.org.") from None
    if parts.scheme not in _PORTS:
        raise AuditError("Only http and https can be checked: write it like https://example.org.")
    if parts.username is not None or parts.password is not None:
        raise AuditError(
            "The address holds a user name or a password: leave them out, a check needs none."
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise AuditError(
            "The address has a path or a query: name the site alone, like https://example.org."
        )
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise AuditError("The port of the address is no number from 1 to 65535.")
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
