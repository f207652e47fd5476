"""Pages: posts that have a place in the menu instead of a date."""

from __future__ import annotations

from app.extensions import db
from app.publishing.models import Kind, Post

from .selections import for_links, for_reading, published

MENU_SIZE = 8


def by_slug(slug: str) -> Post | None:
    """One published page with its body."""
    found = published(Kind.PAGE).where(Post.slug == slug).options(*for_reading())
    return db.session.scalar(found)


def in_menu() -> list[Post]:
    """The published pages that stand in the menu, in its order."""
    found = (
        published(Kind.PAGE)
        .where(Post.menu_position.is_not(None))
        .order_by(Post.menu_position, Post.id)
        .limit(MENU_SIZE)
        .options(*for_links())
    )
    return list(db.session.scalars(found))


def everything() -> list[Post]:
    """All published pages, by slug."""
    found = published(Kind.PAGE).order_by(Post.slug, Post.id).options(*for_links())
    return list(db.session.scalars(found))
