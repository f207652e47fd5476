"""Discard a working copy: the post stays as it is."""

from __future__ import annotations

import sqlalchemy as sa

from app.publishing.editing import working_copies
from app.publishing.models import WorkingCopy
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction


def discard_copy(copy_id: int, *, version: int, actor: Actor) -> int | None:
    """Delete the copy with its steps and forks; return the id of its post, if it has one.

    Raises Missing, Forbidden, or StaleCopyError if it was saved since the caller loaded it.
    """
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor)
        working_copies.require_version(copy, version)
        post_id = copy.post_id
        session.expunge(copy)
        session.execute(sa.delete(WorkingCopy).where(WorkingCopy.id == copy_id))
        return post_id
