"""Connection: fields that speak of one hop and go no further (RFC 9110 section 7.6.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .fields import Fields

HOP_BY_HOP: Final = frozenset(
    {
        "connection",
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
#: RFC 9110 section 7.6.1: for all recipients, whatever Connection says; without them a response
#: would look less restricted than it is.
_FOR_ALL: Final = frozenset({"age", "cache-control", "date", "expires", "vary"})


def hop_by_hop(fields: Fields) -> frozenset[str]:
    """Return the lower-case names that must not be stored or sent on, Connection's own included."""
    lines = fields.lines("connection")
    if not lines:
        return HOP_BY_HOP
    named = {name.strip(" \t").lower() for line in lines for name in line.split(",")}
    return HOP_BY_HOP | (named - _FOR_ALL - {""})
