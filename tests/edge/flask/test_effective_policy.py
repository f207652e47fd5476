"""The policy of a response: from its view, its blueprints or the app's default."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from flask import Blueprint, Flask, Request, Response, abort

from app.edge import Freshness, Policy, cache_control, cached
from app.edge.flask import Edge
from app.edge.flask.effective_policy import Default, policy_for_route, successful_get

HOUR = Policy(name="HOUR", browser=Freshness(ttl=timedelta(hours=1)))
DAY = Policy(name="DAY", browser=Freshness(ttl=timedelta(days=1)))


def page() -> str:
    """Return a page."""
    return "page"


def test_a_blueprint_gives_its_policy_and_query_to_blueprints_inside_of_it() -> None:
    """Through a blueprint without a mark; the default of the app is not used then."""
    app = Flask("small")
    outer = cached(HOUR, query=("q",), headers=("DNT",), reads=("posts",))(
        Blueprint("outer", __name__)
    )
    inner = Blueprint("inner", __name__)
    inner.add_url_rule("/", "page", page)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    route = policy_for_route(app, "outer.inner.page", default=DAY)
    assert (route.policy, route.source) == (HOUR.with_vary(("Dnt",)), "blueprint")
    assert (route.query, route.reads) == (frozenset({"q"}), ("posts",))


def test_a_route_without_a_mark_has_the_default() -> None:
    """A request without a route has none."""
    app = Flask("small")
    app.add_url_rule("/", "page", page)
    assert policy_for_route(app, "page", default=DAY).policy == DAY
    assert policy_for_route(app, None, default=DAY).policy.no_store
    assert policy_for_route(app, "page").policy.no_store


def test_a_mark_with_no_store_applies_to_errors() -> None:
    """Its other restrictions stay on them; a mark that stores does not apply."""
    app = Flask("small")
    app.config |= {"EDGE": "none", "EDGE_GATEWAY": "off"}
    Edge().init_app(app)
    no_store = cache_control(no_store=True, no_transform=True)
    app.add_url_rule("/closed", "closed", no_store(lambda: abort(404)))
    app.add_url_rule("/open", "open", cached(HOUR)(lambda: abort(404)))
    client = app.test_client()
    assert client.get("/closed").headers["Cache-Control"] == "no-store, no-transform"
    assert client.get("/open").headers["Cache-Control"] == "no-store"


def test_a_hook_that_fails_is_logged_and_the_default_is_not_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error of the app's hook does not break the response."""

    def fail(_request: Request, _response: Response) -> bool:
        raise ZeroDivisionError

    with Flask("small").test_request_context("/a") as context:
        default = Default(policy=DAY, should_handle=fail)
        assert not default.holds(context.request, Response())
    assert "edge.should_handle: failed for /a" in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR


@pytest.mark.parametrize(
    ("method", "status", "applies"),
    [
        ("GET", 200, True),
        ("HEAD", 200, True),
        ("POST", 200, False),
        ("OPTIONS", 200, False),
        ("GET", 201, False),
        ("GET", 304, False),
        ("GET", 404, False),
    ],
)
def test_the_default_is_for_successful_gets(method: str, status: int, applies: bool) -> None:
    """GET and HEAD with the status 200."""
    with Flask("small").test_request_context("/", method=method) as context:
        assert successful_get(context.request, Response(status=status)) is applies
