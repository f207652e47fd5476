"""Topics, one or all, with how many published articles each has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import load_only

from app.extensions import db
from app.publishing.models import Post, Topic, post_topic

from .post_selects import articles


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTopic:
    """A topic and how many published articles it has."""

    topic: Topic
    count: int


def by_slug(slug: str, *, described: bool = False) -> Topic | None:
    """One topic; its description only when it is `described`."""
    columns = (Topic.slug, Topic.name, *((Topic.description,) if described else ()))
    statement = sa.select(Topic).where(Topic.slug == slug)
    return db.session.scalar(statement.options(load_only(*columns, raiseload=True)))


def with_articles() -> list[CountedTopic]:
    """The topics that published articles have, by name."""
    counts = _counts()
    statement = sa.select(Topic, counts.c.count).join(counts, counts.c.topic_id == Topic.id)
    rows = db.session.execute(statement.order_by(Topic.id))
    return _by_name(CountedTopic(topic=topic, count=count) for topic, count in rows)


def with_most_articles(limit: int) -> list[CountedTopic]:
    """The topics that most published articles have, by name; another one's name is not read."""
    counts = _counts()
    statement = sa.select(Topic, counts.c.count).join(counts, counts.c.topic_id == Topic.id)
    statement = statement.order_by(counts.c.count.desc(), Topic.id).limit(limit)
    rows = db.session.execute(statement.options(load_only(Topic.slug, Topic.name, raiseload=True)))
    return _by_name(CountedTopic(topic=topic, count=count) for topic, count in rows)


def _by_name(topics: Iterable[CountedTopic]) -> list[CountedTopic]:
    """Sorted here, since an order in SQL reads the names of the topics that are left out too."""
    return sorted(topics, key=lambda one: (one.topic.name.casefold(), one.topic.id))


def slugs_with_articles() -> list[str]:
    """The addresses of the topics that published articles have; their names are not read."""
    counts = _counts()
    statement = sa.select(Topic.id, Topic.slug).join(counts, counts.c.topic_id == Topic.id)
    return [slug for _, slug in db.session.execute(statement.order_by(Topic.slug))]


def _counts() -> sa.Subquery:
    return (
        articles()
        .join(post_topic, post_topic.c.post_id == Post.id)
        .with_only_columns(post_topic.c.topic_id, sa.func.count(Post.id).label("count"))
        .group_by(post_topic.c.topic_id)
        .subquery()
    )
