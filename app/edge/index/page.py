"""A page: one response that a shared cache may hold, known by its URL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is registered of a response; `expires` is when no cache can hold it any more.

    `aside` are errors, redirects and answers to a query, of which readers make up what they like.
    """

    url: str
    variant: str = ""
    tag: str
    etag: str
    policy: str
    registered: datetime
    expires: datetime
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """A registered page that a change may have touched.

    `gone`: it may have lost something that must not be shown any more.
    """

    id: int
    url: str
    tag: str
    gone: bool = False


def urls(pages: Iterable[Affected]) -> tuple[str, ...]:
    """The URLs of pages, each once, in a stable order."""
    return tuple(sorted({page.url for page in pages}))
