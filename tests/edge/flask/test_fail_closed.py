"""Cookies that are set after the edge has checked the response."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response
from flask.signals import request_finished

from app.edge import Policy, cached
from app.edge.flask import Edge
from app.edge.testing import FrozenClock, assert_no_store, assert_policy


def by_a_signal(app: Flask) -> Any:
    """Another extension receives the same signal later."""

    def mark(_sender: Flask, response: Response, **_: Any) -> None:
        response.set_cookie("visitor", "1")

    request_finished.connect(mark, app)
    return mark  # signals hold their receivers weakly


def by_a_middleware(app: Flask) -> Any:
    """The app has its own middleware inside the edge."""
    inner = app.wsgi_app

    def wrapped(environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, *rest: Any) -> Any:
            return start_response(status, [*headers, ("set-cookie", "visitor=1")], *rest)

        return inner(environ, start)

    app.wsgi_app = wrapped  # type: ignore[method-assign]  # as Flask documents
    return wrapped


@pytest.mark.parametrize("how", [by_a_signal, by_a_middleware])
def test_a_cookie_that_was_set_too_late_closes_the_page(
    bare: Flask, clock: FrozenClock, policy: Policy, how: Any
) -> None:
    """Many caches store a page together with its cookie."""
    bare.config["EDGE_STRICT"] = False  # the order of a signal's receivers is undefined
    if how is by_a_middleware:
        response = how(bare)
    Edge().init_app(bare, clock=clock)
    if how is by_a_signal:
        response = how(bare)
    bare.add_url_rule("/", "show", cached(policy)(lambda: "page"))
    answer = bare.test_client().get("/")
    assert_no_store(answer)
    assert answer.headers["Set-Cookie"].startswith("visitor=1")
    assert "CDN-Cache-Control" not in answer.headers
    del response


def test_a_cookie_that_was_judged_stays_as_it_was_judged(app: Flask) -> None:
    """A policy may declare cookies private by field name."""
    policy = Policy(name="COOKIE", private=("Set-Cookie",))

    @app.get("/")
    @cached(policy)
    def show() -> Response:
        response = Response("page")
        response.set_cookie("visitor", "1")
        return response

    assert_policy(app.test_client().get("/"), policy, dialects="cloudflare")
