"""Authors, one or all, with how many published articles each has."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Author, Post, post_author

from .selections import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAuthor:
    """An author and how many published articles they have."""

    author: Author
    count: int


def by_slug(slug: str) -> Author | None:
    """One author."""
    return db.session.scalar(sa.select(Author).where(Author.slug == slug))


def in_use() -> list[CountedAuthor]:
    """The authors of published articles, by name."""
    counts = (
        articles()
        .join(post_author, post_author.c.post_id == Post.id)
        .with_only_columns(post_author.c.author_id, sa.func.count(Post.id).label("count"))
        .group_by(post_author.c.author_id)
        .subquery()
    )
    found = sa.select(Author, counts.c.count).join(counts, counts.c.author_id == Author.id)
    rows = db.session.execute(found.order_by(Author.name, Author.id))
    return [CountedAuthor(author=author, count=count) for author, count in rows]
