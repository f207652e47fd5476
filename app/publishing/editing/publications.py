"""Record which cached pages an action of the studio refreshes; runs in its transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.edge.pages.impact import impact_of_action
from app.publishing.models import Post, Publication
from app.publishing.permissions import Actor


def record_publication(
    session: Session,
    action: str,
    run: Callable[[], Post | None],
    *,
    now: datetime,
    actor: Actor,
    copy_id: int | None = None,
) -> Publication:
    """Run the action, and insert the record of it with the pages that its changes affect.

    `run` returns the post that it changes, or None if it changes no post.
    """
    posts: list[Post | None] = []

    def write() -> None:
        posts.append(run())
        session.flush()

    impact = impact_of_action(session.connection(), write, action)
    post = posts[0]
    publication = Publication(
        at=now,
        action=action,
        post_id=post.id if post else None,
        copy_id=copy_id,
        user_id=actor.user_id,
        urls=list(impact.urls),
        everything_reason=impact.everything_reason,
    )
    session.add(publication)
    session.flush()
    return publication
