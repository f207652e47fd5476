"""`init_app(app, db=db)`: the edge takes engine, tables and site from Flask-SQLAlchemy."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from app.edge import Edge, Policy, PolicyError, cached, days
from app.edge.flask.first_use import FirstUse
from app.edge.flask.models import define_edge_tables, watch_models
from app.edge.flask.startup import RETRY_INTERVAL
from app.edge.flask.state import state_of
from app.edge.testing import assert_hit, assert_miss

PAGE = Policy("PAGE", edge=days(1))


def make_app(folder: Path, **settings: Any) -> tuple[Flask, SQLAlchemy, Any]:
    """An app with one model, one page and a gateway; its tables are not created."""
    app, db = Flask("shop", static_folder=None, instance_path=str(folder)), SQLAlchemy()
    app.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'shop.db'}",
        EDGE_STORE=str(folder / "store"),
        EDGE_RELAY=False,
        TESTING=True,
    )
    app.config.update(settings)
    db.init_app(app)
    Edge().init_app(app, db=db)

    class Item(db.Model):  # type: ignore[misc,name-defined]  # Flask-SQLAlchemy makes it
        id = db.Column(db.Integer, primary_key=True)
        slug = db.Column(db.String(50), unique=True, nullable=False)
        name = db.Column(db.String(200), nullable=False)

    @app.get("/items/<slug>")
    @cached(PAGE)
    def show(slug: str) -> str:
        return str(db.session.scalars(db.select(Item.name).where(Item.slug == slug)).one())

    return app, db, Item


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    """The app with its tables and two rows."""
    app, db, item = make_app(tmp_path)
    with app.app_context():
        db.create_all()
        db.session.add_all([item(slug="a", name="Apple"), item(slug="b", name="Banana")])
        db.session.commit()
    yield app, db, item
    with app.app_context():
        db.engine.dispose()


def test_a_page_is_stored_until_the_row_that_it_shows_changes(shop: Any) -> None:
    """The models are defined after `init_app`; the triggers are installed at the first request."""
    app, db, item = shop
    client = app.test_client()
    for path in ("/items/a", "/items/b"):
        assert_miss(client.get(path))
        assert_hit(client.get(path))
    with app.app_context():
        db.session.execute(sa.update(item).where(item.slug == "a").values(name="Avocado"))
        db.session.commit()
    changed = client.get("/items/a")
    assert_miss(changed)
    assert changed.text == "Avocado"
    assert_hit(client.get("/items/b"))


def test_a_command_connects_as_well(shop: Any) -> None:
    """`flask edge why` needs no request before it."""
    app, _db, _item = shop
    result = app.test_cli_runner().invoke(args=["edge", "why", "/items/a"])
    assert result.exit_code == 0, result.output
    assert state_of(app).tracker is not None


def test_pages_are_served_and_not_shared_while_the_tables_are_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One sentence in the log says what is missing; the pages work once the tables exist."""
    app, db, item = make_app(tmp_path)
    with app.app_context():
        item.__table__.create(db.engine)
        db.session.add(item(slug="a", name="Apple"))
        db.session.commit()
    client = app.test_client()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            response = client.get("/items/a")
            assert response.text == "Apple"
            assert response.headers["Cache-Control"] == "no-store"
    sentences = [record.getMessage() for record in caplog.records if "not_connected" in record.msg]
    assert len(sentences) == 1
    assert "the database has no table edge_change" in sentences[0]
    assert "flask db upgrade" in sentences[0]
    first_use = state_of(app).first_use
    assert first_use is not None
    with app.app_context():
        db.create_all()
    first_use._retry_at = 0.0
    assert_miss(client.get("/items/a"))
    assert_hit(client.get("/items/a"))
    with app.app_context():
        db.engine.dispose()


