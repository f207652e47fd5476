"""Publish the scheduled posts that are due."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.extensions import db
from app.publishing.editing import public_addresses, writes
from app.publishing.models import Post, Status
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def publish_due(now: datetime, *, actor: Actor) -> list[int]:
    """Publish every scheduled post that is due; return their ids, earliest first.

    Raises Forbidden for an actor that is not SYSTEM.
    """
    is_due = (Post.status == Status.SCHEDULED) & (Post.published_at <= now)
    if db.session.scalar(sa.select(Post.id).where(is_due).limit(1)) is None:
        db.session.rollback()  # the check needs no write lock and must not keep a snapshot open
        return []
    with transaction() as session:
        permit(session, actor, Verb.RUN_JOBS)
        public_addresses.lock_addresses(session)
        statement = sa.select(Post).where(is_due).order_by(Post.published_at, Post.id)
        due = session.scalars(statement.with_for_update()).all()
        for post in due:
            post.status = Status.PUBLISHED
            writes.record_first_publication(post)
            post.updated_at = writes.last_change(post, post.updated_at, post.published_at)
            public_addresses.record_public_address(session, post, now=now)
        return [post.id for post in due]
