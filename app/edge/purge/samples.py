"""Results of sampling the public edge: pages that were stale there, and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.log import unresolved_changes
from ..changes.metadata import get_meta, set_meta
from ..changes.timestamps import from_microseconds, to_microseconds
from ..pages.tables import page
from .entry_state import OPEN_STATES, EntryKind
from .tables import outbox, sample

KEEP_SAMPLES = timedelta(days=7)
"""How long a page is listed after it is fresh again."""

MAX_LISTED = 20
_LAST = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleSample:
    """A page that was found stale at the public edge since `since`."""

    url: str
    since: datetime
    seen_at: datetime
    times: int = 1
    until: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {
            "url": self.url,
            "since": self.since.isoformat(),
            "seen": self.seen_at.isoformat(),
            "times": self.times,
            "until": self.until and self.until.isoformat(),
        }

    def to_text(self) -> str:
        """Return one line for the terminal."""
        if self.until is not None:
            lasted = (self.until - self.since).total_seconds()
            return f"{self.url} was stale at the public edge for {lasted:.0f} s"
        lasts = (self.seen_at - self.since).total_seconds()
        purged = "once" if self.times == 1 else f"{self.times} times"
        return f"{self.url} is stale at the public edge, for {lasts:.0f} s; purged again {purged}"


def choose_urls(connection: Connection, now: datetime, random: Random) -> Iterator[str]:
    """Yield the pages to sample: the stale page sampled least recently, and a random page."""
    open_one = sa.select(sample.c.url).where(sample.c.until.is_(None)).order_by(sample.c.seen_at)
    stale_url = connection.scalar(open_one.limit(1))
    if stale_url is not None:
        yield stale_url
    alive = sa.and_(page.c.variant == "", page.c.expires_at > to_microseconds(now))
    least, most = connection.execute(
        sa.select(sa.func.min(page.c.id), sa.func.max(page.c.id)).where(alive)
    ).one()
    if least is None:
        return
    after = sa.select(page.c.url).where(alive, page.c.id >= random.randint(least, most))
    random_url = connection.scalar(after.order_by(page.c.id).limit(1))
    if random_url is not None and random_url != stale_url:
        yield random_url


def has_recent_purge(connection: Connection, url: str, since: datetime) -> bool:
    """Return whether a purge that is outstanding or recent explains a stale page."""
    recent = sa.or_(outbox.c.state.in_(OPEN_STATES), outbox.c.settled_at > to_microseconds(since))
    mine = sa.or_(outbox.c.kind == EntryKind.EVERYTHING, outbox.c.url == url)
    purged = connection.execute(sa.select(outbox.c.id).where(recent, mine).limit(1)).first()
    return purged is not None or bool(unresolved_changes(connection, limit=0))


def record_stale(connection: Connection, url: str, now: datetime) -> None:
    """Record that a page is stale and was purged again."""
    mine = sa.and_(sample.c.url == url, sample.c.until.is_(None))
    updates = {"seen_at": to_microseconds(now), "times": sample.c.times + 1}
    if not connection.execute(sa.update(sample).where(mine).values(updates)).rowcount:
        values = {
            "url": url,
            "since": to_microseconds(now),
            "seen_at": to_microseconds(now),
            "times": 1,
        }
        connection.execute(sa.insert(sample).values(values))


def record_fresh(connection: Connection, url: str, now: datetime) -> bool:
    """Record that a page is fresh; return whether it was stale before."""
    mine = sa.and_(sample.c.url == url, sample.c.until.is_(None))
    over = {"seen_at": to_microseconds(now), "until": to_microseconds(now)}
    connection.execute(
        sa.delete(sample).where(sample.c.until < to_microseconds(now - KEEP_SAMPLES))
    )
    return connection.execute(sa.update(sample).where(mine).values(over)).rowcount > 0


def delete_stale_sample(connection: Connection, url: str) -> None:
    """Delete the stale sample of a page that turned out to be rewritten."""
    connection.execute(sa.delete(sample).where(sample.c.url == url, sample.c.until.is_(None)))


def set_last_result(connection: Connection, sentence: str) -> None:
    """Store the result of the last sample."""
    set_meta(connection, _LAST, sentence)


def get_last_result(connection: Connection) -> str:
    """Return the result of the last sample; empty if there was none."""
    return get_meta(connection, _LAST) or ""


def stale_samples(connection: Connection) -> tuple[StaleSample, ...]:
    """Return the stale pages, then the pages that were stale, newest first."""
    query = sa.select(sample).order_by(sample.c.until.is_not(None), sample.c.id.desc())
    return tuple(
        StaleSample(
            url=row.url,
            since=from_microseconds(row.since),
            seen_at=from_microseconds(row.seen_at),
            times=row.times,
            until=None if row.until is None else from_microseconds(row.until),
        )
        for row in connection.execute(query.limit(MAX_LISTED))
    )
