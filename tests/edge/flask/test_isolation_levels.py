"""Apps whose engine uses another isolation level than the default."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from app.config.parsers import database_url
from app.edge import Edge, Policy, cached, days
from app.edge.flask.state import state_of
from app.edge.testing import assert_hit

PAGE = Policy("PAGE", edge=days(1))
POSTGRESQL = pytest.mark.live
LEVELS = [
    pytest.param(("postgresql", "READ COMMITTED"), marks=POSTGRESQL),
    pytest.param(("postgresql", "REPEATABLE READ"), marks=POSTGRESQL),
    pytest.param(("postgresql", "SERIALIZABLE"), marks=POSTGRESQL),
    pytest.param(("postgresql", "AUTOCOMMIT"), marks=POSTGRESQL),
    pytest.param(("sqlite", "SERIALIZABLE")),
    pytest.param(("sqlite", "READ UNCOMMITTED")),
    pytest.param(("sqlite", "AUTOCOMMIT")),
]


@pytest.fixture
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """An app with one row and one page; the parameter is the database and its isolation level."""
    database, level = request.param
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if database == "postgresql":
        url = database_url(request.getfixturevalue("empty_postgres_url"))
    app, db = Flask("shop", static_folder=None, instance_path=str(tmp_path)), SQLAlchemy()
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SQLALCHEMY_ENGINE_OPTIONS={"isolation_level": level},
        EDGE_STORE=str(tmp_path / "store"),
        EDGE_RELAY=False,
        TESTING=True,
    )
    db.init_app(app)
    Edge().init_app(app, db=db)

    class Item(db.Model):  # type: ignore[misc,name-defined]  # Flask-SQLAlchemy makes it
        id = db.Column(db.Integer, primary_key=True)
        name = db.Column(db.String(200), nullable=False)

    @app.get("/items")
    @cached(PAGE)
    def show() -> str:
        return str(db.session.scalars(db.select(Item.name).where(Item.id == 1)).one())

    @app.post("/items")
    def rename() -> str:
        db.session.execute(sa.update(Item).values(name="Cherry"))
        db.session.commit()
        return "renamed"

    with app.app_context():
        db.create_all()
        db.session.add(Item(id=1, name="Apple"))
        db.session.commit()
    yield app, db
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("shop", LEVELS, indirect=True, ids=str)
def test_pages_are_shared_and_purged(shop: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A page is a HIT until its row changes, and no error is logged."""
    app, _ = shop
    client = app.test_client()
    assert client.get("/items").text == "Apple"
    assert_hit(client.get("/items"))
    assert client.post("/items").text == "renamed"
    assert client.get("/items").text == "Cherry"
    assert_hit(client.get("/items"))
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("shop", LEVELS[:4], indirect=True, ids=str)
def test_the_transactions_of_the_library_are_read_committed(shop: Any) -> None:
    """The app's own transactions keep their level, also on a connection that the library used."""
    app, db = shop
    show = "SHOW transaction_isolation"
    with app.app_context(), db.engine.connect() as connection:
        before = connection.exec_driver_sql(show).scalar()
    app.test_client().get("/items")
    tracker = state_of(app).tracker
    assert tracker is not None
    with tracker.engine.connect() as connection:
        assert connection.exec_driver_sql(show).scalar() == "read committed"
        assert connection.get_isolation_level() == "READ COMMITTED"
        raw: Any = connection.connection.dbapi_connection
        assert not raw.autocommit
    with app.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql(show).scalar() == before
        raw = connection.connection.dbapi_connection
        assert raw.autocommit is (
            app.config["SQLALCHEMY_ENGINE_OPTIONS"]["isolation_level"] == "AUTOCOMMIT"
        )
