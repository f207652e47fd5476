"""Save a working copy to its post, and publish or schedule the post: all of it, or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing import lookups, publications, working_copies, writes
from app.publishing.editing.copy_fields import CopyFields, merge_fields
from app.publishing.editing.slug_style import find_slug_style
from app.publishing.errors import Conflict, Missing
from app.publishing.models import (
    Ownership,
    Post,
    PreviewLink,
    Publication,
    Revision,
    Status,
    WorkingCopy,
)
from app.publishing.permissions import Actor
from app.publishing.slugs import slugify
from app.publishing.transaction import transaction

from .create import create
from .publish import publish
from .revise import revise
from .save_author import AuthorDraft, save_author
from .save_topic import TopicDraft, save_topic
from .schedule import schedule


class Timing(StrEnum):
    """When readers are to see the text."""

    LATER = "save"
    """Only save the post: a draft stays a draft."""
    NOW = "publish"
    AT = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """When the post comes out; `due` belongs to `AT`.

    `new_date` gives a post that is public the date of now, so that it is at the top of lists.
    """

    timing: Timing
    due: datetime | None = None
    new_date: bool = False

    def __post_init__(self) -> None:
        if (self.timing is Timing.AT) != (self.due is not None):
            raise ValueError("a due time belongs to a schedule, and a schedule needs one")


class OutdatedCopyError(Conflict):
    """The post was saved since the working copy was made of it; rebase the copy first."""


class OpenForkError(Conflict):
    """The working copy has a fork, whose text would be lost."""


def publish_copy(
    copy_id: int, release: Release, *, version: int, now: datetime, actor: Actor
) -> Publication:
    """Save the copy to its post, and publish or schedule the post, in one transaction.

    The copy is deleted, unless the post is only saved. Raises Missing, Forbidden, Invalid,
    StaleCopyError if the copy was saved since the caller loaded it, OutdatedCopyError,
    OpenForkError, or another Conflict.
    """
    with transaction() as session:
        copy, post = _lock(session, copy_id, actor)
        working_copies.require_version(copy, version)
        _require_no_fork(session, copy)
        fields = _fields(session, copy, post, release)
        return publications.record_publication(
            session,
            _name(post, release),
            lambda: _write(session, (copy, post), fields, release, now=now, actor=actor),
            now=now,
            actor=actor,
            copy_id=copy_id,
        )


def _lock(session: Session, copy_id: int, actor: Actor) -> tuple[WorkingCopy, Post | None]:
    """Lock the post before its copy, as every other action does."""
    post_id = session.execute(
        sa.select(WorkingCopy.post_id).where(WorkingCopy.id == copy_id)
    ).one_or_none()
    if post_id is None:
        raise Missing(working_copies.GONE)
    post = None if post_id[0] is None else working_copies.lock_post(session, post_id[0])
    copy = working_copies.lock_copy(session, copy_id, actor)
    if copy.post_id != post_id[0]:
        raise working_copies.StaleCopyError("The post was just saved. Load the editor again.")
    return copy, post


def _require_no_fork(session: Session, copy: WorkingCopy) -> None:
    if forks := working_copies.forks_of(session, copy):
        texts = "1 text" if len(forks) == 1 else f"{len(forks)} texts"
        raise OpenForkError(
            f"{texts} could not be merged into this working copy. Compare and resolve them first."
        )


def _name(post: Post | None, release: Release) -> str:
    is_update = post is not None and post.status is Status.PUBLISHED
    return "update" if is_update and release.timing is Timing.NOW else release.timing.value


def _fields(session: Session, copy: WorkingCopy, post: Post | None, release: Release) -> CopyFields:
    """Return what is saved: the copy's changes, and otherwise what the post has."""
    fields = CopyFields.from_json(copy.fields)
    if post is None:
        return fields
    if post.status is Status.PUBLISHED and release.timing is not Timing.NOW:
        raise Conflict("The post is public. Publish the changes, or unpublish the post first.")
    if copy.base_revision != writes.last_revision(session, post.id):
        raise OutdatedCopyError(f"“{post.title}” was saved since this working copy was begun.")
    base = CopyFields.from_json(copy.base_fields)
    merged = merge_fields(base, fields, working_copies.with_facts_of_post(session, base, post))
    if merged.overlaps:
        names = ", ".join(merged.overlaps)
        raise OutdatedCopyError(f"“{post.title}” has other values by now: {names}.")
    return merged.fields


