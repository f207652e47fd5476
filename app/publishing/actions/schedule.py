"""Schedule a post: the relay publishes it at an instant in the future."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import lookups, validation
from app.publishing.editing.status_transitions import StatusAction, next_status
from app.publishing.errors import Invalid
from app.publishing.models import Post
from app.publishing.permissions import Actor, verb_for_status
from app.publishing.transaction import transaction


def schedule(
    post_id: int, due: datetime, *, expected_version: int, now: datetime, actor: Actor
) -> Post:
    """Schedule the post for `due`.

    Raises Invalid for an instant that is past, Conflict for a post that is public already.
    """
    check(due, now)
    with transaction() as session:
        post = lookups.lock_post(
            session, post_id, expected_version, actor=actor, verb=verb_for_status
        )
        post.status = next_status(post.status, StatusAction.SCHEDULE)
        post.published_at = due
        return post


def check(due: datetime, now: datetime) -> None:
    """Raise Invalid if `due` is not in the future."""
    if validation.require_timezone("published_at", due) <= now:
        raise Invalid(
            "published_at", "That time is past; choose one in the future, or publish now."
        )
