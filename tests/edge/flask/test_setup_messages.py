"""What an app's developer reads while the set-up is incomplete; pages are served uncached."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge import Edge, Policy, cached, changes, days, pages, purge
from app.edge.changes import WatchedTable, install_triggers
from app.edge.changes.triggers import find_drift
from app.edge.dependencies import PublicSchema
from app.edge.testing import assert_hit, assert_no_store

PAGE = Policy("PAGE", edge=days(1))
ROOMS = (changes, pages, purge)
WATCHED = (WatchedTable(table="post", compared_columns=("slug",)),)

metadata = sa.MetaData()
post = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("slug", sa.String(50)),
    sa.Column("title", sa.String(50)),
)


def make_engine(folder: Path, rooms: tuple[Any, ...] = ROOMS) -> sa.Engine:
    """Create a database with the table of the app and the tables of these rooms."""
    engine = sa.create_engine(f"sqlite:///{folder / 'site.db'}")
    own = sa.MetaData()
    for room in rooms:
        room.define_tables(own)
    own.create_all(engine)
    metadata.create_all(engine)
    return engine


def make_app(folder: Path, engine: sa.Engine, tables: tuple[WatchedTable, ...]) -> Flask:
    """Create an app with one page and a gateway, as it runs in production."""
    app = Flask("site", static_folder=None, instance_path=str(folder))
    app.config.update(EDGE_STORE=str(folder / "store"), EDGE_RELAY=False, TESTING=True)
    app.config["EDGE_STRICT"] = False
    edge = Edge()
    edge.init_app(app)
    edge.track(
        app,
        engine,
        tables,
        PublicSchema.from_watched_tables(tables),
        site="http://localhost",
    )

    @app.get("/")
    @cached(PAGE)
    def home() -> str:
        with engine.connect() as connection:
            return f"{len(connection.execute(sa.select(post.c.title)).all())} posts"

    return app


def warnings(caplog: pytest.LogCaptureFixture, event: str) -> list[str]:
    """Return the logged sentences about an event."""
    return [record.getMessage() for record in caplog.records if event in record.getMessage()]


@pytest.mark.parametrize(
    ("rooms", "missing"),
    [((), "edge_change"), ((changes, pages), "edge_outbox"), ((purge,), "edge_change")],
    ids=["all", "those of purge", "those of changes and pages"],
)
def test_forgotten_tables_are_named_and_pages_are_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, rooms: tuple[Any, ...], missing: str
) -> None:
    """The log names the call to add; once the tables exist, the same process shares its pages."""
    engine = make_engine(tmp_path, rooms)
    client = make_app(tmp_path, engine, WATCHED).test_client()
    with caplog.at_level(logging.WARNING):
        answers = [client.get("/") for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, answer.text) == (200, "0 posts")
        assert_no_store(answer)
    (sentence,) = warnings(caplog, "edge.not_set_up")
    assert missing in sentence
    assert "call define_tables(metadata) of changes, pages and purge" in sentence
    engine.dispose()


def test_missing_triggers_are_logged_with_the_command(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Pages are served uncached, and the log says it once."""
    engine = make_engine(tmp_path)
    client = make_app(tmp_path, engine, WATCHED).test_client()
    with caplog.at_level(logging.WARNING):
        answers = [client.get("/") for _ in range(2)]
    for answer in answers:
        assert answer.status_code == 200
        assert_no_store(answer)
    (sentence,) = warnings(caplog, "edge.untrusted")
    assert "run `flask edge triggers install`" in sentence
    engine.dispose()


def test_stored_pages_are_not_served_without_the_tables(tmp_path: Path) -> None:
    """A process that lacks them does not know which changes were written since."""
    engine = make_engine(tmp_path)
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
    client = make_app(tmp_path, engine, WATCHED).test_client()
    for _ in range(3):
        answer = client.get("/")
    assert_hit(answer)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a", title="A"))
        connection.exec_driver_sql("DROP TABLE edge_outbox")
    fresh = make_app(tmp_path, engine, WATCHED).test_client().get("/")
    assert (fresh.status_code, fresh.text) == (200, "1 posts")
    assert_no_store(fresh)
    engine.dispose()


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ((), 'no table is watched.*WatchedTable\\(table="post"\\)'),
        (
            (WatchedTable(table="psot"),),
            r"no table psot \(did you mean post\?\).*correct the name in its WatchedTable",
        ),
        (
            (WatchedTable(table="post", compared_columns=("slgu",)),),
            r"post has no column slgu \(did you mean slug\?\): correct its WatchedTable",
        ),
        ((WatchedTable(table="post", compared_columns=("x",)),), r"no column x: correct"),
    ],
    ids=["nothing watched", "table", "column", "no similar column"],
)
def test_a_wrong_declaration_is_named(
    tmp_path: Path, tables: tuple[WatchedTable, ...], sentence: str
) -> None:
    """The most similar name is suggested."""
    engine = make_engine(tmp_path)
    with engine.begin() as connection:
        install_triggers(connection, WATCHED)
        problem = find_drift(connection, tables) or ""
    assert re.search(sentence, problem), problem
    engine.dispose()
