"""Queries for machines: URLs for sitemaps, every article as a row, counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Author, Kind, Post, Status, Topic, post_author, post_topic
from app.publishing.sitemaps import Address
from app.publishing.slugs import to_path

from .post_selects import NEWEST_FIRST, OLDEST_FIRST, articles

SITEMAP_SIZE = 1000
"""Addresses in one sitemap: publishing renders the last one again, on a site of any size."""

PART_SIZE = 1000
"""Articles in one file of a download, at most."""

LARGEST_ROW = 4 * 1024
"""Bytes that are reckoned for a row, with a long summary and several authors and topics."""


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
class Part:
    """Some articles, newest first; `full`: it has as many as fit, so there may be others."""

    rows: tuple[Row, ...]
    full: bool


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
    return [
        Address(path=to_path("/articles/", row.slug), changed_at=row.updated_at) for row in rows
    ]


def part_size(entry: int) -> int:
    """How many articles one file lists, so that a store keeps it that takes `entry` bytes."""
    return max(1, min(PART_SIZE, entry // LARGEST_ROW))


def newest(size: int) -> Part:
    """The newest articles, newest first; three statements."""
    rows = list(db.session.execute(_columns().order_by(*NEWEST_FIRST).limit(size + 1)))
    return Part(rows=_rows(rows[:size]), full=len(rows) > size)


def part(number: int, size: int) -> Part | None:
    """Part `number` of all articles, newest first; part 1 has the oldest. None where none are.

    A full part does not change by publishing. Three statements.
    """
    query = _columns().order_by(*OLDEST_FIRST).limit(size).offset((number - 1) * size)
    oldest_first = list(db.session.execute(query))
    if not oldest_first:
        return None
    return Part(rows=_rows(oldest_first[::-1]), full=len(oldest_first) == size)


def _columns() -> sa.Select[int, str, str, str, datetime, datetime, int]:
    columns = (Post.id, Post.slug, Post.title, Post.summary)
    dates = (Post.published_at, Post.updated_at, Post.word_count)
    selected: Any = articles().with_only_columns(*columns, *dates)
    return selected  # type: ignore[no-any-return]  # it loses its types on the way


def _rows(selected: Sequence[Any]) -> tuple[Row, ...]:
    """The rows with their names; `selected` are articles in order, newest first."""
    if not selected:
        return ()
    between = (selected[-1].published_at, selected[0].published_at)
    authors = _names(post_author, Author, post_author.c.author_id, between)
    topics = _names(post_topic, Topic, post_topic.c.topic_id, between)
    return tuple(
        Row(
            path=to_path("/articles/", row.slug),
            title=row.title,
            summary=row.summary,
            published_at=row.published_at,
            updated_at=row.updated_at,
            word_count=row.word_count,
            authors=tuple(authors.get(row.id, ())),
            topics=tuple(topics.get(row.id, ())),
        )
        for row in selected
    )


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
    links: sa.Table,
    noun: type[Author | Topic],
    key: sa.Column[int],
    between: tuple[datetime, datetime],
) -> dict[int, list[str]]:
    """The names that articles of a span of time are linked with, in their order."""
    first, last = between
    statement = (
        articles()
        .where(Post.published_at >= first, Post.published_at <= last)
        .join(links, links.c.post_id == Post.id)
        .join(noun, noun.id == key)
        .with_only_columns(Post.id, Post.published_at, noun.id, noun.name)
        .order_by(Post.published_at, Post.id, links.c.position, key)
    )
    names: dict[int, list[str]] = {}
    for post_id, _, _, name in db.session.execute(statement):
        names.setdefault(post_id, []).append(name)
    return names
