"""A page: one response that a shared cache may hold, known by its URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FLEETING = timedelta(minutes=1)
"""Edges that bill or limit purges by URL get none for a page that they keep no longer than this."""

LIFETIME = timedelta(days=365)
"""Stands for a lifetime that was not recorded: such a page is purged everywhere."""


class ShortKind(StrEnum):
    """The kinds of short-lived pages; each has its own room in the index."""

    ERROR = "error"
    REDIRECT = "redirect"
    QUERY = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A response of which readers can make up any number: an error, a redirect, a search.

    `fleeting`: an edge keeps it for a minute at most.
    """

    kind: ShortKind
    fleeting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is registered of a response; `expires` is when no cache can hold it any more.

    `site` is the address that `url` is a path of, such as `https://example.org`.
    `lifetime` is how long an edge in front may take it for fresh.
    `aside` are errors, redirects and answers to a query, of which readers make up what they like.
    With `short`, the page is registered in a group that shares one set of coarse dependencies;
    `group_tag` is the cache tag that all short-lived pages carry beside their own.
    """

    url: str
    site: str = ""
    variant: str = ""
    tag: str
    etag: str
    policy: str
    registered: datetime
    expires: datetime
    lifetime: timedelta = LIFETIME
    aside: bool = False
    short: Short | None = None
    group_tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A registered page that a change may have touched, at the site where it was registered.

    `gone`: it may have lost something that must not be shown any more. `lifetime` is the longest
    for which an edge may take one of its copies for fresh; None where a person named the page.
    `short`: it belongs to a group of short-lived pages, which are purged together; their `tag` is
    that of all such pages.
    """

    id: int
    url: str
    tag: str
    site: str = ""
    gone: bool = False
    short: Short | None = None
    lifetime: timedelta | None = None

    def outlives(self, span: timedelta) -> bool:
        """Tell whether an edge may keep a copy for longer than this."""
        return self.lifetime is None or self.lifetime > span


def urls(pages: Iterable[Affected]) -> tuple[str, ...]:
    """The URLs of pages, each once, in a stable order."""
    return tuple(sorted({page.url for page in pages}))
