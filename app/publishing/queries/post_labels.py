"""All authors and all topics, with how many posts of the studio's list each has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import sqlalchemy as sa

from app.extensions import db
from app.publishing.errors import Missing
from app.publishing.models import Author, Post, Topic, post_author, post_topic
from app.publishing.permissions import Actor

from .post_list import visible_to

Label = TypeVar("Label", Author, Topic)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLabel(Generic[Label]):
    """An author or a topic, and the number of its posts that the actor may see."""

    row: Label
    posts: int


def list_authors(actor: Actor) -> list[ListedLabel[Author]]:
    """Return all authors by name."""
    counts = _count_posts(post_author.c.author_id, actor)
    authors = db.session.scalars(sa.select(Author).execution_options(populate_existing=True))
    return [ListedLabel(row=row, posts=counts.get(row.id, 0)) for row in _by_name(authors)]


def list_topics(actor: Actor) -> list[ListedLabel[Topic]]:
    """Return all topics by name."""
    counts = _count_posts(post_topic.c.topic_id, actor)
    topics = db.session.scalars(sa.select(Topic).execution_options(populate_existing=True))
    return [ListedLabel(row=row, posts=counts.get(row.id, 0)) for row in _by_name(topics)]


def find_author(author_id: int) -> Author:
    """Return the author; raises Missing."""
    author = db.session.get(Author, author_id, populate_existing=True)
    if author is None:
        raise Missing("The author does not exist; it may have been deleted.")
    return author


def find_topic(topic_id: int) -> Topic:
    """Return the topic; raises Missing."""
    topic = db.session.get(Topic, topic_id, populate_existing=True)
    if topic is None:
        raise Missing("The topic does not exist; it may have been deleted.")
    return topic


def _by_name(rows: Iterable[Label]) -> list[Label]:
    return sorted(rows, key=lambda row: (row.name.casefold(), row.id))


def _count_posts(column: sa.Column[int], actor: Actor) -> dict[int, int]:
    statement = (
        sa.select(column, sa.func.count())
        .join(Post, Post.id == column.table.c.post_id)
        .where(visible_to(actor))
        .group_by(column)
    )
    return dict(db.session.execute(statement).all())
