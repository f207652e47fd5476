"""Merge a topic into another one: its posts move, its address redirects, and it is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.publishing.editing import writes
from app.publishing.errors import Invalid, Missing
from app.publishing.models import (
    Fork,
    Revision,
    Topic,
    WorkingCopy,
    WorkingCopyStep,
    post_topic,
)
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction

from .add_redirect import redirect_moved_path

_STORED_FIELDS: tuple[InstrumentedAttribute[Any], ...] = (
    WorkingCopy.fields,
    WorkingCopy.base_fields,
    WorkingCopyStep.fields,
    Fork.fields,
    Revision.facts,
)
"""The JSON columns that hold the ids of a post's topics."""


def merge_topics(topic_id: int, *, into_id: int, now: datetime, actor: Actor) -> Topic:
    """Move all posts of the topic to another topic, which is returned, and delete the first.

    Working copies, forks and revisions get the other topic, too. The versions of posts stay. Raises
    Forbidden, Missing, or Invalid for a topic that would be merged into itself.
    """
    with transaction() as session:
        permit(session, actor, Verb.MERGE_TOPICS)
        if topic_id == into_id:
            raise Invalid("into", "A topic can't be merged into itself; choose another topic.")
        topic, into = _lock_topics(session, topic_id, into_id)
        _move_posts(session, topic_id, into_id)
        for column in _STORED_FIELDS:
            _replace_in_json(session, column, topic_id, into_id)
        old_path = topic.path
        session.delete(topic)
        session.flush()
        redirect_moved_path(old_path, into.path, now=now, actor=actor)
        return into


def _lock_topics(session: Session, topic_id: int, into_id: int) -> tuple[Topic, Topic]:
    """Lock both topics, in the order of their ids; raises Missing."""
    query = sa.select(Topic).where(Topic.id.in_((topic_id, into_id))).order_by(Topic.id)
    topics = {row.id: row for row in session.scalars(query.with_for_update())}
    if topic_id not in topics:
        raise Missing("The topic does not exist; it may have been deleted.")
    if into_id not in topics:
        raise Missing("The topic to merge into does not exist; it may have been deleted.")
    return topics[topic_id], topics[into_id]


def _move_posts(session: Session, topic_id: int, into_id: int) -> None:
    """Give each post the other topic at the place of the first; a post with both keeps one."""
    links = sa.select(post_topic.c.post_id).where(post_topic.c.topic_id == topic_id)
    both = links.where(
        post_topic.c.post_id.in_(
            sa.select(post_topic.c.post_id).where(post_topic.c.topic_id == into_id)
        )
    )
    for post_id in session.scalars(both).all():
        before = writes.linked_ids(session, post_topic.c.topic_id, post_id)
        writes.set_topics(session, post_id, _replace(before, topic_id, into_id))
    session.execute(
        sa.update(post_topic).where(post_topic.c.topic_id == topic_id).values(topic_id=into_id)
    )


def _replace(ids: Sequence[int], topic_id: int, into_id: int) -> list[int]:
    """Return the ids with `into_id` for `topic_id`, each once, in their order."""
    return list(dict.fromkeys(into_id if one == topic_id else one for one in ids))


def _replace_in_json(
    session: Session, column: InstrumentedAttribute[Any], topic_id: int, into_id: int
) -> None:
    """Replace the topic in a JSON column; only rows that have the topic are written."""
    keys = sa.inspect(column.class_).primary_key
    query = sa.select(*keys, column).where(sa.cast(column, sa.Text).contains(str(topic_id)))
    for *key, fields in session.execute(query).all():
        ids: Sequence[int] = (fields or {}).get("topic_ids", ())
        if topic_id in ids:
            values: Mapping[str, Any] = {**fields, "topic_ids": _replace(ids, topic_id, into_id)}
            is_row = [key_column == value for key_column, value in zip(keys, key, strict=True)]
            session.execute(sa.update(column.class_).where(*is_row).values({column: values}))
