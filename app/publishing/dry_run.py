"""Dry run: execute an action in a savepoint, list the pages that it would purge, roll back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from app.edge.pages.impact import Impact, impact_of_action

from .search.index import index_changes
from .transaction import transaction


def pages_touched_by(action: Callable[[], object], what: str = "The action") -> Impact:
    """Return the registered pages that the action would purge; its writes are rolled back.

    Raises what the action raises.
    """
    with transaction() as session:
        savepoint = session.begin_nested()
        try:
            return impact_of_action(session.connection(), partial(_do, session, action), what)
        finally:
            savepoint.rollback()


def _do(session: Session, action: Callable[[], object]) -> None:
    action()
    index_changes(session)
