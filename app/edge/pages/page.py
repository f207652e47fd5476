"""A page: one response that a shared cache may hold, identified by its URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FLEETING = timedelta(minutes=1)
"""Edges that bill or limit purges by URL get none for a page that they keep no longer than this."""

LIFETIME = timedelta(days=365)
"""Used for a lifetime that was not recorded: such a page is purged at every tier."""


class ShortKind(StrEnum):
    """The kinds of short-lived pages; each has its own limit in the index."""

    ERROR = "error"
    REDIRECT = "redirect"
    QUERY = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A response whose URL readers can invent: an error, a redirect, a search.

    `fleeting`: an edge stores it for at most a minute.
    """

    kind: ShortKind
    fleeting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedPage:
    """The registered data of a response; after `expires_at` no cache can hold it.

    `site` is the origin that `url` belongs to, such as `https://example.org`.
    `lifetime` is how long an edge may treat a copy as fresh.
    `is_open_ended`: an error, a redirect or a response to a query; their number is unlimited.
    With `short`, the page is registered in a group that shares one set of coarse dependencies;
    `group_tag` is the cache tag that all short-lived pages carry besides their own.
    """

    url: str
    site: str = ""
    variant: str = ""
    tag: str
    etag: str
    policy: str
    registered_at: datetime
    expires_at: datetime
    lifetime: timedelta = LIFETIME
    is_open_ended: bool = False
    short: Short | None = None
    group_tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedPage:
    """A registered page that a change may have affected, at the site where it was registered.

    `hard_purge`: content may have been removed from it, so no stale copy may be served.
    `lifetime` is the longest time for which an edge may treat a copy as fresh; None if a person
    purged the URL. `short`: it belongs to a group of short-lived pages, which share one `tag`.
    """

    id: int
    url: str
    tag: str
    site: str = ""
    hard_purge: bool = False
    short: Short | None = None
    lifetime: timedelta | None = None

    def outlives(self, span: timedelta) -> bool:
        """Return whether an edge may treat a copy as fresh for longer than `span`."""
        return self.lifetime is None or self.lifetime > span


def sorted_urls(pages: Iterable[AffectedPage]) -> tuple[str, ...]:
    """Return the URLs of pages, each once, sorted."""
    return tuple(sorted({page.url for page in pages}))
