"""Log positions: changes that commit later are detected."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position, has_changed_since

from .conftest import post


def test_nothing_has_changed_since_the_current_position(engine: Engine) -> None:
    """A position covers all changes that were committed before it."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
    with engine.begin() as connection:
        assert not has_changed_since(connection, current_log_position(connection))


def test_a_commit_after_the_position_is_detected(engine: Engine) -> None:
    """A change that was committed after the position is detected."""
    with engine.begin() as connection:
        before = current_log_position(connection)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
    with engine.begin() as connection:
        assert has_changed_since(connection, before)


def test_a_late_commit_is_detected(engine: Engine) -> None:
    """A transaction that began before the position and commits after it is detected."""
    if engine.dialect.name == "sqlite":
        return  # SQLite has one writer at a time
    with engine.connect() as early:
        early.execute(sa.insert(post).values(id=1, slug="a"))
        with engine.begin() as connection:
            connection.execute(sa.insert(post).values(id=2, slug="b"))
        with engine.begin() as connection:
            before = current_log_position(connection)
            assert not has_changed_since(connection, before)
        early.commit()
    with engine.begin() as connection:
        assert has_changed_since(connection, before)


def test_an_invalid_position_counts_as_changed(engine: Engine) -> None:
    """After a restore or in another database, the position can't be parsed or compared."""
    with engine.begin() as connection:
        assert has_changed_since(connection, "from another world")
