"""Redirects: where an old address leads now."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from app.extensions import db
from app.publishing.models import Post, Redirect, Status

from .selections import for_links

LONGEST = 500


def target(path: str) -> str | None:
    """Where a path leads now: to a published post or a fixed address, never to itself."""
    source = path.lower().rstrip("/")
    if not source or len(source) > LONGEST or not source.isprintable():
        return None
    found = sa.select(Redirect).where(Redirect.source == source)
    redirect = db.session.scalar(found.options(joinedload(Redirect.post).options(*for_links())))
    if redirect is None:
        return None
    leads = _public_path(redirect.post) if redirect.post else redirect.target
    return leads if leads != path else None


def _public_path(post: Post) -> str | None:
    return post.path if post.status is Status.PUBLISHED else None
