"""Topics, one or all, with how many published articles each has."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Topic, post_topic

from .selections import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTopic:
    """A topic and how many published articles it has."""

    topic: Topic
    count: int


def by_slug(slug: str) -> Topic | None:
    """One topic."""
    return db.session.scalar(sa.select(Topic).where(Topic.slug == slug))


def in_use() -> list[CountedTopic]:
    """The topics that published articles have, by name."""
    counts = (
        articles()
        .join(post_topic, post_topic.c.post_id == Post.id)
        .with_only_columns(post_topic.c.topic_id, sa.func.count(Post.id).label("count"))
        .group_by(post_topic.c.topic_id)
        .subquery()
    )
    found = sa.select(Topic, counts.c.count).join(counts, counts.c.topic_id == Topic.id)
    rows = db.session.execute(found.order_by(Topic.name, Topic.id))
    return [CountedTopic(topic=topic, count=count) for topic, count in rows]
