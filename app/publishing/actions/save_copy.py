"""Save a working copy: the public page does not change, and no page is purged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from app.publishing.editing import working_copies
from app.publishing.editing.copy_fields import CopyFields, MergedFields, cleaned, merge_fields
from app.publishing.editing.working_copies import Stamp
from app.publishing.models import WorkingCopy
from app.publishing.models.working_copy import TAB
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction


class SaveOutcome(StrEnum):
    """What became of a save."""

    SAVED = "saved"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    FORKED = "forked"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCopy:
    """The working copy after a save: its version and fields, which a merge may have changed.

    `fork_id` names the fork that keeps the sent fields, and `overlaps` the fields that both writers
    have changed; it is empty if the version that the writer had loaded is no longer stored.
    """

    outcome: SaveOutcome
    version: int
    fields: CopyFields
    fork_id: int | None = None
    overlaps: tuple[str, ...] = ()


def save_copy(
    copy_id: int, fields: CopyFields, *, version: int, now: datetime, actor: Actor, tab: str = ""
) -> SavedCopy:
    """Save the fields; `version` is the version of the copy that the writer has loaded.

    If the copy was saved since, the changes of both are merged. If they can't be merged, the
    fields are kept as a fork and the copy stays as it is. Raises Missing, Forbidden, or Invalid
    for a field beyond its limit.
    """
    mine = cleaned(fields)
    stamp = Stamp(actor=actor, now=now, tab=tab[:TAB])
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor)
        theirs = CopyFields.from_json(copy.fields)
        if mine == theirs:
            return _result(copy, SaveOutcome.UNCHANGED)
        if version == copy.version:
            working_copies.write_fields(session, copy, mine, stamp)
            return _result(copy, SaveOutcome.SAVED)
        merged = _merge(session, copy, mine, version)
        if merged is None or merged.overlaps:
            fork = working_copies.add_fork(session, copy, mine, version, stamp)
            overlaps = () if merged is None else merged.overlaps
            return _result(copy, SaveOutcome.FORKED, fork_id=fork.id, overlaps=overlaps)
        if merged.fields != theirs:
            working_copies.write_fields(session, copy, merged.fields, stamp)
        return _result(copy, SaveOutcome.MERGED)


def _merge(
    session: Session, copy: WorkingCopy, mine: CopyFields, version: int
) -> MergedFields | None:
    base = working_copies.find_step(session, copy, version)
    theirs = CopyFields.from_json(copy.fields)
    return None if base is None else merge_fields(base, mine, theirs)


def _result(
    copy: WorkingCopy,
    outcome: SaveOutcome,
    *,
    fork_id: int | None = None,
    overlaps: tuple[str, ...] = (),
) -> SavedCopy:
    return SavedCopy(
        outcome=outcome,
        version=copy.version,
        fields=CopyFields.from_json(copy.fields),
        fork_id=fork_id,
        overlaps=overlaps,
    )
