"""The `cache_control` decorator in every form that its documentation shows."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import pytest
from flask import Blueprint, Flask, make_response
from flask.views import MethodView

from app.edge import Freshness, Policy, PolicyError, cache_control, cached
from app.edge.testing import assert_no_store

NEVER: dict[str, Any] = {"no_cache": True, "no_store": True}
DJANGO_NEVER: dict[str, Any] = {**NEVER, "max_age": 0, "must_revalidate": True, "private": True}

FORMS = {
    "never": (NEVER, "no-cache, no-store"),
    "never, as Django writes it": (DJANGO_NEVER, "private, no-cache, no-store, must-revalidate"),
    "never, without a lifetime at the edge": (
        {**NEVER, "s_maxage": 0, "proxy_revalidate": True},
        "no-cache, no-store, must-revalidate",
    ),
    "never, and not for these fields": (
        {"no_store": True, "no_cache": ["Set-Cookie"]},
        'no-cache="Set-Cookie", no-store',
    ),
    "two minutes": ({"max_age": 120}, "max-age=120"),
    "a timedelta": ({"max_age": timedelta(minutes=2)}, "max-age=120"),
    "private fields": (
        {"private": ["Set-Cookie", "Authorization"]},
        'private="Authorization, Set-Cookie", max-age=0',
    ),
    "fields to ask about": (
        {"no_cache": ["Set-Cookie", "Authorization"]},
        'max-age=0, no-cache="Authorization, Set-Cookie"',
    ),
    "a field to ask about, and a minute": (
        {"no_cache": ["Authorization"], "max_age": 60},
        'max-age=60, no-cache="Authorization"',
    ),
    "private as a whole": ({"private": True}, "private, max-age=0"),
    "no-cache as a whole": ({"no_cache": True}, "no-cache"),
}


def header(app: Flask, path: str = "/") -> str:
    """Return the one Cache-Control header of a page."""
    [value] = app.test_client().get(path).headers.getlist("Cache-Control")
    return value


def loud(view: Any) -> Any:
    """Decorate a view like a decorator of the app."""

    @functools.wraps(view)
    def louder(*args: Any, **params: Any) -> Any:
        return view(*args, **params) + "!"

    return louder


@pytest.mark.parametrize(("directives", "expected"), FORMS.values(), ids=FORMS)
def test_every_form_is_written_as_it_was_declared(
    app: Flask, directives: dict[str, Any], expected: str
) -> None:
    """On a view, on a class, on the method of a class, on a blueprint and on one inside another."""

    @cache_control(**directives)
    class Class(MethodView):
        def get(self) -> str:
            return "hi"

    class Method(MethodView):
        @cache_control(**directives)
        def get(self) -> str:
            return "hi"

    outer = cache_control(**directives)(Blueprint("outer", __name__))
    inner = Blueprint("inner", __name__)
    inner.add_url_rule("/inner", "page", lambda: "hi")
    outer.add_url_rule("/outer", "page", lambda: "hi")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.add_url_rule("/view", "view", cache_control(**directives)(lambda: "hi"))
    app.add_url_rule("/class", view_func=Class.as_view("class"))
    app.add_url_rule("/method", view_func=Method.as_view("method"))
    for path in ("/view", "/class", "/method", "/outer", "/inner"):
        assert header(app, path) == expected, path


@pytest.mark.parametrize("directives", [NEVER, {"max_age": 120}], ids=["never", "two minutes"])
def test_the_order_of_decorators_does_not_matter(app: Flask, directives: dict[str, Any]) -> None:
    """Above the route, below it, and on either side of another decorator."""
    mark = cache_control(**directives)
    app.add_url_rule("/a", "a", mark(loud(lambda: "hi")))
    app.add_url_rule("/b", "b", loud(mark(lambda: "hi")))

    @mark
    @app.get("/c")
    @loud
    def view() -> str:
        return "hi"

    assert len({header(app, path) for path in ("/a", "/b", "/c")}) == 1


@pytest.mark.parametrize(
    "directives",
    [
        {"no_store": True, "max_age": 60},
        {**NEVER, "max_age": 60},
        {"no_store": True, "s_maxage": 60},
        {"no_store": True, "stale_if_error": 60},
        {**NEVER, "public": True},
        {"no_store": True, "immutable": True},
    ],
)
def test_a_lifetime_beside_no_store_is_refused(directives: dict[str, Any]) -> None:
    """The directives contradict each other."""
    with pytest.raises(PolicyError, match=r"no_store|no_cache"):
        cache_control(**directives)


def test_a_policy_may_repeat_no_cache_beside_no_store(app: Flask) -> None:
    """A named policy has the same two directives."""
    policy = Policy(name="NEVER", no_store=True, browser=Freshness(no_cache=True))
    app.add_url_rule("/", "home", cached(policy)(lambda: "hi"))
    assert header(app) == "no-cache, no-store"


def test_two_marks_of_which_one_is_no_store_keep_its_words(app: Flask) -> None:
    """The stricter policy applies, in either order."""
    never, minute = cache_control(**NEVER), cache_control(max_age=60)
    app.add_url_rule("/a", "a", never(minute(lambda: "hi")))
    app.add_url_rule("/b", "b", minute(never(lambda: "hi")))
    assert header(app, "/a") == header(app, "/b") == "no-cache, no-store"


def test_a_view_may_write_the_same_words_into_its_response(app: Flask) -> None:
    """With Werkzeug's attributes, as a header, and over a policy that stores."""

    def by_attributes() -> Any:
        response = make_response("hi")
        response.cache_control.no_cache = True
        response.cache_control.no_store = True
        return response

    def by_header() -> Any:
        return "hi", {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}

    app.add_url_rule("/a", "a", by_attributes)
    app.add_url_rule("/b", "b", cache_control(max_age=60)(by_attributes))
    app.add_url_rule("/c", "c", by_header)
    app.add_url_rule("/d", "d", cache_control(no_store=True)(by_header))
    assert header(app, "/a") == header(app, "/b") == "no-cache, no-store"
    django = "private, no-cache, no-store, must-revalidate"
    assert header(app, "/c") == header(app, "/d") == django


@pytest.mark.parametrize("directives", [NEVER, DJANGO_NEVER])
def test_a_page_of_no_store_says_nothing_to_an_edge(
    bare: Flask, app: Flask, directives: dict[str, Any]
) -> None:
    """The response has no Expires, even if the view set it."""
    view = cache_control(**directives)(lambda: ("hi", {"CDN-Cache-Control": "max-age=60"}))
    app.add_url_rule("/", "home", view)
    response = app.test_client().get("/")
    assert_no_store(response)
    assert "Expires" not in response.headers
