"""Pages: posts that have a place in the menu instead of a date."""

from __future__ import annotations

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Kind, Post

from .post_selects import for_links, for_pages, published

MOST_LINKED = 16


def by_slug(slug: str) -> Post | None:
    """One published page with its body."""
    found = published(Kind.PAGE).where(Post.slug == slug).options(*for_pages())
    return db.session.scalar(found)


def linked() -> list[Post]:
    """The pages that every page links to: those in the menu, in its order, then the others."""
    found = (
        published(Kind.PAGE)
        .order_by(sa.nulls_last(Post.menu_position), Post.slug, Post.id)
        .limit(MOST_LINKED)
        .options(*for_links(Post.title, Post.menu_position))
    )
    return list(db.session.scalars(found))


def everything() -> list[Post]:
    """All published pages, by slug."""
    found = published(Kind.PAGE).order_by(Post.slug, Post.id).options(*for_links(Post.updated_at))
    return list(db.session.scalars(found))
