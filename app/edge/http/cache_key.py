"""Build the cache key of a stored response (RFC 9111 section 2); keys are unique and readable.

The key is built from what the application sees, never from the raw request line: two requests with
the same key are the same request for the application.
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
_MAX_AUTHORITY_LENGTH: Final = 300
_ASCII: Final = "".join(map(chr, range(0x21, 0x7F)))


#: Tracking parameters that campaigns and shared links add to a query and no page reads; `*` matches
#: any ending. The gateway, the page index and the configuration of every edge use this list.
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


def normalise_site(scheme: str, authority: str) -> str | None:
    """Return `scheme://host:port` in lower case without a default port; None if it is invalid."""
    return _base(scheme, authority) if len(authority) <= _MAX_AUTHORITY_LENGTH else None


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


def build_cache_key(site: str, path: str, query: str) -> bytes | None:
    """Return the key for a site, a decoded path and a raw query in the form of WSGI.

    The key begins with the length of the path, so that a `?` in the path is unambiguous.
    """
    if not path.startswith("/"):
        return None
    try:
        return f"{len(path)} {site}{path}?{query}".encode("latin-1")
    except UnicodeEncodeError:
        return None


def parse_cache_key(key: bytes) -> tuple[str, str, str]:
    """Return the site, the path and the query of a key of `build_cache_key`."""
    length, _, rest = key.decode("latin-1").partition(" ")
    start = rest.index("/", rest.index("://") + 3)
    end = start + int(length)
    return rest[:start], rest[start:end], rest[end + 1 :]


def describe_cache_key(key: bytes) -> str:
    """Return the URL of a key as text for log messages."""
    try:
        site, path, query = parse_cache_key(key)
    except ValueError:
        return repr(key)
    return f"{site}{path}?{query}" if query else f"{site}{path}"


def cache_key_for_url(url: str, ignored: re.Pattern[str] | None = None) -> bytes:
    """Return the key of a request for an absolute URL.

    Raises ValueError if no request can have this URL.
    """
    parts = urlsplit(url)
    site = normalise_site(parts.scheme, parts.netloc)
    if site is None:
        raise ValueError(f"{url!r} is not an absolute http or https URL.")
    path = unquote_to_bytes(parts.path or "/").decode("latin-1")
    key = build_cache_key(site, path, remove_parameters(quote(parts.query, safe=_ASCII), ignored))
    if key is None:
        raise ValueError(
            f"{url!r} has a path without a slash at its start, which no request can have."
        )
    return key


def compile_ignored_parameters(patterns: Sequence[str]) -> re.Pattern[str] | None:
    """Return a pattern that matches parameters with these names; `*` matches any ending."""
    if not patterns:
        return None
    names = "|".join(re.escape(pattern).replace(r"\*", "[^=]*") for pattern in patterns)
    return re.compile(rf"(?:{names})(?:=.*)?", re.DOTALL)


def remove_parameters(query: str, ignored: re.Pattern[str] | None) -> str:
    """Return the query without the ignored parameters; the rest is unchanged."""
    if ignored is None or not query:
        return query
    return "&".join(pair for pair in query.split("&") if not ignored.fullmatch(pair))
