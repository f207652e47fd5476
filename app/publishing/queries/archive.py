"""The archive: articles on pages that are numbered from the oldest, and by year.

A page that is full never changes again by publishing, so no page counts all articles.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post

from .articles import Listed, narrowed
from .instants import year_of
from .selections import NEWEST_FIRST, OLDEST_FIRST, Posts, articles, for_links, for_lists

PAGE_SIZE = 20
YEAR_SIZE = 1000
_LAST_YEAR = 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One page of a list, newest first; page 1 holds the oldest articles."""

    number: int
    posts: tuple[Post, ...]
    more: bool
    """Whether there is a page of newer articles."""

    @property
    def newer(self) -> int | None:
        """The number of the page with newer articles."""
        return self.number + 1 if self.more else None

    @property
    def older(self) -> int | None:
        """The number of the page with older articles."""
        return self.number - 1 if self.number > 1 else None


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
    cut: bool
    """Whether the year has more articles than one page lists."""


def page(number: int, *, about: Listed | None = None, details: bool = False) -> Numbered | None:
    """Page `number` of all articles, or of one topic's or author's; None when it is empty.

    With `details`, the articles say all that `for_lists` can load but minutes.
    """
    found = (
        narrowed(articles(), about)
        .order_by(*OLDEST_FIRST)
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
        .options(*for_lists(details=details))
    )
    rows = list(db.session.scalars(found))
    if not rows:
        return None
    shown = tuple(reversed(rows[:PAGE_SIZE]))
    return Numbered(number=number, posts=shown, more=len(rows) > PAGE_SIZE)


def page_after(shown: int, count: int) -> int | None:
    """The numbered page that goes on where the newest `shown` of `count` articles end."""
    left = count - shown
    return (left - 1) // PAGE_SIZE + 1 if left > 0 else None


def page_count(count: int) -> int:
    """How many numbered pages `count` articles make."""
    return -(-count // PAGE_SIZE)


def years() -> list[Year]:
    """The years that have articles, newest first."""
    year = year_of(Post.published_at)
    found = articles().with_only_columns(year, sa.func.count(Post.id)).group_by(year)
    rows = db.session.execute(found.order_by(year.desc()))
    return [Year(number=int(number), count=count) for number, count in rows]


def year(number: int) -> YearPage | None:
    """The articles of one year (UTC); None when it has none."""
    if not 1 <= number < _LAST_YEAR:
        return None
    start, end = datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC)
    within = articles().where(Post.published_at >= start, Post.published_at < end)
    found = within.order_by(*NEWEST_FIRST).limit(YEAR_SIZE + 1).options(*for_links())
    rows = list(db.session.scalars(found))
    if not rows:
        return None
    before = articles().where(Post.published_at < start).order_by(*NEWEST_FIRST)
    after = articles().where(Post.published_at >= end).order_by(*OLDEST_FIRST)
    return YearPage(
        number=number,
        posts=tuple(rows[:YEAR_SIZE]),
        earlier=_year_of_first(before),
        later=_year_of_first(after),
        cut=len(rows) > YEAR_SIZE,
    )


def _year_of_first(posts: Posts) -> int | None:
    post = db.session.scalar(posts.limit(1).options(*for_links()))
    return post.published_at.year if post is not None and post.published_at else None
