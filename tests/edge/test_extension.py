"""Edge in a small Flask app: marks become headers, the guard looks at what is shared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Blueprint, Flask, Response, request, session

from app.edge import Freshness, Policy, PolicyError, cached
from app.edge.flask import Edge, serve_as
from app.edge.guard import Leak

ARTICLE = Policy(
    name="ARTICLE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=timedelta(days=1), stale_while_revalidate=timedelta(hours=1)),
)


@pytest.fixture
def app() -> Flask:
    """Return an app with an edge, a Cloudflare in front and no routes."""
    app = Flask(__name__)
    app.secret_key = "secret"
    app.testing = True
    app.config["EDGE"] = "cloudflare"
    Edge().init_app(app)
    return app


def test_a_marked_view_gets_its_policy(app: Flask) -> None:
    """The browser asks each time, the CDN keeps no longer than the cap."""
    app.add_url_rule("/", "home", cached(ARTICLE)(lambda: "hi"))
    response = app.test_client().get("/")
    assert response.headers["Cache-Control"] == "max-age=0, must-revalidate"
    assert response.headers["CDN-Cache-Control"] == "max-age=60"


def test_a_route_without_a_policy_is_no_store(app: Flask) -> None:
    """Nothing said means nothing stored."""
    app.add_url_rule("/", "home", lambda: "hi")
    response = app.test_client().get("/")
    assert response.headers["Cache-Control"] == "no-store"
    assert "ETag" not in response.headers


def test_reading_the_session_on_a_shared_page_is_a_leak(app: Flask) -> None:
    """In tests the leak raises with the view's name and the reason."""
    app.add_url_rule("/", "home", cached(ARTICLE)(lambda: session.get("name", "you")))
    with pytest.raises(Leak, match=r"home promises ARTICLE.*read the session"):
        app.test_client().get("/")


def test_an_error_page_is_shared_when_it_says_so(app: Flask) -> None:
    """serve_as gives the 404 page a policy of its own."""

    @app.errorhandler(404)
    def missing(_: Exception) -> tuple[Response, int]:
        return serve_as(ARTICLE, app.make_response("nothing here")), 404

    response = app.test_client().get("/nowhere")
    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "max-age=0, must-revalidate"


def test_a_blueprint_is_marked_as_a_whole(app: Flask) -> None:
    """A view without a mark promises what its blueprint promises."""
    site = cached(ARTICLE)(Blueprint("site", __name__))
    site.add_url_rule("/", "home", lambda: request.args.get("q", "nothing"))
    app.register_blueprint(site)
    with pytest.raises(Leak, match="query parameter q"):
        app.test_client().get("/")


def test_a_second_registration_is_refused(app: Flask) -> None:
    """One app has one edge."""
    with pytest.raises(PolicyError, match="once"):
        Edge().init_app(app)
