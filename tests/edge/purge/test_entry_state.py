from __future__ import annotations

from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.purge.entry_state import OPEN_STATES, TRANSITIONS, EntryState, move
from app.edge.purge.tables import outbox

ARROWS = {
    (EntryState.PENDING, EntryState.CLAIMED),
    (EntryState.CLAIMED, EntryState.CLAIMED),
    (EntryState.CLAIMED, EntryState.PENDING),
    (EntryState.CLAIMED, EntryState.SENT),
    (EntryState.CLAIMED, EntryState.SETTLED),
    (EntryState.CLAIMED, EntryState.DEAD),
    (EntryState.SENT, EntryState.CLAIMED),
    (EntryState.DEAD, EntryState.PENDING),
    (EntryState.DEAD, EntryState.SETTLED),
}
ENTRY = {
    "tier": "cdn",
    "depth": 1,
    "kind": "page",
    "again": True,
    "upto": 0,
    "due_at": 0,
    "enqueued_at": 0,
}


@pytest.mark.parametrize(("source", "target"), list(product(EntryState, EntryState)), ids=str)
def test_an_entry_moves_only_along_transitions(
    engine: Engine, source: EntryState, target: EntryState
) -> None:
    """`move` updates an entry only along a transition."""
    with engine.begin() as connection:
        connection.execute(sa.insert(outbox).values(**ENTRY, state=source))
        count = move(connection, target, sa.true())
        assert count == ((source, target) in ARROWS)
        assert connection.scalar(sa.select(outbox.c.state)) == (target if count else source)


def test_every_state_can_reach_settled() -> None:
    """SETTLED can be reached from every state."""
    for start in EntryState:
        reachable = {start}
        visited: set[EntryState] = set()
        while reachable - visited:
            state = (reachable - visited).pop()
            visited.add(state)
            reachable |= TRANSITIONS[state]
        assert EntryState.SETTLED in reachable
    assert set(OPEN_STATES) == {EntryState.PENDING, EntryState.CLAIMED, EntryState.SENT}
