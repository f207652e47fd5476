"""A rehearsal: which pages an action would touch, found out by doing it and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from app.edge.index.search import Touched, touched_by

from .transaction import transaction


def pages_touched_by(action: Callable[[], object], what: str = "The action") -> Touched:
    """The registered pages that would be purged if the action were done; nothing is kept of it.

    Raises what the action raises.
    """
    with transaction() as session:
        savepoint = session.begin_nested()
        try:
            return touched_by(session.connection(), partial(_do, session, action), what)
        finally:
            savepoint.rollback()


def _do(session: Session, action: Callable[[], object]) -> None:
    action()
    session.flush()
