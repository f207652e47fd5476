"""The app-wide default: a common Cache-Control for all views, and when it holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Request, Response, abort, make_response
from flask.views import MethodView

from app.edge import Freshness, Policy, PolicyError, cache_control, cached
from app.edge.flask import Edge, serve_as
from app.edge.flask.routes import routes
from app.edge.http.cache_control import Directives

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

NEVER: Any = {"no_cache": True, "no_store": True}
FIELDS: Any = {"no_cache": ["Set-Cookie", "Authorization"], "max_age": 300}
FIVE_MINUTES = Policy(name="FIVE_MINUTES", browser=Freshness(ttl=timedelta(minutes=5)))

DEFAULTS: dict[str, tuple[Any, str]] = {
    "a policy": (FIVE_MINUTES, "max-age=300"),
    "the decorator": (
        cache_control(**FIELDS),
        'max-age=300, no-cache="Authorization, Set-Cookie"',
    ),
    "directives by name": (FIELDS, 'max-age=300, no-cache="Authorization, Set-Cookie"'),
    "directives as a header names them": (
        {"max-age": 300, "s-maxage": 600},
        "max-age=300, s-maxage=600",
    ),
    "the text of a header": ("public, max-age=300", "public, max-age=300"),
    "a parsed header": (
        Directives.parse(['max-age=300, no-cache="Set-Cookie"']),
        'max-age=300, no-cache="Set-Cookie"',
    ),
    "never, by the decorator": (cache_control(**NEVER), "no-cache, no-store"),
    "never, by name": (NEVER, "no-cache, no-store"),
    "never, as a text": ("no-cache, no-store", "no-cache, no-store"),
    "never, as a policy": (
        Policy(name="NEVER", no_store=True, browser=Freshness(no_cache=True)),
        "no-cache, no-store",
    ),
}

REFUSED: dict[str, tuple[Any, str]] = {
    "a number": (300, r"init_app\(default=…\) takes a Policy"),
    "a view": (lambda: "hi", "takes a Policy"),
    "a list": (["max-age=300"], "takes a Policy"),
    "True": (True, "takes a Policy"),
    "a policy's class": (Policy, "takes a Policy"),
    "an unknown directive": ({"max_agee": 300}, "'max_agee' is not a Cache-Control directive"),
    "an unknown directive in a text": (
        "max-agee=300",
        "'max_agee' is not a Cache-Control directive",
    ),
    "a text without a directive": ("", "is not a Cache-Control directive"),
    "a lifetime that is no number": ("max-age=soon", "not a number of seconds"),
    "a lifetime without a number": ("max-age", "not a number of seconds"),
    "a contradiction": ({"no_store": True, "max_age": 5}, "no_store stores nothing"),
    "a contradiction in a text": ("no-store, max-age=5", "no_store stores nothing"),
    "query parameters": (cached(FIVE_MINUTES, query=("q",)), "declared on views"),
}


class NeverCached(Edge):
    """Write `no-cache, no-store` into every response."""

    default = cache_control(**NEVER)

    def should_handle(self, request: Request, response: Response) -> bool:  # noqa: ARG002
        """Handle all of them."""
        return True


def get(app: Flask, path: str = "/") -> TestResponse:
    """Ask for a page."""
    return app.test_client().get(path)


def header(app: Flask, path: str = "/") -> str:
    """Return the one Cache-Control header of a page."""
    [value] = get(app, path).headers.getlist("Cache-Control")
    return value


@pytest.mark.parametrize(("default", "expected"), DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_is_a_policy_or_the_directives_themselves(
    bare: Flask, default: Any, expected: str
) -> None:
    """It holds for views, class-based views and blueprints that have no policy of their own."""

    class Page(MethodView):
        def get(self) -> str:
            return "hi"

    blueprint = Blueprint("blueprint", __name__)
    blueprint.add_url_rule("/blueprint", "page", lambda: "hi")
    Edge().init_app(bare, default=default)
    bare.add_url_rule("/", "home", lambda: "hi")
    bare.add_url_rule("/class", view_func=Page.as_view("page"))
    bare.register_blueprint(blueprint)
    assert {header(bare, path) for path in ("/", "/class", "/blueprint")} == {expected}
    assert {route.source for route in routes(bare)} == {"default"}


@pytest.mark.parametrize(("default", "reason"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused_where_it_is_written(
    bare: Flask, default: Any, reason: str
) -> None:
    """At the start, before the app is changed."""
    with pytest.raises(PolicyError, match=reason):
        Edge().init_app(bare, default=default)
    assert "edge" not in bare.extensions


@pytest.mark.parametrize("default", [NEVER, FIVE_MINUTES], ids=["never", "five minutes"])
def test_a_view_overrides_the_default(bare: Flask, default: Any) -> None:
    """By a decorator, by serve_as, and by headers of the response."""
    Edge().init_app(bare, default=default)

    def by_hand() -> Response:
        response = make_response("hi")
        response.cache_control.max_age = 120
        return response

    two_minutes = cache_control(max_age=120)
    bare.add_url_rule("/a", "a", two_minutes(lambda: "hi"))
    bare.add_url_rule("/b", "b", by_hand)
    bare.add_url_rule("/c", "c", lambda: serve_as(two_minutes, make_response("hi")))
    assert {header(bare, path) for path in "abc"} == {"max-age=120"}


@pytest.mark.parametrize("directives", [{"max_age": 300}, NEVER], ids=["five minutes", "never"])
def test_without_a_hook_it_holds_for_successful_gets(
    bare: Flask, directives: dict[str, Any]
) -> None:
    """Other methods and statuses are only no-store."""
    Edge().init_app(bare, default=directives)
    bare.add_url_rule("/", "home", lambda: "hi", methods=["GET", "POST"])
    bare.add_url_rule("/gone", "gone", lambda: abort(410))
    assert bare.test_client().post("/").headers["Cache-Control"] == "no-store"
    assert header(bare, "/gone") == "no-store"
    assert header(bare, "/nowhere") == "no-store"


def test_should_handle_may_be_a_method_of_a_subclass(bare: Flask) -> None:
    """It decides for each request and response."""

    class OnlyStyles(Edge):
        default = FIVE_MINUTES

        def should_handle(self, request: Request, response: Response) -> bool:
            return response.mimetype == "text/css" and request.path != "/c"

    OnlyStyles().init_app(bare)
    bare.add_url_rule("/a", "a", lambda: "hi")
    bare.add_url_rule("/b", "b", lambda: Response("hi", mimetype="text/css"))
    bare.add_url_rule("/c", "c", lambda: Response("hi", mimetype="text/css"))
    assert [header(bare, path) for path in "abc"] == ["no-store", "max-age=300", "no-store"]


def test_should_handle_may_be_any_callable(bare: Flask) -> None:
    """A function or an object; the argument comes before the method."""

    class Styles:
        def __call__(self, _request: Request, response: Response) -> bool:
            return response.mimetype == "text/css"

    NeverCached().init_app(bare, default=FIVE_MINUTES, should_handle=Styles())
    bare.add_url_rule("/a", "a", lambda: "hi")
    bare.add_url_rule("/b", "b", lambda: Response("hi", mimetype="text/css"))
    assert [header(bare, path) for path in "ab"] == ["no-store", "max-age=300"]


def test_should_handle_that_fails_costs_no_page(
    bare: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    """The reader gets the page, uncached, and the log says where it failed."""
    Edge().init_app(bare, default=FIVE_MINUTES, should_handle=lambda *_: 1 // 0 == 0)
    bare.add_url_rule("/", "home", lambda: "hi")
    assert get(bare).text == "hi"
    assert header(bare) == "no-store"
    assert "edge.should_handle" in caplog.text


def test_should_handle_that_can_not_be_called_is_refused(bare: Flask) -> None:
    """At start, not with the first request."""
    not_callable: Any = "always"
    with pytest.raises(PolicyError, match="takes a function of request and response"):
        Edge().init_app(bare, should_handle=not_callable)


def test_no_cache_by_default_for_every_response(bare: Flask) -> None:
    """A view, another method, a redirect, an error and an unknown URL."""
    NeverCached().init_app(bare)
    bare.add_url_rule("/", "home", lambda: "hi", methods=["GET", "POST", "DELETE"])
    bare.add_url_rule("/gone", "gone", lambda: abort(410))
    bare.add_url_rule("/crash", "crash", lambda: str(1 // 0))
    bare.add_url_rule("/marked", "marked", cache_control(max_age=60)(lambda: abort(404)))
    bare.add_url_rule("/kept", "kept", cache_control(max_age=60)(lambda: "hi"))
    client = bare.test_client()
    for response in (client.get("/"), client.post("/"), client.delete("/"), client.head("/")):
        assert response.headers["Cache-Control"] == "no-cache, no-store"
    for path in ("/gone", "/crash", "/marked", "/nowhere"):
        assert header(bare, path) == "no-cache, no-store", path
    assert header(bare, "/kept") == "max-age=60"


def test_a_default_of_fields_keeps_a_cookie_out_of_shared_caches(bare: Flask) -> None:
    """The field-specific directive holds for every view."""
    Edge().init_app(bare, default={"private": ["Set-Cookie"], "max_age": 300})

    @bare.get("/")
    def home() -> Response:
        response = make_response("hi")
        response.set_cookie("user", "123")
        return response

    assert header(bare) == 'private="Set-Cookie", max-age=300'


def test_serve_as_refuses_what_is_no_policy(app: Flask) -> None:
    """It would have no effect."""
    with app.test_request_context(), pytest.raises(PolicyError, match=r"serve_as\(…\) takes"):
        serve_as(60, make_response("hi"))  # type: ignore[arg-type]  # the mistake itself
