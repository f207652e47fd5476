"""The states of an outbox entry, and the moves between them: there are no others.

Entries that nobody claimed and nobody sent may also be replaced by a coarser one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import outbox


class EntryState(StrEnum):
    """What has become of a purge that is owed."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    SETTLED = "settled"
    DEAD = "dead"


class EntryKind(StrEnum):
    """What an entry purges."""

    PAGE = "page"
    EVERYTHING = "everything"


TRANSITIONS: Mapping[EntryState, frozenset[EntryState]] = {
    # Somebody sends it for the first time.
    EntryState.PENDING: frozenset({EntryState.CLAIMED}),
    # The lease ended; it failed; it was accepted, with or without a further purge; it was refused.
    EntryState.CLAIMED: frozenset(EntryState),
    # Somebody sends it again.
    EntryState.SENT: frozenset({EntryState.CLAIMED}),
    # A person wants it tried again; a purge of everything made it good.
    EntryState.DEAD: frozenset({EntryState.PENDING, EntryState.SETTLED}),
    EntryState.SETTLED: frozenset(),
}

OPEN_STATES = (EntryState.PENDING, EntryState.CLAIMED, EntryState.SENT)
"""The states in which the relay still owes something."""


def move(
    connection: Connection,
    to: EntryState,
    where: sa.ColumnElement[bool],
    *,
    come_from: tuple[EntryState, ...] = (),
    **values: Any,
) -> int:
    """Move entries to a state, those alone that may go there; return how many."""
    sources = [state for state, targets in TRANSITIONS.items() if to in targets]
    if come_from:
        sources = [state for state in sources if state in come_from]
    result = connection.execute(
        sa.update(outbox).where(where, outbox.c.state.in_(sources)).values(state=to, **values),
    )
    return result.rowcount
