"""Resolve a fork: save a text that a person has made of both, or discard the fork."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from app.publishing.editing import working_copies
from app.publishing.editing.copy_fields import CopyFields, cleaned
from app.publishing.editing.working_copies import Stamp
from app.publishing.errors import Missing
from app.publishing.models import Fork, WorkingCopy
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction


def resolve_fork(
    copy_id: int, fork_id: int, fields: CopyFields, *, version: int, now: datetime, actor: Actor
) -> WorkingCopy:
    """Save the fields as the next version of the copy and delete the fork.

    Raises Missing, Forbidden, Invalid, or StaleCopyError if the copy was saved since; then the
    fork stays.
    """
    values = cleaned(fields)
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor)
        working_copies.require_version(copy, version)
        session.delete(_load_fork(session, copy, fork_id))
        session.flush()
        if values != CopyFields.from_json(copy.fields):
            working_copies.write_fields(session, copy, values, Stamp(actor=actor, now=now))
        return copy


def discard_fork(copy_id: int, fork_id: int, *, actor: Actor) -> WorkingCopy:
    """Delete the fork; the copy keeps its text. Raises Missing or Forbidden."""
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor)
        session.delete(_load_fork(session, copy, fork_id))
        session.flush()
        return copy


def _load_fork(session: Session, copy: WorkingCopy, fork_id: int) -> Fork:
    fork = session.get(Fork, fork_id)
    if fork is None or fork.working_copy_id != copy.id:
        raise Missing("The other text does not exist: it was resolved or discarded.")
    return fork
