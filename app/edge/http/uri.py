"""Percent-encode request targets, and detect targets that caches normalise (RFC 3986)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote, urlsplit

#: Characters allowed unencoded in a path or a query: unreserved, sub-delims, `:@/?`.
PLAIN: Final = "-._~!$&'()*+,;=:@/?"
#: The subset that RFC 1738 calls safe, extra or reserved; `~` and `*` are not included.
PLAIN_1738: Final = "-_.+!'(),;/?:@&=$"
LONGEST_EXACT: Final = 4000
"""The maximum length of a percent-encoded path with query that CloudFront invalidates."""

_IN_PATH: Final = PLAIN.replace("?", "")
_BROKEN: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ONE_SPELLING: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()+,;=:@/?-]|%[0-9A-F]{2})*")
_AUTHORITY: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_DOTS: Final = re.compile(r"/\.\.?(?:/|$)")


def target_of(url: str) -> str:
    """Return the path and query of a URL or a path, with a leading slash.

    A path is not parsed: it may begin with two slashes or contain a `#`.
    """
    if url.startswith(("http://", "https://")):
        parts = urlsplit(url)
        url = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path
    return url if url.startswith("/") else f"/{url}"


@lru_cache(maxsize=16)
def _pattern(safe: str) -> re.Pattern[str]:
    return re.compile(rf"[^A-Za-z0-9%{re.escape(safe)}]")


def percent_encoded(target: str, safe: str = PLAIN) -> str:
    """Percent-encode all but letters, digits and `safe`; keep existing percent-encoding."""
    return _pattern(safe).sub(_encoded, _BROKEN.sub("%25", target))


def _encoded(char: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in char[0].encode("utf-8", errors="replace"))


def has_one_spelling(path: str, query: str, raw: str = "") -> bool:
    """Return whether every cache writes this target alike, so that a purge of its URL finds it.

    `path` is decoded, as in WSGI; `query` and `raw` (if the server provides it) are as received.
    Some CDNs treat `*` as a wildcard, so such a URL can't be purged there. Some caches normalise
    dot segments and unusual characters, and others don't.
    """
    if 3 * (len(path) + len(query)) > LONGEST_EXACT:
        return False
    if "*" in path or _DOTS.search(path) or not _ONE_SPELLING.fullmatch(query):
        return False
    raw_path = _AUTHORITY.sub("", raw).partition("?")[0]
    return not raw_path or raw_path == quote(
        path.encode("latin-1", errors="replace"), safe=_IN_PATH
    )
