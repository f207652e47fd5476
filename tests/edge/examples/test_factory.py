"""An app factory with a page that is never stored, a page of two minutes, and static files."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask, Response, make_response, url_for

from app.edge.flask import Edge
from app.edge.testing import FrozenClock, assert_hit, assert_no_store, assert_stored

if TYPE_CHECKING:
    from pathlib import Path

edge = Edge()


def create_app(folder: Path, clock: FrozenClock) -> Flask:
    """Build the app as a hosting platform documents it, with the edge as one more extension."""
    app = Flask(__name__, root_path=str(folder), instance_path=str(folder / "instance"))
    app.config.from_prefixed_env()
    edge.init_app(app, clock=clock, gateway={"site": "http://localhost"})

    @app.route("/")
    def index() -> Response:
        response = make_response(f"Last generated at {clock()}")
        response.cache_control.no_store = True
        return response

    @app.route("/page")
    def page() -> Response:
        response = make_response(f"Cached at {clock()} for two minutes")
        response.cache_control.max_age = 60 * 2
        return response

    return app


@pytest.fixture
def clock() -> FrozenClock:
    """Return a clock that stands still."""
    return FrozenClock()


@pytest.fixture
def app(tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return the app, configured by FLASK_ variables."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("a { color: red }")
    monkeypatch.setenv("FLASK_EDGE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("FLASK_EDGE", "cloudflare")
    return create_app(tmp_path, clock)


def test_the_factory_reads_prefixed_settings(app: Flask, tmp_path: Path) -> None:
    """The library reads its own from `app.config`."""
    assert app.config["EDGE_STORE"] == str(tmp_path / "store")
    response = app.test_client().get("/page")
    assert app.config["EDGE"] == "cloudflare"
    assert response.headers["Cache-Control"] == "max-age=120"


def test_the_page_of_no_store_is_generated_for_each_reader(app: Flask, clock: FrozenClock) -> None:
    """No cache may keep it."""
    client = app.test_client()
    first = client.get("/")
    assert_no_store(first)
    clock.advance(timedelta(seconds=1))
    assert client.get("/").text != first.text


def test_the_page_of_two_minutes_is_a_hit_for_two_minutes(app: Flask, clock: FrozenClock) -> None:
    """After that it is rendered again."""
    client = app.test_client()
    first = client.get("/page")
    assert first.headers["Cache-Control"] == "max-age=120"
    assert_stored(first)
    clock.advance(timedelta(seconds=119))
    second = client.get("/page")
    assert_hit(second)
    assert second.text == first.text
    clock.advance(timedelta(seconds=2))
    assert client.get("/page").text != first.text


def test_static_files_through_url_for_are_hits(app: Flask) -> None:
    """Their URL contains a fingerprint, so every cache may store them for a year."""
    with app.test_request_context():
        url = url_for("static", filename="site.css")
    client = app.test_client()
    first = client.get(url)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "max-age=31536000, immutable"
    assert_stored(first)
    assert_hit(client.get(url))


def test_an_after_request_function_sets_a_lifetime_too(tmp_path: Path, clock: FrozenClock) -> None:
    """It runs before the edge reads the response's headers."""
    app = Flask(__name__, root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.config |= {"EDGE": "", "EDGE_GATEWAY": "off"}
    edge.init_app(app, clock=clock)

    @app.after_request
    def keep(response: Response) -> Response:
        response.cache_control.max_age = 30
        return response

    app.add_url_rule("/page", "page", lambda: "hi")
    client = app.test_client()
    assert client.get("/page").headers["Cache-Control"] == "max-age=30"
    assert_no_store(client.get("/nowhere"))