class TestConnecting:
    """One layer that connects a database; its clock is moved by the test."""

    @pytest.fixture
    def parts(self, tmp_path: Path) -> Any:
        """An app with one model and no tables, a layer for it, and a clock."""
        app, db, item = make_app(tmp_path)
        now = [1000.0]
        layer = FirstUse(app, db, "http://localhost", monotonic=lambda: now[0])
        yield app, db, item, layer, now
        with app.app_context():
            db.engine.dispose()

    @staticmethod
    def test_a_failure_is_repeated_after_the_interval_and_logged_once(
        parts: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A request in between does not ask the database."""
        app, db, _, layer, now = parts
        assert layer.reason == "the database is not connected yet"
        interval = RETRY_INTERVAL.total_seconds()
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                assert not layer.connect()
                assert layer.reason.startswith("the database has no table edge_change")
                now[0] += interval
            assert not layer.connect()
            with app.app_context():
                db.create_all()
            now[0] += interval * 0.75
            assert not layer.connect()
            now[0] += interval * 0.25
            assert layer.connect()
        assert layer.reason == ""
        assert len([message for message in caplog.messages if "not_connected" in message]) == 1

    @staticmethod
    def test_only_the_call_that_connects_says_so(parts: Any) -> None:
        """The layer then calls the app through the layers that connecting has added."""
        app, db, _, layer, _ = parts
        with app.app_context():
            db.create_all()
        assert layer.connect()
        assert not layer.connect()
        assert layer.reason == ""

    @staticmethod
    def test_an_app_without_models_waits_for_them(tmp_path: Path) -> None:
        """Its own tables are no models."""
        app, db = Flask("shop", instance_path=str(tmp_path)), SQLAlchemy()
        app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", EDGE_GATEWAY="off", TESTING=True)
        db.init_app(app)
        Edge().init_app(app, db=db)
        layer = state_of(app).first_use
        assert layer is not None
        assert not layer.connect()
        assert layer.reason == "the app has no models yet: define them before the first request"

    @staticmethod
    def test_an_error_of_the_database_is_a_reason(tmp_path: Path) -> None:
        """Its first line is logged, and the app answers without the edge."""
        app, _, _ = make_app(
            tmp_path, SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'gone' / 'shop.db'}"
        )
        layer = state_of(app).first_use
        assert layer is not None
        assert not layer.connect()
        assert "unable to open database file" in layer.reason
        assert "\n" not in layer.reason

    @staticmethod
    @pytest.mark.parametrize("installs_triggers", [True, False])
    def test_triggers_are_installed_unless_nothing_may_be_written(
        parts: Any, *, installs_triggers: bool
    ) -> None:
        """`flask edge adopt` only looks."""
        app, db, _, layer, _ = parts
        with app.app_context():
            db.create_all()
        assert layer.connect(installs_triggers=installs_triggers)
        with app.app_context():
            query = sa.text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")
            assert bool(db.session.scalar(query)) is installs_triggers

    @staticmethod
    def test_triggers_that_are_there_are_not_installed_again(parts: Any) -> None:
        """A reinstall would purge every page at each start of a process."""
        app, db, item, layer, now = parts
        with app.app_context():
            db.create_all()
        assert layer.connect()
        with app.app_context():
            db.session.execute(sa.text("DELETE FROM edge_change"))
            db.session.commit()
        second = FirstUse(app, db, "http://localhost", monotonic=lambda: now[0])
        assert second.connect()
        with app.app_context():
            assert db.session.scalar(sa.text("SELECT count(*) FROM edge_change")) == 0
            db.session.execute(sa.text("ALTER TABLE item ADD COLUMN more TEXT"))
            db.session.commit()
        third = FirstUse(app, db, "http://localhost", monotonic=lambda: now[0])
        assert third.connect()
        with app.app_context():
            assert db.session.scalar(sa.text("SELECT op FROM edge_change")) == "E"
        assert item.__tablename__ == "item"


@pytest.mark.parametrize(
    ("settings", "site"),
    [
        ({"SERVER_NAME": "shop.example", "PREFERRED_URL_SCHEME": "https"}, "https://shop.example"),
        ({}, "http://localhost"),
    ],
)
def test_the_site_is_taken_from_flasks_settings(
    tmp_path: Path, settings: dict[str, str], site: str
) -> None:
    """SERVER_NAME with PREFERRED_URL_SCHEME, or localhost in tests."""
    app, db, _item = make_app(tmp_path, **settings)
    with app.app_context():
        db.create_all()
    first_use = state_of(app).first_use
    assert first_use is not None
    assert first_use.connect()
    tracker = state_of(app).tracker
    assert tracker is not None
    assert tracker.site == site
    with app.app_context():
        db.engine.dispose()


def test_a_missing_site_or_database_is_named_at_once(tmp_path: Path) -> None:
    """The message says which call is missing."""
    with pytest.raises(PolicyError, match=r"call edge\.init_app\(app, db=db, site="):
        make_app(tmp_path, TESTING=False)
    with pytest.raises(PolicyError, match=r"call db\.init_app\(app\) first"):
        Edge().init_app(Flask("shop"), db=SQLAlchemy())


def test_the_columns_by_which_rows_are_found_are_compared() -> None:
    """Unique, indexed, foreign keys, booleans, integers; a date with a time is a sort key."""
    metadata = sa.MetaData()
    sa.Table("author", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "post",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(50), unique=True),
        sa.Column("title", sa.String(50)),
        sa.Column("lang", sa.String(9), index=True),
        sa.Column("rank", sa.Float, index=True),
        sa.Column("score", sa.Integer),
        sa.Column("is_public", sa.Boolean),
        sa.Column("author_id", sa.ForeignKey("author.id")),
        sa.Column("published_at", sa.DateTime),
    )
    sa.Table("no_key", metadata, sa.Column("text", sa.Text))
    own = define_edge_tables(metadata)
    assert define_edge_tables(metadata) == own
    author, post = watch_models(metadata, exclude=own)
    assert (author.table, author.compared_columns, author.instant_columns) == ("author", (), ())
    assert post.compared_columns == ("slug", "lang", "score", "is_public", "author_id")
    assert post.instant_columns == ("published_at",)
