"""Hop-by-hop fields, which are not forwarded (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..name import CACHE_CONTROL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fields import HeaderFields

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: Fields that Connection can't remove. A sender must not list a field that is for all recipients
#: (RFC 9110 section 7.6.1): without the fields that frame, route or restrict a message, or that
#: name its source, the next recipient would read another message.
PROTECTED: Final = frozenset(
    {
        "age",
        CACHE_CONTROL.lower(),
        "cache-control",
        "cdn-cache-control",
        "cdn-loop",
        "date",
        "expires",
        "forwarded",
        "host",
        "location",
        "pragma",
        "set-cookie",
        "surrogate-control",
        "vary",
        "via",
        "www-authenticate",
    }
)
#: Prefixes of further protected fields: `Content-Length`, `Content-Type` and the like, and
#: `X-Forwarded-For` and the like.
_PROTECTED_PREFIXES: Final = ("content-", "x-forwarded-")
_USUAL: Final = frozenset({"close", "keep-alive", "upgrade", "keep-alive, upgrade"})


def nominated(lines: Iterable[str]) -> frozenset[str]:
    """Return the lower-case names in `Connection` that may be removed."""
    names = {name.strip(" \t").lower() for line in lines for name in line.split(",")}
    return frozenset(name for name in names - PROTECTED - {""} if _removable(name))


def _removable(name: str) -> bool:
    return not name.startswith(_PROTECTED_PREFIXES)


def named_fields(connection: str) -> frozenset[str]:
    """Return the end-to-end fields that a `Connection` value removes from its message.

    The fields of `HOP_BY_HOP` are excluded: the recipient reads them and never forwards them.
    Names with an underscore are excluded too, because CGI can't distinguish them from others.
    """
    if connection.lower() in _USUAL:  # nearly every request: no field is listed
        return frozenset()
    names = nominated((connection,)) - HOP_BY_HOP
    return frozenset(name for name in names if "_" not in name)


def hop_by_hop(fields: HeaderFields) -> frozenset[str]:
    """Return the lower-case names that must not be stored or forwarded."""
    lines = fields.lines("connection")
    return HOP_BY_HOP | nominated(lines) if lines else HOP_BY_HOP
