"""Authors, one or all, with how many published articles each has."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from app.extensions import db
from app.publishing.models import Author, Post, post_author

from .post_selects import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedAuthor:
    """An author and how many published articles they have."""

    author: Author
    count: int


def by_slug(slug: str, *, described: bool = False) -> Author | None:
    """Return one author; the description is loaded only when `described`."""
    about = (Author.bio_html, Author.url) if described else ()
    statement = sa.select(Author).where(Author.slug == slug)
    options = load_only(Author.slug, Author.name, *about, raiseload=True)
    return db.session.scalar(statement.options(options))


def with_articles() -> list[CountedAuthor]:
    """The authors of published articles, by name.

    Sorted here, since an order in SQL reads the names of the authors who have none too.
    """
    counts = _counts()
    statement = sa.select(Author, counts.c.count).join(counts, counts.c.author_id == Author.id)
    rows = db.session.execute(statement.order_by(Author.id))
    authors = [CountedAuthor(author=author, count=count) for author, count in rows]
    return sorted(authors, key=lambda one: (one.author.name.casefold(), one.author.id))


def named_with_articles() -> list[CountedAuthor]:
    """The same without their descriptions."""
    counts = _counts()
    statement = sa.select(Author, counts.c.count).join(counts, counts.c.author_id == Author.id)
    options = load_only(Author.slug, Author.name, raiseload=True)
    rows = db.session.execute(statement.order_by(Author.id).options(options))
    authors = [CountedAuthor(author=author, count=count) for author, count in rows]
    return sorted(authors, key=lambda one: (one.author.name.casefold(), one.author.id))


def slugs_with_articles() -> list[str]:
    """The addresses of the authors of published articles; their names are not read."""
    counts = _counts()
    statement = sa.select(Author.id, Author.slug).join(counts, counts.c.author_id == Author.id)
    return [slug for _, slug in db.session.execute(statement.order_by(Author.slug))]


def _counts() -> sa.Subquery:
    return (
        articles()
        .join(post_author, post_author.c.post_id == Post.id)
        .with_only_columns(post_author.c.author_id, sa.func.count(Post.id).label("count"))
        .group_by(post_author.c.author_id)
        .subquery()
    )
