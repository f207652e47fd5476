"""Ask for a review of a working copy, or take the request back."""

from __future__ import annotations

from app.publishing.editing import working_copies
from app.publishing.models import WorkingCopy
from app.publishing.permissions import Actor, Verb
from app.publishing.transaction import transaction


def request_review(copy_id: int, *, ready: bool, actor: Actor) -> WorkingCopy:
    """Set whether the copy is ready for a review; raises Missing or Forbidden."""
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor, Verb.REQUEST_REVIEW)
        if copy.ready != ready:
            copy.ready = ready
        return copy
