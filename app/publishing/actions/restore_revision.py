"""Restore a revision of a post into its working copy; the public page does not change."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer_group

from app.publishing.editing import working_copies
from app.publishing.editing.copy_fields import CopyFields
from app.publishing.editing.summaries import is_excerpt
from app.publishing.editing.working_copies import Stamp
from app.publishing.errors import Missing
from app.publishing.models import Post, Revision, WorkingCopy
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction

from .open_copy import open_copy

TAB = "restore"


def restore_revision(post_id: int, number: int, *, now: datetime, actor: Actor) -> WorkingCopy:
    """Put the text and the other fields of a revision into the working copy of the post.

    The slug stays, since readers may know the address. Unpublished changes of the copy are kept as
    a fork. Raises Missing or Forbidden.
    """
    with transaction() as session:
        copy = open_copy(post_id, now=now, actor=actor)
        current = CopyFields.from_json(copy.fields)
        restored = working_copies.existing_references(
            session, _fields(session, _load(session, post_id, number), current)
        )
        if restored == current:
            return copy
        stamp = Stamp(actor=actor, now=now, tab=TAB)
        if copy.fields != copy.base_fields:
            working_copies.add_fork(session, copy, current, copy.version, stamp)
        working_copies.write_fields(session, copy, restored, stamp)
        return copy


def _load(session: Session, post_id: int, number: int) -> Revision:
    revision = session.scalars(
        sa.select(Revision)
        .where(Revision.post_id == post_id, Revision.number == number)
        .options(undefer_group("source"))
    ).one_or_none()
    if revision is None:
        raise Missing(f"The post has no revision {number}.")
    return revision


def _fields(session: Session, revision: Revision, current: CopyFields) -> CopyFields:
    """Return the fields of a revision; missing fields stay as they are."""
    facts = {**current.to_json(), **(revision.facts or {})}
    fields = CopyFields.from_json(facts)
    text = Post(
        title=revision.title,
        summary=revision.summary,
        body_markdown=revision.body_markdown,
        language=fields.language or None,
    )
    return CopyFields.from_json(
        {
            **facts,
            "title": revision.title,
            "summary": "" if is_excerpt(session, text) else revision.summary,
            "body_markdown": revision.body_markdown,
            "slug": current.slug,
        }
    )
