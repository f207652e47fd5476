"""The record of who did what; it holds no text, no address, and nothing older than 90 days."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import Event

RETENTION = timedelta(days=90)


def record(
    session: Session,
    action: str,
    *,
    now: datetime,
    user_id: int | None,
    subject: str = "",
    detail: str = "",
) -> None:
    """Add an event in the caller's transaction."""
    session.add(Event(at=now, user_id=user_id, action=action, subject=subject, detail=detail[:200]))


def delete_old(session: Session, now: datetime) -> None:
    """Delete the events whose time is over."""
    session.execute(sa.delete(Event).where(Event.at < now - RETENTION))
