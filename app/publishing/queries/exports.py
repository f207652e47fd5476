"""Queries for machines: URLs for sitemaps, every article as a row, counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Author, Kind, Post, Status, Topic, post_author, post_topic
from app.publishing.sitemaps import Address

from .post_selects import NEWEST_FIRST, OLDEST_FIRST, articles

SITEMAP_SIZE = 5000
MOST_ROWS = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One article as a spreadsheet shows it."""

    path: str
    title: str
    summary: str
    published_at: datetime
    updated_at: datetime
    word_count: int
    authors: tuple[str, ...]
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The site in numbers."""

    articles: int
    pages: int
    topics: int
    authors: int
    words: int
    newest_at: datetime | None
    oldest_at: datetime | None


def addresses(number: int) -> list[Address]:
    """The articles' addresses, `SITEMAP_SIZE` at a time, numbered from the oldest.

    They are selected by key, so that other posts may change.
    """
    statement = (
        articles()
        .with_only_columns(Post.id, Post.slug, Post.updated_at)
        .order_by(*OLDEST_FIRST)
        .limit(SITEMAP_SIZE)
        .offset((number - 1) * SITEMAP_SIZE)
    )
    rows = db.session.execute(statement)
    return [Address(path=f"/articles/{row.slug}", changed_at=row.updated_at) for row in rows]


def rows() -> list[Row]:
    """Every published article, newest first, `MOST_ROWS` at most; three statements."""
    statement = articles().with_only_columns(
        Post.id,
        Post.slug,
        Post.title,
        Post.summary,
        Post.published_at,
        Post.updated_at,
        Post.word_count,
    )
    authors = _names(post_author, Author, post_author.c.author_id)
    topics = _names(post_topic, Topic, post_topic.c.topic_id)
    return [
        Row(
            path=f"/articles/{row.slug}",
            title=row.title,
            summary=row.summary,
            published_at=row.published_at,
            updated_at=row.updated_at,
            word_count=row.word_count,
            authors=tuple(authors.get(row.id, ())),
            topics=tuple(topics.get(row.id, ())),
        )
        for row in db.session.execute(statement.order_by(*NEWEST_FIRST).limit(MOST_ROWS))
    ]


def summary() -> Summary:
    """The site in numbers."""
    statement = articles().with_only_columns(
        sa.func.count(Post.id).label("articles"),
        sa.func.coalesce(sa.func.sum(Post.word_count), 0).label("words"),
        sa.func.max(Post.published_at).label("newest_at"),
        sa.func.min(Post.published_at).label("oldest_at"),
    )
    row = db.session.execute(statement).one()
    return Summary(
        articles=row.articles,
        pages=_published_pages(),
        topics=_linked(post_topic, post_topic.c.topic_id),
        authors=_linked(post_author, post_author.c.author_id),
        words=int(row.words),
        newest_at=row.newest_at,
        oldest_at=row.oldest_at,
    )


def _published_pages() -> int:
    public = (Post.kind == Kind.PAGE, Post.status == Status.PUBLISHED)
    return db.session.scalar(sa.select(sa.func.count(Post.id)).where(*public)) or 0


def _linked(links: sa.Table, noun: sa.Column[int]) -> int:
    statement = articles().join(links, links.c.post_id == Post.id)
    return db.session.scalar(statement.with_only_columns(sa.func.count(noun.distinct()))) or 0


def _names(
    links: sa.Table, noun: type[Author | Topic], key: sa.Column[int]
) -> dict[int, list[str]]:
    statement = (
        articles()
        .join(links, links.c.post_id == Post.id)
        .join(noun, noun.id == key)
        .with_only_columns(Post.id, noun.id, noun.name)
        .order_by(Post.id, links.c.position, key)
    )
    names: dict[int, list[str]] = {}
    for post_id, _, name in db.session.execute(statement):
        names.setdefault(post_id, []).append(name)
    return names
