"""Rename a post: give it another slug and redirect the old address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.publishing.editing import lookups, public_addresses, writes
from app.publishing.editing.draft import validate_post_slug
from app.publishing.models import Post
from app.publishing.permissions import Actor, verb_for_move
from app.publishing.transaction import transaction


def rename(post_id: int, slug: str, *, expected_version: int, now: datetime, actor: Actor) -> Post:
    """Give the post another slug; an old address that was public redirects to the new one.

    Raises Missing, Forbidden, Invalid for a slug that can't be used, and Conflict for one that is
    taken.
    """
    with transaction() as session:
        post = lookups.lock_post(
            session, post_id, expected_version, actor=actor, verb=verb_for_move
        )
        slug = validate_post_slug(post.kind, slug)
        if slug != post.slug:
            move(session, post, slug, now=now)
        return post


def move(session: Session, post: Post, slug: str, *, now: datetime) -> None:
    """Check the slug, then move the post there; inside the caller's transaction."""
    lookups.require_free_slug(session, post.kind, slug)
    old_path = post.path
    post.slug = slug
    lookups.flush_or_conflict(
        session, f"Another post has just taken the slug {slug!r}; choose another."
    )
    # An older release has published posts without recording their addresses.
    is_unrecorded = post.first_published_at is not None and not public_addresses.has_record(
        session, post
    )
    was_public = writes.has_past_date(post, now) or is_unrecorded
    public_addresses.redirect_old_address(session, post, old_path, was_public=was_public, now=now)
