"""Key: the primary key of a stored response (RFC 9111 section 2), injective and readable.

It is made of what the application sees, never of the raw request line: two requests with one key
are one request to the application.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_AUTHORITY: Final = re.compile(
    r"(?P<host>[a-z0-9\-._~!$&'()*+;=%]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?"
)
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}
_LONGEST_AUTHORITY: Final = 300
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


#: Query parameters that campaigns and shared links add and no page reads; `*` stands for any
#: ending. The one list: the gateway's keys, the index and every edge's configuration use it.
TRACKERS: Final = (
    "utm_*",
    "_ga",
    "_gl",
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "msclkid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
)


def base(scheme: str, authority: str) -> str | None:
    """Return `scheme://host:port` in lower case without a default port; None when it is none."""
    return _base(scheme, authority) if len(authority) <= _LONGEST_AUTHORITY else None


@lru_cache(maxsize=256)
def _base(scheme: str, authority: str) -> str | None:
    scheme, authority = scheme.lower(), authority.lower()
    match = _AUTHORITY.fullmatch(authority)
    if match is None or scheme not in DEFAULT_PORTS:
        return None
    port = match["port"]
    if not port or port == DEFAULT_PORTS[scheme]:
        return f"{scheme}://{match['host']}"
    return f"{scheme}://{match['host']}:{port}"


def primary(site: str, path: str, query: str) -> bytes | None:
    """Return the key for `base`'s answer, a decoded path and a raw query, as WSGI spells them.

    The path's length goes before it, so that a `?` in the path is not the query's.
    """
    if not path.startswith("/"):
        return None
    try:
        return f"{len(path)} {site}{path}?{query}".encode("latin-1")
    except UnicodeEncodeError:
        return None


def parsed(key: bytes) -> tuple[str, str, str]:
    """Return the base, the path and the query that `primary` made a key of."""
    length, _, rest = key.decode("latin-1").partition(" ")
    start = rest.index("/", rest.index("://") + 3)
    end = start + int(length)
    return rest[:start], rest[start:end], rest[end + 1 :]


def of_url(url: str, ignored: re.Pattern[str] | None = None) -> bytes:
    """Return the key of an absolute URL, as for a request of it.

    Raises ValueError when the URL is none that a request could be for.
    """
    parts = urlsplit(url)
    site = base(parts.scheme, parts.netloc)
    if site is None:
        raise ValueError(f"{url!r} is no absolute http or https URL.")
    path = unquote_to_bytes(parts.path or "/").decode("latin-1")
    key = primary(site, path, cleaned(quote(parts.query, safe=_ASCII), ignored))
    if key is None:
        raise ValueError(f"{url!r} has a path that no request can have: it starts with no slash.")
    return key


def ignoring(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """Return what recognises the query parameters with these names; `*` stands for any ending."""
    if not patterns:
        return None
    names = "|".join(re.escape(pattern).replace(r"\*", "[^=]*") for pattern in patterns)
    return re.compile(rf"(?:{names})(?:=.*)?", re.DOTALL)


def cleaned(query: str, ignored: re.Pattern[str] | None) -> str:
    """Return the query without the parameters to ignore; the rest stays as it is written."""
    if ignored is None or not query:
        return query
    return "&".join(pair for pair in query.split("&") if not ignored.fullmatch(pair))
