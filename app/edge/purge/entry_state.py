"""The state machine of outbox entries.

Entries that were neither claimed nor sent may also be replaced by a coarser entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import outbox


class EntryState(StrEnum):
    """The state of an outbox entry."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    SETTLED = "settled"
    DEAD = "dead"


class EntryKind(StrEnum):
    """Whether an entry purges one page or everything."""

    PAGE = "page"
    EVERYTHING = "everything"


TRANSITIONS: Mapping[EntryState, frozenset[EntryState]] = {
    # A relay claims it for its first purge.
    EntryState.PENDING: frozenset({EntryState.CLAIMED}),
    # The lease ended; it failed; it was accepted, with or without a further purge; it was refused.
    EntryState.CLAIMED: frozenset(EntryState),
    # A relay claims it for its second purge.
    EntryState.SENT: frozenset({EntryState.CLAIMED}),
    # A person retries it; a purge of everything has covered it.
    EntryState.DEAD: frozenset({EntryState.PENDING, EntryState.SETTLED}),
    EntryState.SETTLED: frozenset(),
}

OPEN_STATES = (EntryState.PENDING, EntryState.CLAIMED, EntryState.SENT)
"""The states of entries that are not finished."""


def move(
    connection: Connection,
    to: EntryState,
    where: sa.ColumnElement[bool],
    *,
    come_from: tuple[EntryState, ...] = (),
    **values: Any,
) -> int:
    """Move the entries that may change to this state; return how many were moved."""
    sources = [state for state, targets in TRANSITIONS.items() if to in targets]
    if come_from:
        sources = [state for state in sources if state in come_from]
    result = connection.execute(
        sa.update(outbox).where(where, outbox.c.state.in_(sources)).values(state=to, **values),
    )
    return result.rowcount