def _slug(session: Session, fields: CopyFields, post: Post) -> str:
    """Return the slug to save; an empty one follows the title until readers have seen the post."""
    if fields.slug or not working_copies.has_automatic_slug(session, post):
        return fields.slug
    style = find_slug_style(session)
    if slugify(fields.title, style) == slugify(post.title, style):
        return ""
    return lookups.find_free_slug(session, post.kind, slugify(fields.title, style))


def _write(
    session: Session,
    pair: tuple[WorkingCopy, Post | None],
    fields: CopyFields,
    release: Release,
    *,
    now: datetime,
    actor: Actor,
) -> Post:
    copy, post = pair
    fields = _create_names(fields, now=now, actor=actor)
    draft = fields.to_draft(copy.kind)
    if post is None:
        post = create(draft, now=now, actor=actor)
        _set_owner(session, post, copy.owner_id)
    else:
        has_new_date = release.new_date and post.status is Status.PUBLISHED
        slug, date = _slug(session, fields, post), now if has_new_date else None
        draft = replace(draft, slug=slug, published_at=date)
        post = revise(post.id, draft, expected_version=post.version, now=now, actor=actor)
    _keep_facts(session, post, now=now, actor=actor)
    if release.timing is Timing.LATER:
        _keep_copy(session, copy, post, fields)
        return post
    if release.due is not None:
        post = schedule(post.id, release.due, expected_version=post.version, now=now, actor=actor)
    elif post.status is not Status.PUBLISHED:
        post = publish(post.id, expected_version=post.version, now=now, actor=actor)
    _delete_copy(session, copy, post)
    return post


def _create_names(fields: CopyFields, *, now: datetime, actor: Actor) -> CopyFields:
    """Create the new authors and topics; raises Forbidden, or Conflict for a taken slug."""
    authors = [
        save_author(AuthorDraft(name=name), now=now, actor=actor).id for name in fields.new_authors
    ]
    topics = [
        save_topic(TopicDraft(name=name), now=now, actor=actor).id for name in fields.new_topics
    ]
    return replace(
        fields,
        author_ids=(*fields.author_ids, *authors),
        topic_ids=(*fields.topic_ids, *topics),
        new_authors=(),
        new_topics=(),
    )


def _set_owner(session: Session, post: Post, owner_id: int | None) -> None:
    """Give a new post to the user of its working copy, also if another user saves it."""
    ownership = session.get(Ownership, post.id)
    if ownership is not None:
        ownership.user_id = owner_id
    elif owner_id is not None:
        session.add(Ownership(post_id=post.id, user_id=owner_id))
    session.flush()


def _keep_facts(session: Session, post: Post, *, now: datetime, actor: Actor) -> None:
    """Add a revision if only other fields than the text have changed."""
    session.flush()
    facts = session.scalar(
        sa.select(Revision.facts)
        .where(Revision.post_id == post.id)
        .order_by(Revision.number.desc())
        .limit(1)
    )
    if facts is not None and facts != writes.facts_of(session, post):
        writes.add_revision(session, post, now=now, user_id=actor.user_id)
        session.flush()


def _keep_copy(session: Session, copy: WorkingCopy, post: Post, fields: CopyFields) -> None:
    """Make the saved post the base of the copy."""
    stored = replace(fields, slug=CopyFields.from_json(copy.fields).slug).to_json()
    copy.post_id = post.id
    copy.base_revision = writes.last_revision(session, post.id)
    copy.fields = copy.base_fields = stored
    session.flush()
    _move_links(session, copy, post)


def _delete_copy(session: Session, copy: WorkingCopy, post: Post) -> None:
    _move_links(session, copy, post)
    session.expunge(copy)
    session.execute(sa.delete(WorkingCopy).where(WorkingCopy.id == copy.id))


def _move_links(session: Session, copy: WorkingCopy, post: Post) -> None:
    """Let preview links of the copy lead to the post."""
    session.execute(
        sa.update(PreviewLink)
        .where(PreviewLink.working_copy_id == copy.id)
        .values(working_copy_id=None, post_id=post.id)
    )
