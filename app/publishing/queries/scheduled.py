"""Scheduled posts."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Status


def next_due() -> datetime | None:
    """Return when the next scheduled post is due, or None."""
    first = sa.select(Post.published_at).where(Post.status == Status.SCHEDULED)
    return db.session.scalar(first.order_by(Post.published_at).limit(1))


def list_due_times(limit: int = 200) -> list[tuple[str, datetime]]:
    """Return the title and the instant of the scheduled posts, the earliest first."""
    statement = sa.select(Post.title, Post.published_at).where(Post.status == Status.SCHEDULED)
    rows = db.session.execute(statement.order_by(Post.published_at, Post.id).limit(limit))
    return [(title, due) for title, due in rows if due is not None]
