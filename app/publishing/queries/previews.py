"""Previews: a post as readers would see it, and the secret links to it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from app.extensions import db
from app.publishing.editing.copy_fields import CopyFields
from app.publishing.editing.draft import body
from app.publishing.editing.local_dates import local_date, site_zone
from app.publishing.editing.rendering import body_columns, render_text
from app.publishing.editing.slug_style import find_slug_style
from app.publishing.editing.working_copies import fields_of_post as read_fields
from app.publishing.errors import Missing
from app.publishing.models import Author, Kind, Media, Post, PreviewLink, Topic, WorkingCopy
from app.publishing.slugs import slugify

Row = TypeVar("Row", Author, Topic)


def build_post(
    session: Session, fields: CopyFields, kind: Kind, post: Post | None, now: datetime
) -> Post:
    """Return the post that the fields would become; it is never added to the session.

    A draft without a date gets `now`. Raises Invalid for a text that can't be rendered.
    """
    rendered = render_text(
        session, fields.title, fields.body_markdown, language=fields.language or None
    )
    style = find_slug_style(session)
    published_at = (post.published_at if post else None) or now
    preview = Post(
        id=post.id if post else 0,
        kind=kind,
        slug=fields.slug or (post.slug if post else slugify(fields.title or "untitled", style)),
        title=fields.title or "Untitled",
        summary=fields.summary or rendered.excerpt,
        language=fields.language or None,
        published_at=published_at,
        published_on=local_date(published_at, site_zone(session)),
        created_at=post.created_at if post else now,
        updated_at=_updated_at(fields, fields.summary or rendered.excerpt, post, now),
        menu_position=fields.menu_position,
        cover_id=fields.cover_id,
        cover_alt=fields.cover_alt,
        **body_columns(rendered),
    )
    authors = _in_order(session, Author, fields.author_ids)
    topics = _in_order(session, Topic, fields.topic_ids)
    preview.authors = [
        *authors,
        *(Author(name=n, slug=slugify(n, style)) for n in fields.new_authors),
    ]
    preview.topics = [*topics, *(Topic(name=n, slug=slugify(n, style)) for n in fields.new_topics)]
    preview.cover = _cover(session, fields.cover_id)
    return preview


def _updated_at(fields: CopyFields, summary: str, post: Post | None, now: datetime) -> datetime:
    """Return when the text was last changed: now, unless it is the text of the post."""
    if post is None:
        return now
    text = (fields.title, summary, body(fields.body_markdown))
    is_same = text == (post.title, post.summary, post.body_markdown)
    return post.updated_at if is_same else max(now, post.published_at or now)


def _in_order(session: Session, model: type[Row], ids: Sequence[int]) -> list[Row]:
    rows = {row.id: row for row in session.scalars(sa.select(model).where(model.id.in_(ids)))}
    return [rows[row_id] for row_id in ids if row_id in rows]


def _cover(session: Session, media_id: int | None) -> Media | None:
    if media_id is None:
        return None
    statement = sa.select(Media).where(Media.id == media_id).options(selectinload(Media.files))
    return session.scalar(statement)


def links_of(copy: WorkingCopy, now: datetime) -> Sequence[PreviewLink]:
    """Return the links to a copy or to its post that still work, newest first."""
    target = (
        PreviewLink.working_copy_id == copy.id
        if copy.post_id is None
        else PreviewLink.post_id == copy.post_id
    )
    works = (PreviewLink.revoked_at.is_(None), PreviewLink.expires_at > now)
    statement = sa.select(PreviewLink).where(target, *works).order_by(PreviewLink.id.desc())
    return db.session.scalars(statement).all()


def by_token_hash(token_hash: str, now: datetime) -> PreviewLink:
    """Return the link with this token; raises Missing, also if it has expired or was revoked."""
    statement = sa.select(PreviewLink).where(PreviewLink.token_hash == token_hash)
    link = db.session.scalar(statement)
    if link is None or link.revoked_at is not None or link.expires_at <= now:
        raise Missing("There is no such preview. The link may have expired; ask for a new one.")
    return link


def target_of(link: PreviewLink) -> tuple[WorkingCopy | None, Post | None]:
    """Return the working copy that a link shows, or else the post."""
    if link.working_copy_id is not None:
        return db.session.get(WorkingCopy, link.working_copy_id), None
    statement = sa.select(WorkingCopy).where(WorkingCopy.post_id == link.post_id)
    return db.session.scalar(statement), db.session.get(Post, link.post_id)


def fields_of(post: Post) -> CopyFields:
    """Return the fields of a saved post."""
    return read_fields(db.session(), post)
