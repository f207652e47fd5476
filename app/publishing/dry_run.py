"""Dry run: execute an action in a savepoint, list the pages that it would purge, roll back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from app.edge.index.search import Touched, touched_by

from .transaction import transaction


def pages_touched_by(action: Callable[[], object], what: str = "The action") -> Touched:
    """Return the registered pages that the action would purge; its writes are rolled back.

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
