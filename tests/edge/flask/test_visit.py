"""What the visit of a stranger reports: status, error, target, directives and writes."""

from __future__ import annotations

import logging
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from flask import Flask, current_app, redirect, request

from app.edge import NO_STORE, Policy, cached, days
from app.edge.dependencies import read_places
from app.edge.flask import Edge
from app.edge.flask.example_urls import find_example_urls
from app.edge.flask.problems import describe_problems
from app.edge.flask.visit import StrangerVisit, visit_page

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Policy("PAGE", edge=days(1))
HERE = "tests/edge/flask/test_visit.py"


def visit(app: Flask, view: Callable[[], Any]) -> StrangerVisit:
    """Visit a page of this view."""
    app.add_url_rule("/", "page", view)
    (url,) = [url for url in find_example_urls(app, ()) if url.path == "/"]
    return visit_page(app, url)


def test_the_first_of_several_exceptions_is_reported(app: Flask) -> None:
    """The one that an error handler raises would hide the cause."""
    app.testing = False

    @app.errorhandler(500)
    def fail_again(_error: Exception) -> str:
        raise KeyError("second")

    def show() -> str:
        raise ValueError("first")

    result = visit(app, show)
    assert result.error == f"ValueError at {HERE}:{show.__code__.co_firstlineno + 1}: first"


MESSAGES = {
    "none": ("", "ValueError at {place}"),
    "one line": ("too short", "ValueError at {place}: too short"),
    "two lines": ("first\nsecond", "ValueError at {place}: first"),
    "80 characters": ("a" * 80, "ValueError at {place}: " + "a" * 80),
    "81 characters": ("a" * 81, "ValueError at {place}: " + "a" * 80),
}


@pytest.mark.parametrize(("message", "error"), MESSAGES.values(), ids=MESSAGES)
@pytest.mark.parametrize("raises", [True, False])
def test_an_exception_is_one_short_line(
    app: Flask, message: str, error: str, *, raises: bool
) -> None:
    """It has status 0 if Flask raises it, and 500 if Flask answers it."""

    def show() -> str:
        raise ValueError(message)

    app.testing = raises
    result = visit(app, show)
    assert result.error == error.format(place=f"{HERE}:{show.__code__.co_firstlineno + 1}")
    assert result.status == (0 if raises else 500)


def test_an_exception_without_a_place_in_the_app_has_its_name(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An extension may raise it before the app runs."""
    monkeypatch.setattr(read_places, "_is_app_file", lambda _path, _root: False)

    def show() -> str:
        raise ValueError("x")

    assert visit(app, show).error == "ValueError: x"


def test_a_page_without_problems_has_nothing_to_report(app: Flask) -> None:
    """All other fields are empty."""
    assert visit(app, lambda: "hi") == StrangerVisit(status=200)


def test_a_redirect_has_its_target(app: Flask) -> None:
    """The status says which kind of redirect it is."""
    result = visit(app, lambda: redirect("/login", 303))
    assert (result.status, result.location) == (303, "/login")


@pytest.mark.parametrize(
    ("directives", "reported"),
    [
        ("private", "private"),
        ("no-store", "no-store"),
        ("max-age=60", ""),
        ("public, max-age=60", ""),
    ],
)
def test_a_header_that_forbids_sharing_is_reported(
    app: Flask, directives: str, reported: str
) -> None:
    """One that allows sharing prevents nothing."""
    assert visit(app, lambda: ("hi", {"Cache-Control": directives})).own_directives == reported


def test_a_write_outside_the_app_is_reported_without_a_place(
    app: Flask, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write of an extension prevents sharing as well."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    monkeypatch.setattr(read_places, "_is_app_file", lambda _path, _root: False)

    def show() -> str:
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE a (b)"))
        return "hi"

    result = visit(app, show)
    assert result.write_place == ""
    assert describe_problems(result) == ("writes to the database (the write was refused)",)
    engine.dispose()


def test_a_page_that_writes_nothing_has_no_place_of_a_write(app: Flask) -> None:
    """An empty place would mean a write at an unknown line."""
    assert visit(app, lambda: "hi").write_place is None


def test_only_log_lines_of_the_visit_are_dropped(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """Another thread serves a reader at the same time, and its log lines are kept."""
    client = app.test_client()

    @app.get("/reader")
    def serve_reader() -> str:
        current_app.logger.error("of a reader")
        return "hi"

    def show() -> str:
        current_app.logger.error("of the visit")
        threads = [
            Thread(target=lambda: client.get("/reader")),
            Thread(target=lambda: app.logger.error("of no request")),
        ]
        for thread in threads:
            thread.start()
            thread.join()
        return request.path

    filters = list(app.logger.filters)
    with caplog.at_level(logging.ERROR):
        visit(app, show)
        app.logger.error("afterwards")
    assert caplog.messages == ["of a reader", "of no request", "afterwards"]
    assert app.logger.filters == filters


def test_a_policy_of_the_route_is_used_for_the_visit(bare: Flask) -> None:
    """A route without one is visited as if it were shared."""
    Edge().init_app(bare)
    bare.add_url_rule("/private", "private", cached(NO_STORE)(lambda: request.args.get("q") or ""))
    bare.add_url_rule("/shared", "shared", lambda: request.args.get("q") or "")
    bare.add_url_rule(
        "/declared", "declared", cached(PAGE, query=("q",))(lambda: request.args.get("q") or "")
    )
    urls = {url.path: url for url in find_example_urls(bare, ())}
    codes = {
        path: [f.code for f in visit_page(bare, urls[path]).findings]
        for path in ("/private", "/shared", "/declared")
    }
    assert codes == {"/private": [], "/shared": ["query-undeclared"], "/declared": []}
