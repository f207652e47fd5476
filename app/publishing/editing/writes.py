"""Writes that several actions share: revisions, authors and topics. Run inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.publishing.models import Post, Revision, Status, post_author, post_topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The authors and topics of a post by their ids, in their order."""

    authors: Sequence[int]
    topics: Sequence[int]


def add_revision(
    session: Session,
    post: Post,
    *,
    now: datetime,
    user_id: int | None,
    first_links: Links | None = None,
) -> None:
    """Store the current text and facts of the post as a revision; the caller holds its lock.

    `first_links` are those of a post without a revision; they spare three queries.
    """
    last = None if first_links else last_revision(session, post.id)
    facts = _facts(post, first_links) if first_links else facts_of(session, post)
    session.add(
        Revision(
            post_id=post.id,
            number=(last or 0) + 1,
            title=post.title,
            summary=post.summary,
            body_markdown=post.body_markdown,
            facts=facts,
            created_at=now,
            user_id=user_id,
        )
    )


def last_revision(session: Session, post_id: int) -> int | None:
    """Return the number of the post's last revision; None if it has none."""
    newest = sa.select(sa.func.max(Revision.number)).where(Revision.post_id == post_id)
    return session.scalar(newest)


def facts_of(session: Session, post: Post) -> dict[str, Any]:
    """Return the fields of a post that a revision keeps besides the text."""
    authors = linked_ids(session, post_author.c.author_id, post.id)
    topics = linked_ids(session, post_topic.c.topic_id, post.id)
    return _facts(post, Links(authors=authors, topics=topics))


def _facts(post: Post, links: Links) -> dict[str, Any]:
    return {
        "slug": post.slug,
        "language": post.language or "",
        "author_ids": list(links.authors),
        "topic_ids": list(links.topics),
        "cover_id": post.cover_id,
        "cover_alt": post.cover_alt,
        "menu_position": post.menu_position,
    }


def linked_ids(session: Session, column: sa.Column[int], post_id: int) -> list[int]:
    """Return the ids of the authors or topics of a post, in their order."""
    table = column.table
    ordered = sa.select(column).where(table.c.post_id == post_id).order_by(table.c.position, column)
    return list(session.scalars(ordered))


def set_authors_and_topics(
    session: Session, post: Post, *, authors: Sequence[int], topics: Sequence[int]
) -> bool:
    """Set the authors and topics of the post in this order; return whether they changed."""
    wrote = _link(session, post_author, post_author.c.author_id, post.id, authors)
    about = set_topics(session, post.id, topics)
    return wrote or about


def set_topics(session: Session, post_id: int, topics: Sequence[int]) -> bool:
    """Set the topics of the post in this order; return whether they changed."""
    return _link(session, post_topic, post_topic.c.topic_id, post_id, topics)


def add_links(session: Session, post: Post, links: Links) -> None:
    """Set the authors and topics of a post that has none yet."""
    for table, column, ids in (
        (post_author, post_author.c.author_id, links.authors),
        (post_topic, post_topic.c.topic_id, links.topics),
    ):
        _insert_links(session, table, column, post.id, dict(zip(ids, range(len(ids)), strict=True)))


def _link(
    session: Session, table: sa.Table, column: sa.Column[int], post_id: int, ids: Sequence[int]
) -> bool:
    mine = table.c.post_id == post_id
    before = {
        row[0]: row[1] for row in session.execute(sa.select(column, table.c.position).where(mine))
    }
    positions = {row_id: position for position, row_id in enumerate(ids)}
    for row_id in before.keys() - positions.keys():
        session.execute(sa.delete(table).where(mine, column == row_id))
    for row_id in positions.keys() & before.keys():
        if positions[row_id] != before[row_id]:
            update = sa.update(table).where(mine, column == row_id)
            session.execute(update.values(position=positions[row_id]))
    added = {row_id: positions[row_id] for row_id in positions if row_id not in before}
    _insert_links(session, table, column, post_id, added)
    return positions != before


def _insert_links(
    session: Session,
    table: sa.Table,
    column: sa.Column[int],
    post_id: int,
    positions: Mapping[int, int],
) -> None:
    rows = [
        {"post_id": post_id, column.name: row_id, "position": position}
        for row_id, position in positions.items()
    ]
    if rows:
        session.execute(sa.insert(table), rows)


def make_public(post: Post, now: datetime) -> None:
    """Give the post the status and the dates of a public one; a date in the past stays."""
    post.status = Status.PUBLISHED
    if not has_past_date(post, now):
        post.published_at = now
    record_first_publication(post)
    post.updated_at = last_change(post, post.updated_at, post.published_at)


def bump_version(post: Post) -> None:
    """Increment the version for a write that changed no column of the post itself."""
    flag_modified(post, "title")


def last_change(post: Post, updated_at: datetime, published_at: datetime | None) -> datetime:
    """Return the time of the last change; a public post is never changed before it came out."""
    if post.status is Status.PUBLISHED and published_at is not None:
        return max(updated_at, published_at)
    return updated_at


def has_past_date(post: Post, now: datetime) -> bool:
    """Tell whether the post's date has passed."""
    return post.published_at is not None and post.published_at <= now


def record_first_publication(post: Post) -> None:
    """Write down when readers first saw the post; the first instant stays."""
    if post.first_published_at is None:
        post.first_published_at = post.published_at
