"""The only way to write: a transaction that takes SQLite's write lock before it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from app.database import WRITING
from app.extensions import db

from .errors import Conflict
from .search.index import index_changes

_OPEN = "publishing.transaction"
_FLUSHED = "publishing.flushed"


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit at the end, roll back on an error; one inside another joins it.

    Raises Conflict when another transaction has changed the same row.
    """
    session = db.session()
    if session.info.get(_OPEN):
        yield session
        return
    session.rollback()  # a read transaction can't safely become a writing one
    session.connection(execution_options=WRITING)
    session.info[_OPEN] = True
    try:
        yield session
        index_changes(session)  # last, as its docstring says
        # When the connection returns to its pool, `app.edge.dependencies.engine_events` calls
        # `app.edge.flask.worker.PurgeWorker.after_write`, which resolves the logged changes and
        # purges the pages that they affect.
        session.commit()
    except StaleDataError:
        session.rollback()
        raise Conflict(
            "Another user has saved this since you loaded it. "
            "Load it again and repeat your changes.",
        ) from None
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop(_OPEN, None)


@event.listens_for(db.session, "after_flush")
def _note_flush(session: Session, _context: object) -> None:
    session.info[_FLUSHED] = True


@event.listens_for(db.session, "after_rollback")
def _forget_flush(session: Session) -> None:
    session.info.pop(_FLUSHED, None)


@event.listens_for(db.session, "before_commit")
def _index_before_commit(session: Session) -> None:
    """Index what a session outside `transaction` has written, such as one in a shell."""
    if session.info.get(_OPEN) or session.in_nested_transaction():
        return
    has_unflushed = bool(session.new or session.dirty or session.deleted)
    if session.info.pop(_FLUSHED, False) or has_unflushed:
        index_changes(session)
        session.info.pop(_FLUSHED, None)
