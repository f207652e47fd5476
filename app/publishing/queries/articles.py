"""Articles: one, its neighbours in time, the newest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Author, Post, Topic, post_author, post_topic

from .post_selects import (
    NEWEST_FIRST,
    OLDEST_FIRST,
    Posts,
    articles,
    for_feeds,
    for_links,
    for_lists,
    for_reading,
    for_source,
    for_titles,
)

Listed = Topic | Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The articles just before and just after one."""

    older: Post | None
    newer: Post | None


RELATED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the page of an article shows besides the article."""

    neighbours: Neighbours
    about: Listed | None
    """The topic or author of the related articles; None if only their dates are near."""
    related: list[Post]


def by_slug(slug: str) -> Post | None:
    """One published article with its body."""
    return db.session.scalar(articles().where(Post.slug == slug).options(*for_reading()))


def source_by_slug(slug: str) -> Post | None:
    """One published article with its Markdown."""
    options = for_source(authors_and_topics=True)
    return db.session.scalar(articles().where(Post.slug == slug).options(*options))


def newest_summed_up(limit: int) -> list[Post]:
    """The newest articles: their titles and summaries alone."""
    columns = (Post.title, Post.summary, Post.published_at)
    statement = articles().order_by(*NEWEST_FIRST).limit(limit).options(*for_links(*columns))
    return list(db.session.scalars(statement))


def changed_since(since: datetime, *, after: int, limit: int) -> list[Post]:
    """The articles that readers saw change at an instant or later, the earliest change first.

    Articles that changed at the instant itself are listed only if their id is greater than `after`.
    """
    change_time = sa.case(
        (Post.published_at > Post.updated_at, Post.published_at), else_=Post.updated_at
    )
    later = sa.or_(change_time > since, sa.and_(change_time == since, Post.id > after))
    statement = articles().where(later).order_by(change_time, Post.id).limit(limit)
    return list(db.session.scalars(statement.options(*for_lists(details=True))))


def is_storable(at: datetime) -> bool:
    """Tell whether a database can compare an instant: in UTC, its year has four digits."""
    try:
        at.astimezone(UTC)
    except OverflowError:
        return False
    return True


def newest(
    limit: int, *, about: Listed | None = None, details: bool = False, minutes: bool = False
) -> list[Post]:
    """The newest articles, of one topic or author if one is given, as `for_lists` loads them."""
    statement = filter_about(articles(), about).order_by(*NEWEST_FIRST).limit(limit)
    statement = statement.options(*for_lists(details=details, minutes=minutes))
    return list(db.session.scalars(statement))


def newest_in_full(limit: int, *, about: Listed | None = None, cover: bool = False) -> list[Post]:
    """The newest articles with their bodies, for a feed; with covers, where it shows them."""
    statement = filter_about(articles(), about).order_by(*NEWEST_FIRST).limit(limit)
    return list(db.session.scalars(statement.options(*for_feeds(cover=cover))))


def count(*, about: Listed | None = None) -> int:
    """How many articles are published, of one topic or author if one is given."""
    statement = filter_about(articles(), about).with_only_columns(sa.func.count(Post.id))
    return db.session.scalar(statement) or 0


def neighbours(article: Post) -> Neighbours:
    """The articles just before and just after this one."""
    return Neighbours(
        older=_first(_before(article).order_by(*NEWEST_FIRST)),
        newer=_first(_after(article).order_by(*OLDEST_FIRST)),
    )


def surroundings(article: Post) -> Surroundings:
    """The neighbours of an article, and earlier articles that are related to it.

    These share its first topic. If there are none, they share its first author; if there are none
    of those either, they are the nearest articles before its older neighbour.
    """
    around = neighbours(article)
    subjects: tuple[Listed, ...] = (*article.topics[:1], *article.authors[:1])
    for about in subjects:
        if related := earlier_about(about, article, RELATED):
            return Surroundings(neighbours=around, about=about, related=related)
    return Surroundings(neighbours=around, about=None, related=earlier(article, RELATED, skip=1))


def earlier_about(about: Listed, article: Post, limit: int) -> list[Post]:
    """The articles of a topic or author before this one, newest first.

    A later article never changes them.
    """
    return _newest_of(filter_about(_before(article), about).limit(limit))


def earlier(article: Post, limit: int, *, skip: int = 0) -> list[Post]:
    """The articles before this one, newest first, without the `skip` nearest."""
    return _newest_of(_before(article).limit(limit).offset(skip))


def _newest_of(posts: Posts) -> list[Post]:
    return list(db.session.scalars(posts.order_by(*NEWEST_FIRST).options(*for_lists())))


def filter_about(posts: Posts, about: Listed | None) -> Posts:
    """Restrict articles to one topic or author, if one is given."""
    if isinstance(about, Topic):
        return posts.join(post_topic, post_topic.c.post_id == Post.id).where(
            post_topic.c.topic_id == about.id
        )
    if isinstance(about, Author):
        return posts.join(post_author, post_author.c.post_id == Post.id).where(
            post_author.c.author_id == about.id
        )
    return posts


def _before(article: Post) -> Posts:
    at = article.published_at
    tie = sa.or_(Post.published_at < at, Post.id < article.id)
    return articles().where(Post.published_at <= at, tie)


def _after(article: Post) -> Posts:
    at = article.published_at
    tie = sa.or_(Post.published_at > at, Post.id > article.id)
    return articles().where(Post.published_at >= at, tie)


def _first(posts: Posts) -> Post | None:
    # Load the date, which bounds the recorded range: a post outside it does not purge this page.
    options = for_titles(Post.published_at)
    return db.session.scalar(posts.limit(1).options(*options))
