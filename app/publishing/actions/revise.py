"""Revise a post: its text, its other fields and, if the slug differs, its address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.publishing.editing import lookups, writes
from app.publishing.editing.draft import Draft, checked
from app.publishing.editing.rendering import body_columns, render_text
from app.publishing.errors import Invalid
from app.publishing.models import Author, Media, Post, Status, Topic
from app.publishing.permissions import Actor, permit, verb_for_move, verb_for_save
from app.publishing.text import Rendered
from app.publishing.transaction import transaction

from .rename import move

_TEXT = ("title", "summary", "body_markdown")


def revise(
    post_id: int,
    draft: Draft,
    *,
    expected_version: int,
    now: datetime,
    actor: Actor,
    rendered: Rendered | None = None,
) -> Post:
    """Save the draft; unchanged fields are not written.

    An empty slug keeps the one there is, and so does an empty `published_at`. Raises Invalid,
    Missing, Forbidden, or Conflict when the post was saved since the caller loaded it.
    """
    draft = checked(draft)
    with transaction() as session:
        post = lookups.lock_post(
            session, post_id, expected_version, actor=actor, verb=verb_for_save
        )
        check(session, post, draft, now)
        if draft.slug and draft.slug != post.slug:
            permit(session, actor, verb_for_move(post), post)
            move(session, post, draft.slug, now=now)
        has_new_language = draft.language != post.language
        _write_facts(session, post, draft)
        if has_new_language and rendered is None:  # its quotation marks may be other ones
            rendered = _render(session, draft)
        _write_text(session, post, draft, rendered, now=now, user_id=actor.user_id)
        session.flush()
        return post


def check(session: Session, post: Post, draft: Draft, now: datetime) -> None:
    """Raise when the draft can't become this post's next version."""
    if draft.kind is not post.kind:
        raise Invalid("kind", f"“{post.title}” is {_a(post.kind)}; it can't become another kind.")
    due = draft.published_at
    if post.status is Status.SCHEDULED and due is not None and due <= now:
        raise Invalid("published_at", "A scheduled post needs a time in the future.")
    if post.status is Status.PUBLISHED and due is not None and due > now:
        raise Invalid("published_at", "A public post can't come out in the future; unpublish it.")
    lookups.require_existing(session, Author, draft.author_ids)
    lookups.require_existing(session, Topic, draft.topic_ids)
    lookups.require_existing(session, Media, () if draft.cover_id is None else (draft.cover_id,))


def _render(session: Session, draft: Draft) -> Rendered:
    return render_text(session, draft.title, draft.body_markdown, language=draft.language)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _write_facts(session: Session, post: Post, draft: Draft) -> None:
    published_at = draft.published_at or post.published_at
    facts: dict[str, Any] = {
        "cover_id": draft.cover_id,
        "cover_alt": draft.cover_alt,
        "language": draft.language,
        "menu_position": draft.menu_position,
        "published_at": published_at,
        "updated_at": writes.last_change(post, draft.updated_at or post.updated_at, published_at),
    }
    lookups.set_changed(post, facts)
    if writes.set_authors_and_topics(
        session, post, authors=draft.author_ids, topics=draft.topic_ids
    ):
        writes.bump_version(post)


def _write_text(
    session: Session,
    post: Post,
    draft: Draft,
    rendered: Rendered | None,
    *,
    now: datetime,
    user_id: int | None,
) -> None:
    same = draft.title == post.title and draft.body_markdown == post.body_markdown
    if same and rendered is None and draft.summary:
        texts: dict[str, Any] = {"summary": draft.summary}
    else:
        rendered = rendered or _render(session, draft)
        texts = {
            "title": draft.title,
            "summary": draft.summary or rendered.excerpt,
            "body_markdown": draft.body_markdown,
            **body_columns(rendered),
        }
    if lookups.set_changed(post, texts) & set(_TEXT):
        post.updated_at = writes.last_change(post, draft.updated_at or now, post.published_at)
        writes.add_revision(session, post, now=now, user_id=user_id)
