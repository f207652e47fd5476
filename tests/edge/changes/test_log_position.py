from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position, has_changed_since

from .conftest import post


def test_nothing_changed_since_a_mark_just_taken(engine: Engine) -> None:
    """A mark covers everything that was committed before it."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
    with engine.begin() as connection:
        assert not has_changed_since(connection, current_log_position(connection))


def test_a_commit_after_the_mark_is_noticed(engine: Engine) -> None:
    """Any logged change that the mark did not see counts."""
    with engine.begin() as connection:
        before = current_log_position(connection)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
    with engine.begin() as connection:
        assert has_changed_since(connection, before)


def test_a_late_committer_is_noticed(engine: Engine) -> None:
    """A transaction that began before the mark and commits after it is not lost."""
    if engine.dialect.name == "sqlite":
        return  # writers come one after another
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


def test_a_mark_that_means_nothing_counts_as_changed(engine: Engine) -> None:
    """After a restore, or in another database, nobody knows what changed."""
    with engine.begin() as connection:
        assert has_changed_since(connection, "from another world")
