"""Save a topic: create or update it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.editing import lookups, validation
from app.publishing.editing.slug_style import find_slug_style, require_slug_style
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Topic
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.slugs import slugify
from app.publishing.transaction import transaction

from .add_redirect import redirect_moved_path


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDraft:
    """The fields of a topic; an empty slug is made from the name."""

    name: str
    slug: str = ""
    description: str = ""


def save_topic(
    draft: TopicDraft, *, now: datetime, actor: Actor, topic_id: int | None = None
) -> Topic:
    """Save the topic; a changed slug leaves a redirect, and unchanged fields are not written.

    Raises Forbidden, Invalid, Missing, or Conflict for a slug that another topic has.
    """
    values = checked(draft)
    with transaction() as session:
        is_new = topic_id is None
        permit(session, actor, Verb.CREATE_TOPIC if is_new else Verb.EDIT_TOPICS)
        topic = _lock_topic(session, topic_id)
        values["slug"] = values["slug"] or slugify(values["name"], find_slug_style(session))
        check(session, values["slug"], topic)
        if topic is None:
            topic = Topic(slug=values["slug"], name=values["name"], description="")
            session.add(topic)
        old_path = topic.path
        lookups.set_changed(topic, values)
        lookups.flush_or_conflict(session, f"Another topic has just taken the slug {topic.slug!r}.")
        redirect_moved_path(old_path, topic.path, now=now, actor=actor)
        return topic


def checked(draft: TopicDraft) -> dict[str, str]:
    """Return the cleaned columns of the topic; raises Invalid."""
    name = validation.clean_line("name", draft.name, limit=200)
    return {
        "name": name,
        "slug": validation.validate_slug(draft.slug) if draft.slug else "",
        "description": validation.clean_line(
            "description", draft.description, limit=2000, empty=True
        ),
    }


def _lock_topic(session: Session, topic_id: int | None) -> Topic | None:
    if topic_id is None:
        return None
    topic = session.get(Topic, topic_id, with_for_update=True)
    if topic is None:
        raise Missing("The topic does not exist; it may have been deleted.")
    return topic


def check(session: Session, slug: str, topic: Topic | None) -> None:
    """Raise Conflict, naming the other topic, when the slug is taken; Invalid for its script."""
    if topic is None or slug != topic.slug:
        require_slug_style(session, slug)
    other = session.scalars(sa.select(Topic).where(Topic.slug == slug)).one_or_none()
    if other is not None and other is not topic:
        raise Conflict(f"The slug {slug!r} belongs to the topic “{other.name}”; choose another.")
