"""A page: one response that a shared cache may hold, known by its URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LIFETIME = timedelta(days=365)
"""Stands for a lifetime that was not recorded: such a page is purged everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is registered of a response; `expires` is when no cache can hold it any more.

    `site` is the address that `url` is a path of, such as `https://example.org`.
    `lifetime` is how long an edge in front may take it for fresh.
    `aside` are errors, redirects and answers to a query, of which readers make up what they like.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A registered page that a change may have touched, at the site where it was registered.

    `gone`: it may have lost something that must not be shown any more. `lifetime` is the longest
    for which an edge may take one of its copies for fresh; None where a person named the page.
    """

    id: int
    url: str
    tag: str
    site: str = ""
    gone: bool = False
    lifetime: timedelta | None = None

    def outlives(self, span: timedelta) -> bool:
        """Tell whether an edge may keep a copy for longer than this."""
        return self.lifetime is None or self.lifetime > span


def urls(pages: Iterable[Affected]) -> tuple[str, ...]:
    """The URLs of pages, each once, in a stable order."""
    return tuple(sorted({page.url for page in pages}))
