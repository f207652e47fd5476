"""The local date of a post: the day on which it came out in the site's time zone.

Pages show this date, and the archive is grouped by it, so that both always agree. The instant
itself (`published_at`) never depends on the time zone.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.publishing.models import Post, Site

_BATCH = 500


def find_zone(name: str) -> tzinfo:
    """Return a time zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def local_date(instant: datetime | None, zone: tzinfo) -> date | None:
    """Return the day of an instant in a time zone."""
    return None if instant is None else instant.astimezone(zone).date()


def site_zone(session: Session) -> tzinfo:
    """Return the time zone of the site."""
    return find_zone(session.scalar(sa.select(Site.time_zone)) or "UTC")


def update_all(session: Session) -> int:
    """Set the local date of every post to that of its instant; return how many have changed.

    Versions stay: a change of the time zone is no edit of a post.
    """
    zone = site_zone(session)
    rows = session.execute(sa.select(Post.id, Post.published_at, Post.published_on))
    ids: dict[date | None, list[int]] = defaultdict(list)
    for row in rows:
        day = local_date(row.published_at, zone)
        if day != row.published_on:
            ids[day].append(row.id)
    for day, post_ids in ids.items():
        for start in range(0, len(post_ids), _BATCH):
            session.execute(
                sa.update(Post)
                .where(Post.id.in_(post_ids[start : start + _BATCH]))
                .values(published_on=day)
            )
    return sum(map(len, ids.values()))


# A listener, because every action that writes `published_at` needs this, and a forgotten call would
# list a post on the wrong day.
@event.listens_for(Post, "before_insert")
@event.listens_for(Post, "before_update")
def _set_date(_mapper: object, connection: sa.Connection, post: Post) -> None:
    """Set the local date of a post whose instant a session is about to write."""
    if sa.inspect(post).attrs.published_at.history.has_changes():
        name = connection.scalar(sa.select(Site.time_zone))
        day = local_date(post.published_at, find_zone(name or "UTC"))
        if post.published_on != day:
            post.published_on = day
