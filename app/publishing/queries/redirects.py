"""Redirects: where an old address leads now."""

from __future__ import annotations

from urllib.parse import quote

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Redirect, Status
from app.publishing.paths import normal, spellings

from .post_selects import for_links


def target(path: str) -> str | None:
    """Return the target of a path: a published post or a fixed target, never the path itself.

    A path with `.html` and the same path without it share their redirect, unless each has its own.
    """
    try:
        sources = spellings(normal(quote(path)))
    except ValueError:
        return None
    leads = next(filter(None, map(_target_of, sources)), None)
    return leads if leads != path else None


def _target_of(source: str) -> str | None:
    statement = sa.select(Redirect.id, Redirect.target, Redirect.post_id)
    row = db.session.execute(statement.where(Redirect.source == source)).one_or_none()
    if row is None:
        return None
    return row.target if row.post_id is None else _public_path(row.post_id)


def _public_path(post_id: int) -> str | None:
    """A separate query: with a join, every new post would purge all pages without a redirect."""
    statement = sa.select(Post).where(Post.id == post_id).options(*for_links(Post.status))
    post = db.session.scalar(statement)
    return post.path if post is not None and post.status is Status.PUBLISHED else None
