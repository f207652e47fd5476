"""Paths of the site: how an old address is spelt where redirects are kept.

Pure: whether a path is taken is asked of the database, elsewhere.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

MAX_LENGTH = 500

RESERVED = frozenset(
    {
        *("account", "admin", "api", "archive", "articles", "authors", "downloads", "edge"),
        *("favicon", "feed", "healthz", "login", "logout", "media", "page", "pages", "preview"),
        *("readyz", "robots", "search", "sitemap", "sitemaps", "static", "studio", "tags"),
        *("topics", "users", "well-known"),
    }
)
"""First segments that belong to the site itself: no page may have them as its slug."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def normal(path: str) -> str:
    """The spelling under which a redirect is kept: decoded, lower case, no slash at its end.

    Takes a path or a whole URL, whose query and fragment don't count; raises a `ValueError` that
    says what is wrong.
    """
    decoded = unquote(_path_of(path), errors="replace")
    segments = [segment for segment in decoded.split("/") if segment not in {"", "."}]
    if _UNSAFE.search(decoded) or ".." in segments:
        raise ValueError(f"The address {path!r} has characters that no address may have.")
    path_text = "/" + "/".join(segments).lower()
    if len(path_text) > MAX_LENGTH:
        raise ValueError(f"The address has {len(path_text)} characters; {MAX_LENGTH} is the most.")
    return path_text


def spellings(path: str) -> list[str]:
    """Return a normal path, and the one without `.html` or the name of an index file.

    A path without an ending has one spelling alone: a second row that a missing page depends on
    would cost twelve times the log for each address of a flood.
    """
    for ending in ("/index.html", "/index.htm", "/index.php", ".html", ".htm"):
        if path.endswith(ending) and path != ending:
            return [path, path.removesuffix(ending)]
    return [path]


def _path_of(path: str) -> str:
    path = path.strip()
    if "://" not in path.partition("?")[0]:
        return re.split(r"[?#]", path, maxsplit=1)[0]
    try:
        return urlsplit(path).path
    except ValueError:
        raise ValueError(f"The address {path!r} can't be read.") from None
