"""Record that a user has a working copy open in a browser tab."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from app.publishing.editing import working_copies
from app.publishing.models import Presence
from app.publishing.models.working_copy import TAB
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction

FORGET_AFTER = timedelta(days=1)
"""A tab that was last seen so long ago is forgotten, even with unsaved changes."""


def record_presence(copy_id: int, tab: str, *, unsaved: bool, now: datetime, actor: Actor) -> None:
    """Record the tab, and delete tabs that were not seen for a day.

    Raises Missing or Forbidden. SYSTEM has no tabs.
    """
    if actor.user_id is None:
        return
    with transaction() as session:
        working_copies.lock_copy(session, copy_id, actor)
        of_copy = Presence.working_copy_id == copy_id
        session.execute(sa.delete(Presence).where(of_copy, Presence.seen_at < now - FORGET_AFTER))
        session.merge(
            Presence(
                working_copy_id=copy_id,
                user_id=actor.user_id,
                tab=tab[:TAB],
                seen_at=now,
                unsaved=unsaved,
            )
        )


def forget_presence(copy_id: int, tab: str, *, actor: Actor) -> None:
    """Forget a tab that was closed; raises Missing or Forbidden."""
    with transaction() as session:
        working_copies.lock_copy(session, copy_id, actor)
        session.execute(
            sa.delete(Presence).where(
                Presence.working_copy_id == copy_id,
                Presence.user_id == actor.user_id,
                Presence.tab == tab[:TAB],
            )
        )
