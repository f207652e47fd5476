"""Redirects: where an old address leads now."""

from __future__ import annotations

from urllib.parse import quote

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Redirect, Status
from app.publishing.paths import normal

from .selections import for_links


def target(path: str) -> str | None:
    """Where a path leads now: to a published post or a fixed address, never to itself."""
    try:
        source = normal(quote(path))
    except ValueError:
        return None
    found = (
        sa.select(Redirect.target, Post)
        .outerjoin(Post, Redirect.post_id == Post.id)
        .where(Redirect.source == source)
        .options(*for_links())
    )
    row = db.session.execute(found).one_or_none()
    leads = row and (_public_path(row.Post) if row.Post else row.target)
    return leads if leads and leads != path else None


def _public_path(post: Post) -> str | None:
    return post.path if post.status is Status.PUBLISHED else None
