"""Archive a post: it keeps its text and revisions, but is no longer public."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import lookups, public_addresses, writes
from app.publishing.editing.status_transitions import StatusAction, next_status
from app.publishing.models import Post, Status
from app.publishing.permissions import Actor, verb_for_status
from app.publishing.transaction import transaction


def archive(post_id: int, *, expected_version: int, now: datetime, actor: Actor) -> Post:
    """Archive the post; a date in the past is kept, a planned date is removed.

    Raises Missing, Forbidden, or Conflict when the post was saved since the caller loaded it.
    """
    with transaction() as session:
        post = lookups.lock_post(
            session, post_id, expected_version, actor=actor, verb=verb_for_status
        )
        before, post.status = post.status, next_status(post.status, StatusAction.ARCHIVE)
        if before is not post.status and not writes.has_past_date(post, now):
            post.published_at = None
        if before is Status.PUBLISHED:
            public_addresses.restore_earlier_redirects(session, post, now=now)
        return post
