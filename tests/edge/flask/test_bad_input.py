"""Views whose reads can't be tracked, and a database that can't be written at the moment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.edge import Freshness, Policy, cached
from app.edge.changes import WatchedTable
from app.edge.dependencies import PublicSchema
from app.edge.flask import Edge
from app.edge.pages.resolver_lock import acquire_resolver_lock
from app.edge.policy.guard import Leak
from tests.edge.purge.conftest import build, connect, post

WATCHED = (WatchedTable(table="post"),)
PAGE = Policy(name="P", edge=Freshness(ttl=timedelta(days=1)))

UNREADABLE = {
    "raw SQL": (sa.text("SELECT version FROM post"), "the tables in raw SQL are not known"),
    "an undeclared table": (
        sa.select(sa.table("edge_tier", sa.column("name")).c.name),
        "the table edge_tier was not declared public",
    ),
    "now": (sa.select(post).where(post.c.version <= sa.func.now()), "the function now()"),
    "CURRENT_TIMESTAMP": (
        sa.select(post).where(post.c.version <= sa.func.current_timestamp()),
        "the function current_timestamp()",
    ),
    "a random order": (sa.select(post).order_by(sa.func.random()), "the function random()"),
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each database in turn, with two posts."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'small.db'}"
    else:
        empty: str = request.getfixturevalue("empty_postgres_url")
        url = empty.replace("postgresql://", "postgresql+psycopg://")
    engine = connect(url)
    build(engine, posts=2)
    yield engine
    engine.dispose()


@pytest.fixture
def make(engine: Engine, tmp_path: Path) -> Callable[..., Flask]:
    """An app whose one page runs a statement."""

    def make(statement: Any, *, strict: bool = False) -> Flask:
        app = Flask("small", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
        app.testing = True
        app.config |= {"EDGE_GATEWAY": "on", "EDGE_RELAY": False, "EDGE_STRICT": strict}
        edge = Edge()
        edge.init_app(app, gateway={"site": "https://example.org"})
        edge.track(
            app,
            engine,
            WATCHED,
            PublicSchema.from_watched_tables(WATCHED),
            site="https://example.org",
        )

        @cached(PAGE)
        def show() -> str:
            with engine.connect() as connection:
                return f"{len(connection.execute(statement).all())} rows"

        app.add_url_rule("/p", "show", show)
        return app

    return make


def registered(engine: Engine) -> int:
    """Return the number of index rows of the page."""
    with engine.connect() as connection:
        query = "SELECT count(*) FROM edge_page WHERE url = '/p'"
        return int(connection.exec_driver_sql(query).scalar_one())


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("statement", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_can_not_be_followed_is_shown_to_one_reader_and_said(
    make: Callable[..., Flask],
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    statement: Any,
    reason: str,
) -> None:
    """In production the page is served and not stored; development raises the same sentence."""
    app = make(statement)
    with caplog.at_level(logging.WARNING):
        answers = [app.test_client().get("/p") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"]
        assert "; hit" not in answer.headers["Cache-Status"]
    assert registered(engine) == 0
    sentences = [
        vars(record)["sentence"]
        for record in caplog.records
        if record.message.partition(":")[0] == "edge.finding"
    ]
    assert sentences
    assert all(
        reason in sentence and "show has the shared policy P" in sentence for sentence in sentences
    )
    with pytest.raises(Leak, match="reads-unknown") as leak:
        make(statement, strict=True).test_client().get("/p")
    assert reason in str(leak.value)


def test_a_page_that_can_not_be_registered_now_is_kept_by_nobody(
    make: Callable[..., Flask], engine: Engine
) -> None:
    """Another transaction holds the lock for longer than a reader should wait."""
    app = make(sa.select(post))
    client = app.test_client()
    client.get("/other")  # the first request of a process writes, too
    waits: list[int] = []

    @event.listens_for(engine, "begin")
    def _note(connection: Connection) -> None:
        if connection.get_execution_options().get("sqlite_begin") != "IMMEDIATE":
            return
        if engine.dialect.name == "sqlite":
            raw: Any = connection.connection.dbapi_connection
            waits.append(raw.execute("PRAGMA busy_timeout").fetchone()[0])

    with engine.connect() as holder:
        holder = holder.execution_options(edge_internal=True)  # noqa: PLW2901 - the same one
        if engine.dialect.name == "sqlite":
            holder.exec_driver_sql("COMMIT")
            holder.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            acquire_resolver_lock(holder)
        answer = client.get("/p")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert registered(engine) == 0
    assert set(waits) <= {200}
    client.get("/p")
    assert registered(engine) == 1
