"""The archive: articles on pages that are numbered from the oldest, and by year.

Publishing never changes a full page. Articles that do not fill a page yet are shown by the list
page, so that publishing changes only the list page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post

from .articles import Listed, filter_about
from .post_selects import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    Posts,
    articles,
    for_links,
    for_lists,
    for_titles,
)
from .sql_functions import year_of

PAGE_SIZE = 20
YEAR_SIZE = 1000
_LAST_YEAR = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One page of a list, newest first; page 1 holds the oldest articles."""

    number: int
    posts: tuple[Post, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the page is full, or the first; the list page shows the articles of others."""
        return len(self.posts) == PAGE_SIZE or self.number == 1

    @property
    def newer(self) -> int | None:
        """The number of the page with newer articles; that page may still be empty."""
        return self.number + 1 if len(self.posts) == PAGE_SIZE else None

    @property
    def older(self) -> int | None:
        """The number of the page with older articles."""
        return self.number - 1 if self.number > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """How many articles a list page shows: those of the newest full page, and newer ones."""

    article_count: int
    older: int | None
    """The number of the page with the next older articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """A year and how many articles it has."""

    number: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPage:
    """The articles of one year, newest first, and the nearest years that have some."""

    number: int
    posts: tuple[Post, ...]
    earlier: int | None
    later: int | None
    is_truncated: bool
    """Whether the year has more articles than one page lists."""


def page(number: int, *, about: Listed | None = None, details: bool = False) -> Numbered | None:
    """Page `number` of all articles, or of one topic's or author's.

    None when no article comes near it; it is empty when the page before it has just been filled.
    With `details`, the articles say all that `for_lists` can load but minutes.
    """
    start = (number - 1) * PAGE_SIZE
    statement = filter_about(articles(), about).order_by(*OLDEST_FIRST)
    posts_of_page = statement.limit(PAGE_SIZE).offset(start).options(*for_lists(details=details))
    posts = tuple(reversed(list(db.session.scalars(posts_of_page))))
    if not posts and not (start and _first(statement.offset(start - 1))):
        return None
    return Numbered(number=number, posts=posts)


def ends(count: int) -> Ends:
    """Return how many of `count` articles the list page shows, and the next page."""
    older = max(count_complete_pages(count) - 1, 0)
    return Ends(article_count=count - older * PAGE_SIZE, older=older or None)


def page_count(count: int) -> int:
    """How many numbered pages `count` articles make; the last one need not be full."""
    return -(-count // PAGE_SIZE)


def count_complete_pages(count: int) -> int:
    """Return how many of these pages are complete: the full ones, or the only one."""
    return count // PAGE_SIZE or min(count, 1)


def years() -> list[Year]:
    """The years that have articles, newest first."""
    year = year_of(Post.published_at)
    statement = articles().with_only_columns(year, sa.func.count(Post.id)).group_by(year)
    rows = db.session.execute(statement.order_by(year.desc()))
    return [Year(number=int(number), count=count) for number, count in rows]


def year(number: int) -> YearPage | None:
    """The articles of one year (UTC); None when it has none."""
    if not 1 <= number < _LAST_YEAR:
        return None
    start, end = datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC)
    within = articles().where(Post.published_at >= start, Post.published_at < end)
    statement = within.order_by(*NEWEST_FIRST).limit(YEAR_SIZE + 1)
    rows = list(db.session.scalars(statement.options(*for_titles(Post.published_at))))
    if not rows:
        return None
    before = articles().where(Post.published_at < start).order_by(*NEWEST_FIRST)
    after = articles().where(Post.published_at >= end).order_by(*OLDEST_FIRST)
    return YearPage(
        number=number,
        posts=tuple(rows[:YEAR_SIZE]),
        earlier=_year_of_first(before),
        later=_year_of_first(after),
        is_truncated=len(rows) > YEAR_SIZE,
    )


def _first(posts: Posts) -> Post | None:
    return db.session.scalar(posts.limit(1).options(*for_links(Post.published_at)))


def _year_of_first(posts: Posts) -> int | None:
    post = _first(posts)
    return post.published_at.year if post is not None and post.published_at else None
