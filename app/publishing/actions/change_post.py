"""Unpublish, archive or rename a post from the studio, and record which pages it refreshes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.publishing.editing import publications
from app.publishing.models import Post, Publication
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction

from .archive import archive
from .rename import rename
from .unpublish import unpublish

Change = Callable[..., Post]

CHANGES: dict[str, Change] = {"unpublish": unpublish, "archive": archive}


def change_post(
    post_id: int, change: str, *, expected_version: int, now: datetime, actor: Actor
) -> Publication:
    """Run one of `CHANGES`; the post's working copy stays. Raises what the change raises."""
    run = CHANGES[change]
    with transaction() as session:
        return publications.record_publication(
            session,
            change,
            lambda: run(post_id, expected_version=expected_version, now=now, actor=actor),
            now=now,
            actor=actor,
        )


def move_post(
    post_id: int, slug: str, *, expected_version: int, now: datetime, actor: Actor
) -> Publication:
    """Give the post another slug; its working copy stays. Raises what `rename` raises."""
    with transaction() as session:
        return publications.record_publication(
            session,
            "rename",
            lambda: rename(post_id, slug, expected_version=expected_version, now=now, actor=actor),
            now=now,
            actor=actor,
        )
