"""A rehearsal: which pages an action would touch, found out by doing it and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sqlalchemy.orm import Session

from app.edge.index.search import Touched, touched_by

from .transaction import transaction


def pages_touched_by(action: Callable[[], object], what: str = "The action") -> Touched:
    """The registered pages that would be purged if the action were done; nothing is kept of it.

    Raises what the action raises.
    """
    with suppress(_TakenBack), transaction() as session:
        try:
            found = touched_by(session.connection(), lambda: _done(session, action), what)
        finally:
            session.expunge_all()  # what was loaded tells of what never was
        raise _TakenBack
    return found


def _done(session: Session, action: Callable[[], object]) -> None:
    action()
    session.flush()


class _TakenBack(Exception):  # noqa: N818 - it ends a transaction, nothing failed
    """Nothing of the transaction is kept."""
