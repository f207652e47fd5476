"""Publications, and the state of their purges at each tier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from app.edge.changes.timestamps import from_microseconds, to_microseconds
from app.edge.purge.entry_state import EntryKind, EntryState
from app.edge.purge.tables import outbox, split_urls
from app.edge.purge.tables import tier as tiers
from app.extensions import db
from app.publishing.errors import Missing
from app.publishing.models import Post, Publication
from app.publishing.permissions import Actor, Verb, describe_post, permit

SHOWN = 200
"""How many URLs of a publication are compared with the outbox."""


class TierState(StrEnum):
    """How far a tier has got with the purges of a publication."""

    FRESH = "fresh"
    WAITING = "waiting"
    REFUSED = "refused"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierProgress:
    """The purges of a publication at one tier.

    `took` is the time from the publication until the last purge was accepted. `reason` says why
    the tier is not fresh yet, and `retry_at` when the next purge is sent.
    """

    name: str
    state: TierState
    done: int = 0
    total: int = 0
    took: timedelta | None = None
    reason: str = ""
    retry_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {
            "name": self.name,
            "state": self.state,
            "done": self.done,
            "total": self.total,
            "took_ms": None if self.took is None else round(self.took.total_seconds() * 1000),
            "reason": self.reason,
            "retry_at": self.retry_at and self.retry_at.isoformat(),
        }


def by_id(publication_id: int, actor: Actor) -> Publication:
    """Return the publication; raises Missing, also for a post that the actor may not see."""
    publication = db.session.get(Publication, publication_id)
    if publication is None:
        raise Missing("There is no such publication.")
    post = None if publication.post_id is None else db.session.get(Post, publication.post_id)
    if post is not None:
        permit(db.session(), actor, Verb.LIST_POSTS, describe_post(db.session(), post))
    return publication


def of_copy(copy_id: int) -> Publication | None:
    """Return the newest publication of a working copy, which is deleted by then."""
    statement = sa.select(Publication).where(Publication.copy_id == copy_id)
    return db.session.scalar(statement.order_by(Publication.id.desc()).limit(1))


def of_post(post_id: int, limit: int = 10) -> Sequence[Publication]:
    """Return the newest publications of a post."""
    statement = sa.select(Publication).where(Publication.post_id == post_id)
    return db.session.scalars(statement.order_by(Publication.id.desc()).limit(limit)).all()


def progress_of(publication: Publication, now: datetime) -> list[TierProgress]:
    """Return the progress at each tier, the innermost first; it reads the outbox and the tiers."""
    rows = db.session.execute(sa.select(tiers).order_by(tiers.c.depth, tiers.c.name)).all()
    entries: dict[str, list[Any]] = {row.name: [] for row in rows}
    for entry in _entries(publication):
        entries.setdefault(entry.tier, []).append(entry)
    breakers = {row.name: row for row in rows}
    return [
        _progress(name, mine, breakers.get(name), publication.at, now)
        for name, mine in entries.items()
    ]


def _entries(publication: Publication) -> Iterable[Any]:
    """Return the outbox entries that purge pages of the publication, or everything."""
    urls = set(publication.urls[:SHOWN])
    if not urls and not publication.everything_reason:
        return []
    since = to_microseconds(publication.at)
    later = sa.or_(outbox.c.written_at >= since, outbox.c.enqueued_at >= since)
    rows = db.session.execute(sa.select(outbox).where(later)).all()
    return [
        row
        for row in rows
        if row.kind == EntryKind.EVERYTHING or not urls.isdisjoint(split_urls(row.url))
    ]


def _progress(
    name: str, entries: Sequence[Any], row: Any, at: datetime, now: datetime
) -> TierProgress:
    progress = TierProgress(name=name, state=TierState.WAITING, total=len(entries))
    ends = [entry.sent_at or entry.settled_at for entry in entries]
    done = [end for end in ends if end is not None]
    progress = replace(progress, done=len(done))
    if len(done) == len(entries):
        took = from_microseconds(max(done)) - at if done else None
        return replace(progress, state=TierState.FRESH, took=took)
    waiting = [entry for entry, end in zip(entries, ends, strict=True) if end is None]
    error = next((entry.last_error for entry in waiting if entry.last_error), "")
    if any(entry.state == EntryState.DEAD for entry in waiting):
        return replace(progress, state=TierState.REFUSED, reason=error)
    if row is not None and row.breaker:
        resume = from_microseconds(row.resume_at)
        return replace(progress, state=TierState.BROKEN, reason=row.breaker, retry_at=resume)
    due = from_microseconds(max(entry.due_at for entry in waiting))
    return replace(progress, reason=error, retry_at=due if due > now else None)
