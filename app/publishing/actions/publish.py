"""Publish a post: readers see it from now on."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import lookups, public_addresses, writes
from app.publishing.editing.status_transitions import StatusAction, next_status
from app.publishing.models import Post
from app.publishing.permissions import Actor, verb_for_status
from app.publishing.transaction import transaction


def publish(post_id: int, *, expected_version: int, now: datetime, actor: Actor) -> Post:
    """Publish the post; a post with a date in the past keeps its date.

    Raises Missing, Forbidden, or Conflict when the post was saved since the caller loaded it.
    """
    with transaction() as session:  # its commit purges: see app.publishing.transaction
        post = lookups.lock_post(
            session, post_id, expected_version, actor=actor, verb=verb_for_status
        )
        before = post.status
        next_status(before, StatusAction.PUBLISH)
        writes.make_public(post, now)
        if before is not post.status:
            public_addresses.record_public_address(session, post, now=now)
        return post
