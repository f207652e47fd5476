from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import Flask

from app.extensions import db
from app.publishing.errors import Conflict
from app.publishing.models import Kind, Post, Topic
from app.publishing.transaction import transaction

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def test_an_error_leaves_nothing_behind(app: Flask) -> None:
    """A transaction that fails writes nothing."""
    with pytest.raises(RuntimeError, match="half-way"), transaction() as session:
        session.add(Topic(slug="a", name="A"))
        session.flush()
        raise RuntimeError("half-way")
    assert db.session.query(Topic).count() == 0


def test_a_transaction_inside_another_joins_it(app: Flask) -> None:
    """What the inner one wrote goes when the outer one fails."""
    with pytest.raises(RuntimeError, match="half-way"), transaction():
        with transaction() as inner:
            inner.add(Topic(slug="a", name="A"))
        raise RuntimeError("half-way")
    assert db.session.query(Topic).count() == 0


def test_a_concurrent_change_is_a_conflict(app: Flask) -> None:
    """Writing over a row that somebody else changed meanwhile is refused."""
    with transaction() as session:
        session.add(
            Post(kind=Kind.ARTICLE, slug="a", title="A", created_at=NOW, updated_at=NOW),
        )
    with pytest.raises(Conflict, match="Another user"), transaction() as session:
        post = session.query(Post).one()
        session.connection().exec_driver_sql("UPDATE post SET version = version + 1")
        post.title = "B"
    assert db.session.query(Post).one().title == "A"


def test_an_instant_comes_back_in_utc(app: Flask) -> None:
    """An instant is the same instant after a round through the database."""
    with transaction() as session:
        session.add(Post(kind=Kind.PAGE, slug="a", title="A", created_at=NOW, updated_at=NOW))
    db.session.expire_all()
    assert db.session.query(Post).one().created_at == NOW
