"""Connection: fields that speak of one hop and go no further (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fields import Fields

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
#: RFC 9110 section 7.6.1: a sender must not list a field that is for all recipients. One that does
#: can't remove what frames, routes or restricts a message, or what tells where it came from:
#: whoever comes next would read another message than the one that was sent here.
PROTECTED: Final = frozenset(
    {
        "age",
        "broadsheet-cache-control",
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
#: `Content-Length`, `Content-Type` and the other descriptions of the body, and `X-Forwarded-For`
#: with its kin, are protected like the fields above.
_PROTECTED_PREFIXES: Final = ("content-", "x-forwarded-")
_USUAL: Final = frozenset({"close", "keep-alive", "upgrade", "keep-alive, upgrade"})


def nominated(lines: Iterable[str]) -> frozenset[str]:
    """Return the lower-case names that `Connection` lists and that it may remove."""
    names = {name.strip(" \t").lower() for line in lines for name in line.split(",")}
    return frozenset(name for name in names - PROTECTED - {""} if _removable(name))


def _removable(name: str) -> bool:
    return not name.startswith(_PROTECTED_PREFIXES)


def named_fields(connection: str) -> frozenset[str]:
    """Return the end-to-end fields that a `Connection` value removes from its message.

    The fields of `HOP_BY_HOP` are left out: they are read by whoever received the message, who
    sends none of them on. So is a name with an underscore, which CGI spells like another name.
    """
    if connection.lower() in _USUAL:  # nearly every request: they name no field
        return frozenset()
    names = nominated((connection,)) - HOP_BY_HOP
    return frozenset(name for name in names if "_" not in name)


def hop_by_hop(fields: Fields) -> frozenset[str]:
    """Return the lower-case names that must not be stored or sent on, Connection's own included."""
    lines = fields.lines("connection")
    return HOP_BY_HOP | nominated(lines) if lines else HOP_BY_HOP
