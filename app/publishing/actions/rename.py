"""Rename a post: give it another slug and redirect the old address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.publishing.editing import lookups, public_addresses, writes
from app.publishing.editing.draft import validate_post_slug
from app.publishing.models import Post
from app.publishing.transaction import transaction


def rename(post_id: int, slug: str, *, expected_version: int, now: datetime) -> Post:
    """Give the post another slug; an old address that was public redirects to the new one.

    Raises Invalid for a slug that can't be used, Conflict for one that is taken.
    """
    with transaction() as session:
        post = lookups.lock_post(session, post_id, expected_version)
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
    was_public = writes.was_public(post, now)
    public_addresses.redirect_old_address(session, post, old_path, was_public=was_public, now=now)
