"""Begin a new post: a working copy that has no post yet."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import working_copies
from app.publishing.editing.copy_fields import CopyFields, cleaned
from app.publishing.editing.working_copies import Stamp
from app.publishing.models import Kind, WorkingCopy
from app.publishing.permissions import Actor, permit, verb_for_new_post
from app.publishing.transaction import transaction


def create_copy(
    kind: Kind, fields: CopyFields | None = None, *, now: datetime, actor: Actor
) -> WorkingCopy:
    """Create a working copy that the actor owns; the post is created when it is first saved.

    Raises Forbidden, or Invalid for a field beyond its limit.
    """
    stamp = Stamp(actor=actor, now=now)
    values = cleaned(fields or CopyFields()).to_json()
    with transaction() as session:
        permit(session, actor, verb_for_new_post(kind))
        copy = WorkingCopy(
            kind=kind,
            owner_id=actor.user_id,
            base_fields=CopyFields().to_json(),
            fields=values,
            updated_by=actor.user_id,
            created_at=now,
            updated_at=now,
        )
        return working_copies.add_copy(session, copy, stamp)
