"""Load, lock and write working copies; all functions run in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer_group

from app.publishing.editing.slug_style import find_slug_style
from app.publishing.errors import Conflict, Missing
from app.publishing.models import (
    Author,
    Fork,
    Media,
    Ownership,
    Post,
    Topic,
    WorkingCopy,
    WorkingCopyStep,
)
from app.publishing.permissions import Actor, Subject, Verb, permit
from app.publishing.slugs import slugify

from . import public_addresses, writes
from .copy_fields import CopyFields
from .summaries import is_excerpt

STEPS = 50
"""How many of the newest steps are kept, however old they are."""
STEP_AGE = timedelta(days=1)
MOST_STEPS = 500
"""How many steps a copy has at most: 500 steps of a text of 5,000 words are 15 MB."""

GONE = "The working copy does not exist: it was published or discarded."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who saves, when, and from which browser tab."""

    actor: Actor
    now: datetime
    tab: str = ""


class StaleCopyError(Conflict):
    """The working copy was saved since the caller loaded it."""


def lock_post(session: Session, post_id: int) -> Post:
    """Load and lock the post, with its text; raises Missing."""
    public_addresses.lock_addresses(session)
    post = session.scalars(
        sa.select(Post)
        .where(Post.id == post_id)
        .options(undefer_group("source"))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if post is None:
        raise Missing("The post does not exist; it may have been deleted.")
    return post


def lock_copy(
    session: Session, copy_id: int, actor: Actor, verb: Verb = Verb.EDIT_COPY
) -> WorkingCopy:
    """Load and lock the working copy; raises Missing, or Forbidden."""
    copy = session.scalars(
        sa.select(WorkingCopy)
        .where(WorkingCopy.id == copy_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if copy is None:
        raise Missing(GONE)
    permit(session, actor, verb, describe_copy(session, copy))
    return copy


def require_version(copy: WorkingCopy, version: int) -> None:
    """Raise StaleCopyError if the copy was saved since the caller loaded it."""
    if copy.version != version:
        raise StaleCopyError(
            f"The working copy was saved since you loaded it (it is at version {copy.version}, "
            f"you saw version {version}). Look at the newer text, then repeat this."
        )


def describe_copy(session: Session, copy: WorkingCopy) -> Subject:
    """Return who owns a copy: the owner of its post, or the user who began a new post."""
    if copy.post_id is None:
        return Subject(owner_id=copy.owner_id)
    owner = sa.select(Ownership.user_id).where(Ownership.post_id == copy.post_id)
    return Subject(owner_id=session.scalar(owner))


def fields_of_post(session: Session, post: Post) -> CopyFields:
    """Return the fields of a post as its writer edits them."""
    return CopyFields(
        title=post.title,
        summary="" if is_excerpt(session, post) else post.summary,
        body_markdown=post.body_markdown,
        **_facts(session, post),
    )


def with_facts_of_post(session: Session, fields: CopyFields, post: Post) -> CopyFields:
    """Return the fields with the slug, authors, topics, cover and so on that the post has now."""
    return replace(fields, **_facts(session, post))


def _facts(session: Session, post: Post) -> dict[str, Any]:
    facts = writes.facts_of(session, post)
    facts["slug"] = "" if has_automatic_slug(session, post) else post.slug
    return {**facts, **{name: tuple(facts[name]) for name in ("author_ids", "topic_ids")}}


def has_automatic_slug(session: Session, post: Post) -> bool:
    """Tell whether the slug follows the title: it was made from it, and no reader has seen it."""
    if post.first_published_at is not None or post.published_at is not None:
        return False
    automatic = slugify(post.title, find_slug_style(session))
    suffix = post.slug.removeprefix(automatic).removeprefix("-")
    return post.slug.startswith(automatic) and (not suffix or suffix.isdecimal())


def existing_references(session: Session, fields: CopyFields) -> CopyFields:
    """Return the fields without authors, topics and a cover that were deleted."""
    data = fields.to_json()
    for name, model in (("author_ids", Author), ("topic_ids", Topic)):
        ids = set(session.scalars(sa.select(model.id).where(model.id.in_(data[name]))))
        data[name] = [row_id for row_id in data[name] if row_id in ids]
    if fields.cover_id is not None and session.get(Media, fields.cover_id) is None:
        data["cover_id"] = None
    return CopyFields.from_json(data)


def add_copy(session: Session, copy: WorkingCopy, stamp: Stamp) -> WorkingCopy:
    """Insert a new copy with its first step."""
    session.add(copy)
    session.flush()
    _add_step(session, copy, stamp)
    return copy


def write_fields(
    session: Session, copy: WorkingCopy, fields: CopyFields, stamp: Stamp, **more: Any
) -> None:
    """Store the fields as the next version of the copy: compare the version, and swap.

    `more` are other columns to set.
    """
    expected = copy.version
    values = {"fields": fields.to_json(), **more}
    values |= {"updated_at": stamp.now, "updated_by": stamp.actor.user_id}
    result = session.execute(
        sa.update(WorkingCopy)
        .where(WorkingCopy.id == copy.id, WorkingCopy.version == expected)
        .values(version=expected + 1, **values)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise StaleCopyError("Another save was faster. Save once more.")
    session.refresh(copy)
    _add_step(session, copy, stamp)
    _delete_old_steps(session, copy, stamp.now)


def _add_step(session: Session, copy: WorkingCopy, stamp: Stamp) -> None:
    session.add(
        WorkingCopyStep(
            working_copy_id=copy.id,
            version=copy.version,
            fields=copy.fields,
            user_id=stamp.actor.user_id,
            tab=stamp.tab,
            created_at=stamp.now,
        )
    )
    session.flush()


def _delete_old_steps(session: Session, copy: WorkingCopy, now: datetime) -> None:
    step = WorkingCopyStep
    is_old = (step.version <= copy.version - STEPS) & (step.created_at < now - STEP_AGE)
    is_over = step.version <= copy.version - MOST_STEPS
    session.execute(sa.delete(step).where(step.working_copy_id == copy.id, is_old | is_over))


def find_step(session: Session, copy: WorkingCopy, version: int) -> CopyFields | None:
    """Return the fields of an earlier version; None if it was deleted."""
    step = session.get(WorkingCopyStep, (copy.id, version))
    return None if step is None else CopyFields.from_json(step.fields)


def add_fork(
    session: Session, copy: WorkingCopy, fields: CopyFields, base_version: int, stamp: Stamp
) -> Fork:
    """Keep a text that can't be merged; the same browser tab has one fork, with its newest text."""
    fork = _find_fork(session, copy, fields, stamp)
    if fork is None:
        fork = Fork(working_copy_id=copy.id, base_version=base_version)
        fork.user_id, fork.tab = stamp.actor.user_id, stamp.tab
        session.add(fork)
    fork.fields, fork.created_at = fields.to_json(), stamp.now
    session.flush()
    return fork


def _find_fork(
    session: Session, copy: WorkingCopy, fields: CopyFields, stamp: Stamp
) -> Fork | None:
    same = sa.select(Fork).where(
        Fork.working_copy_id == copy.id,
        Fork.user_id == stamp.actor.user_id,
        Fork.tab == stamp.tab,
    )
    forks = session.scalars(same.order_by(Fork.id)).all()
    return next((fork for fork in forks if stamp.tab or fork.fields == fields.to_json()), None)


def forks_of(session: Session, copy: WorkingCopy) -> Sequence[Fork]:
    """Return the forks of a copy, the oldest first."""
    return session.scalars(
        sa.select(Fork).where(Fork.working_copy_id == copy.id).order_by(Fork.id)
    ).all()
