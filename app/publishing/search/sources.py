"""Read the texts of published posts that the index is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import Author, Post, Site, Status, Topic, post_author, post_topic

from .document import Source

DEFAULT_LANGUAGE = "en"
"""The language of a site without settings."""


def load(session: Session, post_ids: Sequence[int]) -> Iterator[Source]:
    """Yield the texts of those of the posts that are published."""
    site_language = find_site_language(session)
    names = _load_names(session, post_ids)
    columns = (Post.id, Post.language, Post.title, Post.summary, Post.body_text, Post.published_at)
    query = sa.select(*columns).where(Post.id.in_(post_ids), Post.status == Status.PUBLISHED)
    for row in session.execute(query):
        yield Source(
            post_id=row.id,
            language=row.language or site_language,
            title=row.title,
            summary=row.summary or "",
            text=row.body_text or "",
            names=tuple(names[row.id]),
            published_at=row.published_at,
        )


def find_site_language(session: Session) -> str:
    """Return the language of posts that have no language of their own."""
    return session.scalar(sa.select(Site.language).limit(1)) or DEFAULT_LANGUAGE


def _load_names(session: Session, post_ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the names of the authors and topics of each post."""
    names: dict[int, list[str]] = defaultdict(list)
    for model, table, column in (
        (Author, post_author, post_author.c.author_id),
        (Topic, post_topic, post_topic.c.topic_id),
    ):
        query = (
            sa.select(table.c.post_id, model.name)
            .join(model, model.id == column)
            .where(table.c.post_id.in_(post_ids))
            .order_by(table.c.post_id, model.id)
        )
        for row in session.execute(query):
            names[row.post_id].append(row.name)
    return names
