"""Response headers that a view or an after_request function sets itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask, Response, make_response

from app.edge import cache_control
from app.edge.policy.guard import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {
    "plain text, never stored": (
        {"Content-Type": "text/plain", "X-Powered-By": "Flask", "Cache-Control": "no-store"},
        "no-store",
    ),
    "a custom header": ({"Content-Type": "text/plain", "X-Custom-Header": "MyValue"}, "no-store"),
    "JSON": ({"Content-Type": "application/json", "Cache-Control": "no-cache"}, "no-cache"),
    "sixty seconds": ({"Cache-Control": "public, max-age=60"}, "public, max-age=60"),
    "an attachment": (
        {"Content-Disposition": 'attachment; filename="file.txt"', "Cache-Control": "max-age=5"},
        "max-age=5",
    ),
}


@pytest.mark.parametrize(("headers", "header"), HEADERS.values(), ids=HEADERS)
def test_headers_of_a_view_leave_as_it_wrote_them(
    app: Flask, headers: dict[str, str], header: str
) -> None:
    """Cache-Control, too: the response takes precedence."""

    @app.route("/")
    def index() -> Response:
        response = Response("Welcome to my site!")
        for name, value in headers.items():
            response.headers[name] = value
        return response

    response = app.test_client().get("/")
    assert response.text == "Welcome to my site!"
    assert response.headers.getlist("Cache-Control") == [header]
    others = {name: value for name, value in headers.items() if name != "Cache-Control"}
    assert dict(response.headers).items() >= others.items()


def test_a_cookie_with_flags_is_sent_and_never_shared(app: Flask) -> None:
    """A route without a policy may set one; a shared route only if it declares Set-Cookie private."""

    def make_view() -> Callable[[], Response]:
        def view() -> Response:
            response = Response("hi")
            response.headers.add("Set-Cookie", "user=123; HttpOnly")
            return response

        return view

    split = cache_control(max_age=60, private=["Set-Cookie"])
    app.add_url_rule("/own", "own", make_view())
    app.add_url_rule("/leak", "leak", cache_control(max_age=60)(make_view()))
    app.add_url_rule("/split", "split", split(make_view()))
    client = app.test_client(use_cookies=False)
    for path, header in (
        ("/own", "no-store"),
        ("/leak", "no-store"),
        ("/split", 'private="Set-Cookie", max-age=60'),
    ):
        response = client.get(path)
        assert response.headers["Set-Cookie"] == "user=123; HttpOnly", path
        assert response.headers["Cache-Control"] == header, path


def test_a_cookie_on_a_shared_page_raises_while_testing(app: Flask) -> None:
    """So the mistake is found before a reader gets another's cookie."""
    app.testing = True

    @app.route("/")
    @cache_control(max_age=60)
    def index() -> Response:
        response = Response("hi")
        response.set_cookie("user", "123", httponly=True)
        return response

    with pytest.raises(Leak, match="sets the cookie user"):
        app.test_client().get("/")


def test_after_request_adds_security_headers_to_every_response(app: Flask) -> None:
    """A page, an error and a static file; cacheable responses stay cacheable."""
    security = {
        "X-Frame-Options": "SAMEORIGIN",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }

    @app.after_request
    def add_security_headers(response: Response) -> Response:
        response.headers.update(security)
        return response

    @app.route("/cache")
    def cached_data() -> Response:
        response = make_response("This data is cacheable")
        response.headers["Cache-Control"] = "public, max-age=60"
        return response

    client = app.test_client()
    for path, header in (("/cache", "public, max-age=60"), ("/nowhere", "no-store")):
        response = client.get(path)
        assert dict(response.headers).items() >= security.items(), path
        assert response.headers["Cache-Control"] == header, path
