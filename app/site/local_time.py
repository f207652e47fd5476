"""Dates in the time zone of the site, which a page reads only if it converts an instant."""

from __future__ import annotations

from datetime import date, datetime

from flask import g

from app.publishing.editing.local_dates import find_zone
from app.publishing.models import Post
from app.publishing.queries import site


def in_site_zone(instant: date) -> date:
    """Return an instant in the site's time zone, which is loaded once for a page; a date stays."""
    if not isinstance(instant, datetime):
        return instant
    if "site_zone" not in g:
        g.site_zone = find_zone(site.time_zone())
    return instant.astimezone(g.site_zone)


def local_day(instant: datetime) -> date:
    """Return the day of an instant in the site's time zone."""
    at = in_site_zone(instant)
    return at.date() if isinstance(at, datetime) else at


def has_later_change(post: Post) -> bool:
    """Tell whether a post was changed on a later day than it came out, in the site's time zone."""
    at = post.published_at
    if at is None or post.local_date is None or post.updated_at <= at:
        return False  # most posts, whose pages do not depend on the time zone then
    return local_day(post.updated_at) > post.local_date
