"""The promises of the site, by name.

A browser asks each time and mostly hears 304; an edge keeps a page for a day, since it is purged.
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
    """The promise of a page that is purged when what it shows changes."""
    return Policy(name=name, browser=_ASKS, edge=_KEEPS)


HOME = purged("HOME")
ARTICLE = purged("ARTICLE")
PAGE = purged("PAGE")
LIST = purged("LIST")
ARCHIVE = purged("ARCHIVE")
FEED = purged("FEED")
SITEMAP = purged("SITEMAP")
ROBOTS = purged("ROBOTS")

REDIRECT = Policy(
    name="REDIRECT",
    browser=_ASKS,
    edge=Freshness(ttl=timedelta(minutes=10), stale_if_error=timedelta(minutes=10)),
)
"""There is no end of ways to misspell an address; they leave the index soon."""

SEARCH = Policy(name="SEARCH", browser=_ASKS, edge=_KEEPS_BRIEFLY, timed=True)
"""Readers may ask for anything, so what they asked for is not kept for long."""

NOT_FOUND = Policy(name="NOT_FOUND", browser=_ASKS, edge=_KEEPS_BRIEFLY, timed=True)
"""As SEARCH: there is no end of addresses that don't exist."""

MEDIA = Policy(
    name="MEDIA", browser=Freshness(ttl=timedelta(days=365)), public=True, immutable=True
)
"""The address holds the content's digest."""

FAVICON = Policy(
    name="FAVICON", browser=Freshness(ttl=timedelta(days=1)), edge=Freshness(ttl=timedelta(days=1))
)

TWO_MINUTES = Policy(
    name="TWO_MINUTES", browser=Freshness(ttl=timedelta(minutes=2)), purged=False, timed=True
)
"""What it shows is the time, so no purge tells when it is wrong: two minutes are two minutes."""

COOKIE = Policy(
    name="COOKIE",
    browser=Freshness(ttl=timedelta(minutes=2)),
    private=("Set-Cookie",),
    purged=False,
    timed=True,
)
"""The page is everyone's, its cookie one reader's: it shows whether an edge tells them apart."""
