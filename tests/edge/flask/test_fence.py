"""After an error inside the library, the application's page is served and not shared."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, Response, render_template
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.edge import Freshness, Policy, cached
from app.edge.changes import WatchedTable
from app.edge.dependencies import PublicSchema, fence, recorder
from app.edge.dependencies import engine_events as observing
from app.edge.flask import Edge, state, templates
from app.edge.flask.state import EdgeState
from app.edge.policy.guard import Leak
from app.edge.testing import assert_hit, assert_no_store
from tests.edge.purge.conftest import build, connect, post

WATCHED = (WatchedTable(table="post"),)
PAGE = Policy(name="P", edge=Freshness(ttl=timedelta(days=1)))
POSTS = sa.select(post)
Make = Callable[..., Flask]


class BoomError(Exception):
    """An unexpected error of the library."""


class Nameless(FunctionElement[Any]):
    """SQLAlchemy's documented recipe for a function, which has no name."""

    inherit_cache = True
    type = sa.DateTime()


@compiles(Nameless)
def _nameless(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "1"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with two posts."""
    engine = connect(f"sqlite:///{tmp_path / 'small.db'}")
    build(engine, posts=2)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def unlogged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the list of logged places."""
    monkeypatch.setattr(fence, "_logged", set())


@pytest.fixture
def make(engine: Engine, tmp_path: Path) -> Make:
    """An app whose one page runs a statement and renders a template."""

    def make(statement: Any = POSTS, *, strict: bool = False, policy: Policy = PAGE) -> Flask:
        app = Flask("small", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
        app.config |= {"EDGE_GATEWAY": "on", "EDGE_RELAY": False, "EDGE_STRICT": strict}
        (tmp_path / "templates").mkdir(exist_ok=True)
        (tmp_path / "templates" / "p.html").write_text("{{ rows }} rows")
        edge = Edge()
        edge.init_app(app, gateway={"site": "https://example.org"})
        edge.track(
            app,
            engine,
            WATCHED,
            PublicSchema.from_watched_tables(WATCHED),
            site="https://example.org",
        )
        app.extensions["edge"].tracker.drift_monitor.check_now()

        @cached(policy)
        def show() -> str:
            executable = statement() if callable(statement) else statement
            with engine.connect() as connection:
                rows = connection.execute(executable).all()
            return render_template("p.html", rows=len(rows))

        app.add_url_rule("/p", "show", show)
        app.testing = strict  # otherwise exceptions become a 500, as in production
        return app

    return make


def get_twice(app: Flask) -> list[Any]:
    """Return two responses, both rendered by the application."""
    answers = [app.test_client().get("/p", base_url="https://example.org") for _ in range(2)]
    assert [answer.text for answer in answers] == ["2 rows"] * 2
    assert [answer.status_code for answer in answers] == [200] * 2
    return answers


def boom(*_args: Any, **_options: Any) -> Any:
    """Raise an unexpected error."""
    raise BoomError("unexpected")


def test_the_page_is_stored_where_nothing_fails(make: Make) -> None:
    """Control for the tests below."""
    assert_hit(get_twice(make())[1])


BREAKS = {
    "the kind of a statement": (observing, "classify_statement"),
    "the mark": (observing, "_read_log_position"),
    "the analysis": (observing, "analyse_select"),
    "the clock": (observing, "record_clock_use"),
    "the parameters": (observing, "_parameter_values"),
    "the facts": (state, "collect_facts"),
    "the promise of a response": (state, "policy_for_response"),
    "the judgement": (state, "find_reason_not_to_share"),
    "the headers": (state, "write_policy"),
    "the ETag": (state, "ensure_etag"),
    "the address": (state, "page_url"),
    "the beginning": (EdgeState, "_begin"),
    "the record": (recorder, "begin"),
    "a question to the record": (recorder, "_run_start_checks"),
    "a template's part": (templates.TrackedEnvironment, "part"),
}


@pytest.mark.parametrize(("owner", "name"), BREAKS.values(), ids=BREAKS)
def test_an_unexpected_error_of_the_library_is_no_error_of_the_page(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    name: str,
) -> None:
    """The reader gets the page, no cache stores it, and the log names the place once."""
    app = make()
    monkeypatch.setattr(owner, name, boom)
    with caplog.at_level(logging.ERROR):
        for answer in get_twice(app):
            assert_no_store(answer)
    failures = [r for r in caplog.records if r.message.startswith("edge.failed")]
    assert len(failures) == 1
    assert "test_fence.py" in failures[0].message


STATEMENTS: dict[str, Any] = {
    "a function without a name": sa.select(post).where(post.c.version < Nameless() + 9),
    "a parameter that is written out": lambda: sa.select(post).where(
        post.c.id < sa.bindparam("most", 9, literal_execute=True)
    ),
    "an equal parameter that is written out": lambda: sa.select(post).where(
        post.c.id.in_([1, 2]), post.c.version == sa.bindparam("v", 0, literal_execute=True)
    ),
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_that_is_not_understood_is_no_error(make: Make, statement: Any) -> None:
    """The page is served and not shared; development raises the reason."""
    for answer in get_twice(make(statement)):
        assert_no_store(answer)
    with pytest.raises(Leak):
        make(statement, strict=True).test_client().get("/p")


def test_strict_mode_raises_what_went_wrong(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Developers need the traceback."""
    app = make(strict=True)
    monkeypatch.setattr(state, "find_reason_not_to_share", boom)
    with pytest.raises(BoomError):
        app.test_client().get("/p")


def test_the_application_answers_where_the_gateway_fails(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway's store may raise unexpected errors."""
    app = make()
    monkeypatch.setattr(app.extensions["edge"].embedded_gateway.store, "load", boom)
    for answer in get_twice(app):
        assert_no_store(answer)


def test_the_application_answers_where_catching_up_fails(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that can't catch up serves no stored page."""
    app = make()
    monkeypatch.setattr(app.extensions["edge"].worker, "catch_up", boom)
    for answer in get_twice(app):
        assert_no_store(answer)


def test_an_error_of_the_application_stays_its_own(make: Make) -> None:
    """The application is called once, and answers as without the library."""
    app = make()
    calls: list[str] = []

    @cached(PAGE)
    def fails() -> str:
        calls.append("asked")
        raise BoomError("the application's")

    app.add_url_rule("/fails", "fails", fails)
    assert app.test_client().get("/fails").status_code == 500
    assert len(calls) == 1


def test_a_write_stands_where_the_purge_after_it_fails(
    make: Make, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is done, and the relay delivers the purge later."""
    app = make()
    assert_hit(get_twice(app)[1])
    monkeypatch.setattr(app.extensions["edge"].worker.relay, "flush", boom)
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=7))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.max(post.c.version))) == 7


def test_an_error_of_the_query_itself_reaches_the_application(make: Make, engine: Engine) -> None:
    """A failed fetch is not recorded as an empty result."""
    app = make()

    def fail(_dbapi: Any, _record: Any) -> None:
        _dbapi.create_function("edge_fails", 0, boom)

    event.listen(engine, "connect", fail)
    engine.dispose()
    tracker = app.extensions["edge"].tracker
    object.__setattr__(tracker.schema, "functions", tracker.schema.functions | {"edge_fails"})

    @cached(PAGE)
    def broken() -> str:
        with engine.connect() as connection:
            return str(connection.execute(sa.select(post.c.id, sa.func.edge_fails())).all())

    app.add_url_rule("/broken", "broken", broken)
    assert app.test_client().get("/broken").status_code == 500


CLOCKS: dict[str, Any] = {
    "a week ago": lambda: sa.select(post).where(
        post.c.version < 9,
        sa.literal(datetime.now(UTC) - timedelta(days=7)) != None,  # noqa: E711 - SQL
    ),
    "today": lambda: sa.select(post).where(sa.literal(date.today()) != None),  # noqa: DTZ011, E711 - as applications do
    "the database's clock": lambda: sa.select(post).where(sa.func.now() != None),  # noqa: E711 - SQL
}


@pytest.mark.parametrize("statement", CLOCKS.values(), ids=CLOCKS)
def test_a_page_that_asks_for_the_present_moment_is_not_shared(make: Make, statement: Any) -> None:
    """Its content changes without a write; the message says what to do."""
    for answer in get_twice(make(statement)):
        assert_no_store(answer)
    with pytest.raises(Leak, match="until="):
        make(statement, strict=True).test_client().get("/p")


@pytest.mark.parametrize("statement", CLOCKS.values(), ids=CLOCKS)
def test_a_page_that_ends_when_the_minute_does_may_ask_for_it(make: Make, statement: Any) -> None:
    """Its policy limits its lifetime accordingly."""
    policy = Policy(name="MINUTE", edge=Freshness(ttl=timedelta(days=1)), until="minute")
    answer = make(statement, policy=policy).test_client().get("/p")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["Cache-Control"]


def test_a_day_needs_no_minute(make: Make) -> None:
    """Today's date is the same until midnight; the exact time is not."""
    policy = Policy(name="DAY", edge=Freshness(ttl=timedelta(days=1)), until="midnight")
    assert_no_store(make(CLOCKS["a week ago"], policy=policy).test_client().get("/p"))
    today = make(CLOCKS["today"], policy=policy).test_client().get("/p")
    assert "no-store" not in today.headers["Cache-Control"]


def test_a_response_of_a_view_may_be_anything(make: Make) -> None:
    """Headers that contradict the policy make the page no-store and raise no error."""
    app = make()

    @cached(PAGE)
    def odd() -> Response:
        return Response("odd", headers={"Cache-Control": "max-age=-1, s-maxage=x", "Expires": "?"})

    app.add_url_rule("/odd", "odd", odd)
    assert app.test_client().get("/odd").status_code == 200
