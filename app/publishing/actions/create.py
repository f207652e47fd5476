"""Create a post; it begins as a draft, with its first revision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.publishing.editing import lookups, public_addresses, writes
from app.publishing.editing.draft import Draft, checked
from app.publishing.editing.rendering import body_columns, render_text
from app.publishing.editing.slug_style import find_slug_style
from app.publishing.models import Author, Media, Ownership, Post, Status, Topic
from app.publishing.models.post import new_feed_id
from app.publishing.permissions import Actor, permit, verb_for_new_post, verb_for_status
from app.publishing.slugs import slugify
from app.publishing.text import Rendered
from app.publishing.transaction import transaction


def create(
    draft: Draft,
    *,
    now: datetime,
    actor: Actor,
    rendered: Rendered | None = None,
    publish: bool = False,
) -> Post:
    """Save a new draft, which the actor owns.

    `rendered` is its rendered text, if the caller has it already. With `publish` the post is public
    at once, as after the action `publish`, but with a single write. Raises Forbidden, Invalid,
    Missing for an unknown author, topic or cover, and Conflict for a taken slug.
    """
    draft = checked(draft)
    with transaction() as session:
        if publish:
            public_addresses.lock_addresses(session)
        permit(session, actor, verb_for_new_post(draft.kind))
        draft = check(session, draft)
        rendered = rendered or render_text(
            session, draft.title, draft.body_markdown, language=draft.language
        )
        post = _build_post(draft, rendered, now)
        if publish:
            writes.make_public(post, now)
        session.add(post)
        lookups.flush_or_conflict(
            session, f"Another post has just taken the slug {draft.slug!r}; choose another."
        )
        links = writes.Links(authors=draft.author_ids, topics=draft.topic_ids)
        writes.add_links(session, post, links)
        writes.add_revision(session, post, now=now, user_id=actor.user_id, first_links=links)
        if actor.user_id is not None:
            session.add(Ownership(post_id=post.id, user_id=actor.user_id))
            session.flush()
        if publish:
            permit(session, actor, verb_for_status(post), post)
            public_addresses.record_first_address(session, post, now=now)
        return post


def check(session: Session, draft: Draft) -> Draft:
    """Return the draft with a free slug; raises Missing for an unknown author, topic or cover."""
    lookups.require_existing(session, Author, draft.author_ids)
    lookups.require_existing(session, Topic, draft.topic_ids)
    lookups.require_free_feed_id(session, draft.feed_id)
    lookups.require_existing(session, Media, () if draft.cover_id is None else (draft.cover_id,))
    if not draft.slug:
        preferred_slug = slugify(draft.title, find_slug_style(session))
        return replace(draft, slug=lookups.find_free_slug(session, draft.kind, preferred_slug))
    lookups.require_free_slug(session, draft.kind, draft.slug)
    return draft


def _build_post(draft: Draft, rendered: Rendered, now: datetime) -> Post:
    return Post(
        kind=draft.kind,
        status=Status.DRAFT,
        slug=draft.slug,
        title=draft.title,
        summary=draft.summary or rendered.excerpt,
        language=draft.language,
        published_at=draft.published_at,
        created_at=now,
        updated_at=draft.updated_at or now,
        menu_position=draft.menu_position,
        cover_id=draft.cover_id,
        cover_alt=draft.cover_alt,
        feed_id=draft.feed_id or new_feed_id(),
        body_markdown=draft.body_markdown,
        extra_fields=dict(draft.extra_fields),
        **body_columns(rendered),
    )
