"""Posts that are not public."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from app.extensions import db
from app.publishing.models import Post, Status


def by_slug(slug: str) -> Post | None:
    """The post with this slug that is not published; an article before a page."""
    statement = sa.select(Post).where(Post.slug == slug, Post.status != Status.PUBLISHED)
    return db.session.scalar(statement.order_by(Post.kind).limit(1).options(undefer(Post.version)))
