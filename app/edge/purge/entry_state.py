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


class State(StrEnum):
    """What has become of a purge that is owed."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    SETTLED = "settled"
    DEAD = "dead"


class Kind(StrEnum):
    """What an entry purges."""

    PAGE = "page"
    EVERYTHING = "everything"


MOVES: Mapping[State, frozenset[State]] = {
    # Somebody sends it for the first time.
    State.PENDING: frozenset({State.CLAIMED}),
    # The lease ended; it failed; it was accepted, with or without a further purge; it was refused.
    State.CLAIMED: frozenset(State),
    # Somebody sends it again.
    State.SENT: frozenset({State.CLAIMED}),
    # A person wants it tried again; a purge of everything made it good.
    State.DEAD: frozenset({State.PENDING, State.SETTLED}),
    State.SETTLED: frozenset(),
}

OPEN = (State.PENDING, State.CLAIMED, State.SENT)
"""The states in which the relay still owes something."""


def move(
    connection: Connection,
    to: State,
    where: sa.ColumnElement[bool],
    *,
    come_from: tuple[State, ...] = (),
    **values: Any,
) -> int:
    """Move entries to a state, those alone that may go there; return how many."""
    sources = [state for state, targets in MOVES.items() if to in targets]
    if come_from:
        sources = [state for state in sources if state in come_from]
    moved = connection.execute(
        sa.update(outbox).where(where, outbox.c.state.in_(sources)).values(state=to, **values),
    )
    return moved.rowcount
