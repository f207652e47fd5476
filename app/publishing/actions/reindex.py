"""Index posts for search: those in the queue, or all whose texts differ from the index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import (
    Post,
    Status,
    search_post,
    search_queue,
    search_term,
    search_text,
    search_word,
)
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.search.document import ANALYSIS
from app.publishing.search.index import index_posts, lock_index
from app.publishing.transaction import transaction

BATCH = 50
"""The number of posts that one transaction indexes."""

Progress = Callable[[int, int], None]
"""Is called with the number of posts that are done and of all."""


@dataclass(slots=True, kw_only=True)
class IndexReport:
    """How many posts were indexed again, and how many of the index were right already."""

    changed: int = 0
    unchanged: int = 0


def index_queue(*, actor: Actor) -> bool:
    """Index the posts that SQL from outside the app has changed; return whether more are left.

    Takes no write lock if the queue is empty. Raises Forbidden for an actor that is not SYSTEM.
    """
    permit(db.session(), actor, Verb.RUN_JOBS)
    if _is_queue_empty():
        return False
    with transaction():
        pass  # its end indexes the queue
    return not _is_queue_empty()


def queue_outdated(*, actor: Actor) -> int:
    """Queue the posts that another version of the analysis has indexed; return their number."""
    permit(db.session(), actor, Verb.RUN_JOBS)
    is_outdated = ~search_post.c.digest.startswith(ANALYSIS, autoescape=True)
    query = sa.select(search_post.c.post_id).where(is_outdated)
    post_ids = db.session.scalars(query).all()
    db.session.rollback()  # the check needs no write lock and must not keep a snapshot open
    for start in range(0, len(post_ids), BATCH):
        rows = [{"post_id": post_id} for post_id in post_ids[start : start + BATCH]]
        with transaction() as session:
            session.execute(sa.insert(search_queue), rows)
    return len(post_ids)


def reindex(
    *,
    actor: Actor,
    rebuild: bool = False,
    progress: Progress = lambda _count, _total: None,
) -> IndexReport:
    """Compare the digest of each post with the index, and index what differs, in batches.

    Each batch has a transaction of its own, so that the site can write in between. With `rebuild`,
    the index is emptied first, for tables that were changed by hand. Raises Forbidden for an actor
    that is not SYSTEM.
    """
    permit(db.session(), actor, Verb.RUN_JOBS)
    if rebuild:
        _empty()
    published = sa.select(Post.id).where(Post.status == Status.PUBLISHED)
    post_ids = sorted({*db.session.scalars(published), *db.session.scalars(_indexed_ids())})
    db.session.rollback()  # no snapshot stays open
    report = IndexReport()
    for start in range(0, len(post_ids), BATCH):
        batch = post_ids[start : start + BATCH]
        with transaction() as session:
            lock_index(session)
            report.changed += index_posts(session, batch)
        progress(start + len(batch), len(post_ids))
    report.unchanged = len(post_ids) - report.changed
    return report


def _indexed_ids() -> sa.Select[int]:
    return sa.select(search_text.c.post_id).union(sa.select(search_post.c.post_id))  # type: ignore[return-value]  # a compound select of ids


def _is_queue_empty() -> bool:
    row_id = db.session.scalar(sa.select(search_queue.c.id).limit(1))
    db.session.rollback()  # the check must not keep a snapshot open
    return row_id is None


def _empty() -> None:
    with transaction() as session:
        lock_index(session)
        for table in (search_queue, search_term, search_word, search_text, search_post):
            session.execute(sa.delete(table))
