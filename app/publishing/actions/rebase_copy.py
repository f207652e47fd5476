"""Base a working copy on the newest revision of its post, which another user has saved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.publishing.editing import working_copies, writes
from app.publishing.editing.copy_fields import CopyFields, MergedFields, cleaned, merge_fields
from app.publishing.editing.working_copies import Stamp
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Post, WorkingCopy
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebase:
    """What a person decided: these fields, having seen this revision of the post."""

    fields: CopyFields
    revision: int | None


def rebase_copy(
    copy_id: int,
    decision: Rebase | None = None,
    *,
    version: int,
    now: datetime,
    actor: Actor,
) -> MergedFields:
    """Merge the newest revision into the copy; with overlaps nothing is written.

    A decision replaces the merge. Raises Missing, Forbidden, StaleCopyError, or Conflict if the
    post has a newer revision than the one in the decision.
    """
    stamp = Stamp(actor=actor, now=now)
    with transaction() as session:
        copy, post = lock_both(copy_id, actor)
        working_copies.require_version(copy, version)
        newest = writes.last_revision(session, post.id)
        saved = working_copies.fields_of_post(session, post)
        if decision is None:
            base, mine = (CopyFields.from_json(data) for data in (copy.base_fields, copy.fields))
            merged = merge_fields(base, mine, saved)
        elif decision.revision != newest:
            raise Conflict(f"“{post.title}” was saved once more. Compare the texts again.")
        else:
            merged = MergedFields(fields=cleaned(decision.fields))
        if not merged.overlaps:
            more = {"base_fields": saved.to_json(), "base_revision": newest}
            working_copies.write_fields(session, copy, merged.fields, stamp, **more)
        return merged


def lock_both(copy_id: int, actor: Actor) -> tuple[WorkingCopy, Post]:
    """Lock the post, then its copy; raises Missing for a copy without a post."""
    with transaction() as session:
        copy = session.get(WorkingCopy, copy_id)
        if copy is None:
            raise Missing(working_copies.GONE)
        if copy.post_id is None:
            raise Missing("The post was never saved.")
        post = working_copies.lock_post(session, copy.post_id)
        return working_copies.lock_copy(session, copy_id, actor), post
