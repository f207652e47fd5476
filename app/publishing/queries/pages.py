"""Pages: posts that have a place in the menu instead of a date."""

from __future__ import annotations

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Kind, Post

from .post_selects import for_links, for_page_lists, for_pages, for_source, for_titles, published

MOST_LINKED = 16


def by_slug(slug: str) -> Post | None:
    """One published page with its body."""
    statement = published(Kind.PAGE).where(Post.slug == slug).options(*for_pages())
    return db.session.scalar(statement)


def source_by_slug(slug: str) -> Post | None:
    """One published page with its Markdown."""
    options = for_source(authors_and_topics=False)
    return db.session.scalar(published(Kind.PAGE).where(Post.slug == slug).options(*options))


def summed_up() -> list[Post]:
    """All published pages, by slug: their titles and summaries alone."""
    options = for_links(Post.title, Post.summary)
    statement = published(Kind.PAGE).order_by(Post.slug, Post.id).options(*options)
    return list(db.session.scalars(statement))


def listed() -> list[Post]:
    """All published pages, by slug, with the facts that the API lists."""
    statement = published(Kind.PAGE).order_by(Post.slug, Post.id).options(*for_page_lists())
    return list(db.session.scalars(statement))


def in_full_by_slug(slug: str) -> Post | None:
    """One published page with its text, for the API, which shows no cover."""
    statement = published(Kind.PAGE).where(Post.slug == slug)
    return db.session.scalar(statement.options(*for_page_lists(text=True)))


def linked() -> list[Post]:
    """Return the pages of menu and footer: those in the menu, in menu order, then the others."""
    statement = (
        published(Kind.PAGE)
        .order_by(sa.nulls_last(Post.menu_position), Post.slug, Post.id)
        .limit(MOST_LINKED)
        .options(*for_titles(Post.menu_position))
    )
    return list(db.session.scalars(statement))


def everything() -> list[Post]:
    """All published pages, by slug."""
    statement = (
        published(Kind.PAGE).order_by(Post.slug, Post.id).options(*for_links(Post.updated_at))
    )
    return list(db.session.scalars(statement))
