"""The archive: articles on pages that are numbered from the oldest, and by year.

Publishing never changes a full page. Articles that do not fill a page yet are shown by the list
page, so that publishing changes only the list page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post

from .articles import Listed, filter_about
from .post_selects import (
    DATED,
    NEWEST_FIRST,
    OLDEST_FIRST,
    Posts,
    articles,
    for_links,
    for_lists,
    for_titles,
)
from .sql_functions import local_date, year_of

PAGE_SIZE = 20
"""How many articles a numbered page of the API lists; the site's pages follow a setting."""
YEAR_SIZE = 1000
_LAST_YEAR = 9999
_MARGIN = timedelta(days=1)
_day = local_date(Post.published_on, Post.published_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """One page of a list, newest first; page 1 holds the oldest articles."""

    number: int
    size: int
    posts: tuple[Post, ...]

    @property
    def is_complete(self) -> bool:
        """Whether the page is full, or the first; the list page shows the articles of others."""
        return len(self.posts) == self.size or self.number == 1

    @property
    def newer(self) -> int | None:
        """The number of the page with newer articles; that page may still be empty."""
        return self.number + 1 if len(self.posts) == self.size else None

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


def page(
    number: int, *, size: int | None = None, about: Listed | None = None, details: bool = False
) -> Numbered | None:
    """Page `number` of all articles, or of one topic's or author's; `size` is PAGE_SIZE if None.

    None when no article comes near it; it is empty when the page before it has just been filled.
    With `details`, the articles say all that `for_lists` can load but minutes.
    """
    size = size or PAGE_SIZE
    start = (number - 1) * size
    statement = filter_about(articles(), about).order_by(*OLDEST_FIRST)
    posts_of_page = statement.limit(size).offset(start).options(*for_lists(details=details))
    posts = tuple(reversed(list(db.session.scalars(posts_of_page))))
    if not posts and not (start and _first(statement.offset(start - 1))):
        return None
    return Numbered(number=number, size=size, posts=posts)


def ends(count: int, size: int | None = None) -> Ends:
    """Return how many of `count` articles the list page shows, and the next page."""
    older = max(count_complete_pages(count, size) - 1, 0)
    return Ends(article_count=count - older * (size or PAGE_SIZE), older=older or None)


def page_count(count: int, size: int | None = None) -> int:
    """How many numbered pages `count` articles make; the last one need not be full."""
    return -(-count // (size or PAGE_SIZE))


def count_complete_pages(count: int, size: int | None = None) -> int:
    """Return how many of these pages are complete: the full ones, or the only one."""
    return count // (size or PAGE_SIZE) or min(count, 1)


def years() -> list[Year]:
    """The years that have articles, newest first."""
    year = year_of(_day)
    statement = articles().with_only_columns(year, sa.func.count(Post.id)).group_by(year)
    rows = db.session.execute(statement.order_by(year.desc()))
    return [Year(number=int(number), count=count) for number, count in rows]


def year(number: int) -> YearPage | None:
    """The articles of one year, in the site's time zone; None when it has none."""
    if not 1 <= number < _LAST_YEAR:
        return None
    within = articles().where(*_between(date(number, 1, 1), date(number + 1, 1, 1)))
    statement = within.order_by(*NEWEST_FIRST).limit(YEAR_SIZE + 1)
    rows = list(db.session.scalars(statement.options(*for_titles(*DATED))))
    if not rows:
        return None
    return YearPage(
        number=number,
        posts=tuple(rows[:YEAR_SIZE]),
        earlier=_year_before(number),
        later=_year_after(number),
        is_truncated=len(rows) > YEAR_SIZE,
    )


def _between(start: date | None, end: date | None) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions for articles whose local date is from `start` and before `end`.

    Local dates differ from those in UTC by a day at most. The conditions on the instants say so to
    the database, which has an index of them, and to the edge, which compares them with changes.
    """
    if start is not None:
        yield _day >= start
        yield Post.published_at >= _midnight(start) - _MARGIN
    if end is not None:
        yield _day < end
        yield Post.published_at < _midnight(end) + _MARGIN


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _year_before(number: int) -> int | None:
    before = articles().where(*_between(None, date(number, 1, 1)))
    return _year_of_first(before.order_by(*NEWEST_FIRST))


def _year_after(number: int) -> int | None:
    after = articles().where(*_between(date(number + 1, 1, 1), None))
    return _year_of_first(after.order_by(*OLDEST_FIRST))


def _first(posts: Posts) -> Post | None:
    return db.session.scalar(posts.limit(1).options(*for_links(*DATED)))


def _year_of_first(posts: Posts) -> int | None:
    post = _first(posts)
    return post.local_date.year if post is not None and post.local_date else None
