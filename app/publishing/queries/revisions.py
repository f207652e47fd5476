"""The revisions of a post."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import undefer_group

from app.extensions import db
from app.publishing.errors import Missing
from app.publishing.models import Post, Revision, User
from app.publishing.permissions import Actor, Verb, describe_post, permit


def post_with_revisions(post_id: int, actor: Actor) -> Post:
    """Return the post, if the actor may edit its working copy; raises Missing or Forbidden."""
    post = db.session.get(Post, post_id, populate_existing=True)
    if post is None:
        raise Missing("The post does not exist; it may have been deleted.")
    permit(db.session(), actor, Verb.EDIT_COPY, describe_post(db.session(), post))
    return post


def of_post(post: Post) -> Sequence[tuple[Revision, str]]:
    """Return the revisions without their texts, with the names of their writers, newest first."""
    statement = (
        sa.select(Revision, sa.func.coalesce(User.name, ""))
        .outerjoin(User, User.id == Revision.user_id)
        .where(Revision.post_id == post.id)
        .order_by(Revision.number.desc())
    )
    return db.session.execute(statement).all()


def by_number(post: Post, number: int) -> Revision:
    """Return one revision with its text; raises Missing."""
    statement = sa.select(Revision).where(Revision.post_id == post.id, Revision.number == number)
    revision = db.session.scalar(statement.options(undefer_group("source")))
    if revision is None:
        raise Missing(f"The post has no revision {number}.")
    return revision


def newest(post_id: int) -> Revision | None:
    """Return the newest revision with its text."""
    statement = sa.select(Revision).where(Revision.post_id == post_id)
    statement = statement.order_by(Revision.number.desc()).limit(1)
    return db.session.scalar(statement.options(undefer_group("source")))
