"""Open the working copy of a post, which its editors share."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing import working_copies, writes
from app.publishing.editing.working_copies import Stamp
from app.publishing.models import Post, WorkingCopy
from app.publishing.permissions import Actor, Verb, describe_post, permit
from app.publishing.transaction import transaction


def open_copy(post_id: int, *, now: datetime, actor: Actor) -> WorkingCopy:
    """Return the working copy of the post; create it if there is none.

    A copy without changes follows the post. Raises Missing or Forbidden.
    """
    stamp = Stamp(actor=actor, now=now)
    with transaction() as session:
        post = working_copies.lock_post(session, post_id)
        permit(session, actor, Verb.EDIT_COPY, describe_post(session, post))
        copy = session.scalars(
            sa.select(WorkingCopy)
            .where(WorkingCopy.post_id == post.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if copy is None:
            return _create(session, post, stamp)
        if copy.fields == copy.base_fields:
            _follow_post(session, copy, post, stamp)
        return copy


def _create(session: Session, post: Post, stamp: Stamp) -> WorkingCopy:
    fields = working_copies.fields_of_post(session, post).to_json()
    copy = WorkingCopy(
        post_id=post.id,
        kind=post.kind,
        owner_id=stamp.actor.user_id,
        base_revision=writes.last_revision(session, post.id),
        base_fields=fields,
        fields=fields,
        updated_by=stamp.actor.user_id,
        created_at=stamp.now,
        updated_at=stamp.now,
    )
    return working_copies.add_copy(session, copy, stamp)


def _follow_post(session: Session, copy: WorkingCopy, post: Post, stamp: Stamp) -> None:
    fields = working_copies.fields_of_post(session, post)
    revision = writes.last_revision(session, post.id)
    if fields.to_json() != copy.fields:
        base = {"base_fields": fields.to_json(), "base_revision": revision}
        working_copies.write_fields(session, copy, fields, stamp, **base)
    elif copy.base_revision != revision:
        copy.base_revision = revision
