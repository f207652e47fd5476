"""The cache policies of the site, by name.

A browser revalidates each time and mostly gets a 304. An edge stores a page for a day, because the
page is purged when it changes.
"""

from __future__ import annotations

from datetime import timedelta

from app.edge import NO_STORE, Freshness, Policy

__all__ = [
    "ARCHIVE",
    "ARTICLE",
    "COOKIE",
    "FAVICON",
    "FEED",
    "HOME",
    "LIST",
    "LLMS",
    "MANIFEST",
    "MARKDOWN",
    "MEDIA",
    "NOT_FOUND",
    "NO_STORE",
    "PAGE",
    "REDIRECT",
    "ROBOTS",
    "SEARCH",
    "SITEMAP",
    "TWO_MINUTES",
]

_ASKS = Freshness(must_revalidate=True)
_KEEPS = Freshness(
    ttl=timedelta(days=1),
    stale_while_revalidate=timedelta(minutes=1),
    stale_if_error=timedelta(days=7),
)
_KEEPS_BRIEFLY = Freshness(
    ttl=timedelta(minutes=1),
    stale_while_revalidate=timedelta(minutes=1),
    stale_if_error=timedelta(minutes=5),
)


def purged(name: str) -> Policy:
    """Return the policy of a page that is purged when its content changes."""
    return Policy(name=name, browser=_ASKS, edge=_KEEPS)


HOME = purged("HOME")
ARTICLE = purged("ARTICLE")
PAGE = purged("PAGE")
LIST = purged("LIST")
ARCHIVE = purged("ARCHIVE")
FEED = purged("FEED")
SITEMAP = purged("SITEMAP")
ROBOTS = purged("ROBOTS")
LLMS = purged("LLMS")
MARKDOWN = purged("MARKDOWN")
MANIFEST = purged("MANIFEST")

REDIRECT = Policy(
    name="REDIRECT",
    browser=_ASKS,
    edge=Freshness(ttl=timedelta(minutes=10), stale_if_error=timedelta(minutes=10)),
)
"""The number of misspelt URLs is unlimited, so their redirects expire soon."""

SEARCH = Policy(name="SEARCH", browser=_ASKS, edge=_KEEPS_BRIEFLY, timed=True)
"""The number of queries is unlimited, so results expire soon."""

NOT_FOUND = Policy(name="NOT_FOUND", browser=_ASKS, edge=_KEEPS_BRIEFLY, timed=True)
"""As SEARCH: the number of unknown URLs is unlimited."""

MEDIA = Policy(
    name="MEDIA", browser=Freshness(ttl=timedelta(days=365)), public=True, immutable=True
)
"""The URL contains the digest of the content."""

FAVICON = Policy(
    name="FAVICON", browser=Freshness(ttl=timedelta(days=1)), edge=Freshness(ttl=timedelta(days=1))
)

TWO_MINUTES = Policy(
    name="TWO_MINUTES", browser=Freshness(ttl=timedelta(minutes=2)), purged=False, timed=True
)
"""It shows the time, so no purge applies; it expires after two minutes."""

COOKIE = Policy(
    name="COOKIE",
    browser=Freshness(ttl=timedelta(minutes=2)),
    private=("Set-Cookie",),
    purged=False,
    timed=True,
)
"""The page is shared, its cookie is private: it shows whether an edge strips the cookie."""
