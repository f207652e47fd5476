"""Paths of the site: how an old address is spelt where redirects are kept.

Pure: whether a path is taken is asked of the database, elsewhere.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from app.edge.http.query_string import canonical_query, is_canonical_query

MAX_LENGTH = 500

QUERY_PATHS = frozenset({"/", "/index.php"})
"""The paths at which an old address may differ by its query alone, as WordPress's `/?p=20`."""

QUERY_NAMES = ("attachment_id", "author", "cat", "feed", "id", "p", "page_id", "post", "q")
"""The parameters by which such addresses differ; all others are no part of an address.

The routes of `QUERY_PATHS` declare them, so every edge stores one page for each of their values.
CloudFront accepts ten.
"""

RESERVED = frozenset(
    {
        *("account", "admin", "api", "archive", "articles", "authors", "downloads", "edge"),
        *("favicon", "feed", "healthz", "llms", "login", "logout", "media", "page", "pages"),
        *(
            "preview",
            "readyz",
            "robots",
            "search",
            "site",
            "sitemap",
            "sitemaps",
            "static",
            "studio",
            "tags",
        ),
        *("theme", "topics", "users", "well-known"),
    }
)
"""First segments that belong to the site itself: no page may have them as its slug."""

_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


def normal(path: str) -> str:
    """The spelling under which a redirect is kept: decoded, lower case, no slash at its end.

    Takes a path or a whole URL. Its fragment does not count, and its query only at `QUERY_PATHS`:
    there the parameters of `QUERY_NAMES` are kept, sorted by name. Raises a `ValueError` that says
    what is wrong.
    """
    decoded = unquote(_path_of(path), errors="replace")
    segments = [segment for segment in decoded.split("/") if segment not in {"", "."}]
    if _UNSAFE.search(decoded) or ".." in segments:
        raise ValueError(f"The address {path!r} has characters that no address may have.")
    path_text = "/" + "/".join(segments).lower()
    if path_text in QUERY_PATHS and (query := canonical_query(_query_of(path), QUERY_NAMES)):
        path_text = f"{path_text}?{query}"
    if len(path_text) > MAX_LENGTH:
        raise ValueError(f"The address has {len(path_text)} characters; {MAX_LENGTH} is the most.")
    return path_text


def spellings(path: str) -> list[str]:
    """Return a normal path, and the one without `.html` or the name of an index file.

    `/index.php?p=20` takes the redirect of `/?p=20`, as WordPress answers both.

    A path without an ending has one spelling alone: a second row that a missing page depends on
    would cost twelve times the log for each address of a flood.
    """
    if path.startswith("/index.php?"):
        return [path, path.replace("/index.php", "/", 1)]
    for ending in ("/index.html", "/index.htm", "/index.php", ".html", ".htm"):
        if path.endswith(ending) and path != ending:
            return [path, path.removesuffix(ending)]
    return [path]


def to_url(path: str) -> str:
    """Return a normal path as a URL: `normal` makes the same path of it."""
    is_query = "?" in path and normal(path) == path
    return path if is_query else quote(path, safe="/:@!$&'()*+,;=~")


def find_query_error(address: str) -> str:
    """Say why a redirect can't depend on the query of an address; empty if it can, or has none."""
    query = _query_of(address)
    if is_canonical_query(query, ()) or "?" in normal(address):
        return ""
    names = ", ".join(QUERY_NAMES)
    return (
        f"The address {address!r} differs from others by its query. This works only for "
        f"the parameters {names} at / and /index.php."
    )


def _query_of(address: str) -> str:
    return address.strip().partition("#")[0].partition("?")[2]


def _path_of(path: str) -> str:
    path = path.strip()
    if "://" not in path.partition("?")[0]:
        return re.split(r"[?#]", path, maxsplit=1)[0]
    try:
        return urlsplit(path).path
    except ValueError:
        raise ValueError(f"The address {path!r} can't be read.") from None
