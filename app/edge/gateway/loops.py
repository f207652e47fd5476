"""Detect requests that this gateway has forwarded before (RFC 8586).

Each gateway adds its own token to CDN-Loop, so a chain of several gateways is not a loop. Via
contains only the common name of these gateways. If Via lists more of them than CDN-Loop, some proxy
has removed CDN-Loop, and a loop can't be distinguished from a chain.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from ..name import NAME

if TYPE_CHECKING:
    import socket
    from wsgiref.types import WSGIEnvironment

PSEUDONYM: Final = NAME
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT: Final = re.compile(r"\([^()]*\)")


def new_token() -> str:
    """Return a new random token."""
    return f"{PSEUDONYM}-{secrets.token_hex(8)}"


def has_looped(environ: WSGIEnvironment, token: str) -> bool:
    """Return whether the gateway with this token has forwarded the request before."""
    via, cdn_loop = environ.get("HTTP_VIA"), environ.get("HTTP_CDN_LOOP")
    if not via and not cdn_loop:
        return False
    tokens = _cdn_ids(cdn_loop or "")
    gateway_tokens = [
        name for name in tokens if name == PSEUDONYM or name.startswith(f"{PSEUDONYM}-")
    ]
    return token in tokens or PSEUDONYM in tokens or _hops(via or "") > len(gateway_tokens)


def is_own_server(link: socket.socket, environ: WSGIEnvironment) -> bool:
    """Return whether this connection leads to the server that received the request.

    CDN-Loop can't detect this if every thread of the server already waits for the server itself:
    then no thread is left to receive the forwarded request.
    """
    try:
        peer, own = link.getpeername(), link.getsockname()
    except OSError:
        return False
    listens_at = {peer[0], "0.0.0.0", "::", ""}  # noqa: S104 - compared, not bound
    is_here = peer[0] == own[0] and environ.get("SERVER_NAME") in listens_at
    return is_here and str(peer[1]) == environ.get("SERVER_PORT")


def extended(field: str | None, member: str) -> str:
    """Return a list field with one more member."""
    return f"{field}, {member}" if field else member


def _cdn_ids(cdn_loop: str) -> list[str]:
    members = _QUOTED.sub("", cdn_loop).split(",")
    return [member.partition(";")[0].strip(" \t").lower() for member in members]


def _hops(via: str) -> int:
    """Return the number of members of Via that name such a gateway."""
    members = [member.split() for member in _COMMENT.sub("", via).split(",")]
    return sum(len(words) > 1 and words[1].lower() == PSEUDONYM for words in members)
