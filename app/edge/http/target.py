"""Parse the request target in its received form (RFC 9112 section 3.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Final

#: match() anchors it: a later `://` belongs to a path or to a query.
_ABSOLUTE: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)")
_SCHEMES: Final = frozenset({"http", "https"})
_HOST: Final = re.compile(
    r"(?:(?P<name>(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{0,5}))?"
)
_MAX_HOST_LENGTH: Final = 300
_PORTS: Final = range(65_536)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A path and a query; and an authority if the target is in absolute form.

    `query` is None without a question mark. A target in another form (`*`, `host:port`, another
    scheme) is returned as a path without a slash at its start.
    """

    authority: str | None = None
    path: str
    query: str | None = None


def parse(target: str) -> Target:
    """Parse a request target; only the absolute form of http and https has an authority."""
    authority = None
    match = _ABSOLUTE.match(target)
    if match and match["scheme"].lower() in _SCHEMES:
        authority, target = match["authority"], target[match.end() :]
    path, mark, query = target.partition("?")
    if authority is not None and not path:
        path = "/"
    return Target(authority=authority, path=path, query=query if mark else None)


def is_host(value: str) -> bool:
    """Return whether the text is a host with or without a port (RFC 9110 section 7.2).

    A comma is rejected though RFC 3986 allows it: it could join two Host lines.
    """
    match = _HOST.fullmatch(value) if len(value) <= _MAX_HOST_LENGTH else None
    if match is None or (match["port"] and int(match["port"]) not in _PORTS):
        return False
    return match["ipv6"] is None or _is_ipv6(match["ipv6"])


def _is_ipv6(address: str) -> bool:
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True
