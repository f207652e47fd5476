"""Apps with Flask-Login: pages that show no user are shared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import flask_login.utils
import pytest
from flask import Flask, render_template_string
from flask_login import (
    AnonymousUserMixin,
    LoginManager,
    UserMixin,
    current_user,
    login_user,
    logout_user,
)

from app.edge import Policy, cached
from app.edge.flask import Edge
from app.edge.flask.state import state_of
from app.edge.policy.guard import Leak

if TYPE_CHECKING:
    from flask.testing import FlaskClient

BASE = "{% macro nav() %}<a href='/'>Home</a>{% endmacro %}{{ nav() }}"
CORNER = "{% if current_user.is_authenticated %}{{ current_user.id }}{% else %}log in{% endif %}"
VALUES = """{{ current_user.id }} {{ current_user.is_authenticated }} {{ current_user == same }}
{{ current_user is none }} {{ current_user is defined }} {{ current_user }} {{ current_user.get_id() }}
{% if current_user %}yes{% endif %} {{ current_user.missing }} {{ [current_user]|map(attribute='id')|list }}"""


class User(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """A user, known by a name."""

    def __init__(self, name: str) -> None:
        self.id = name

    def __str__(self) -> str:
        return f"<b>{self.id}</b>"


def add_logins(app: Flask) -> LoginManager:
    """Register Flask-Login and a view that logs in."""
    manager = LoginManager(app)
    manager.user_loader(User)

    @app.post("/login")
    def login() -> str:
        login_user(User("ann"))
        return "welcome"

    return manager


def add_pages(app: Flask, policy: Policy) -> None:
    """Register a page without the user, one with the user, and one that is not cached."""
    show = render_template_string
    app.add_url_rule("/", "home", cached(policy)(lambda: show(BASE)))
    app.add_url_rule("/corner", "corner", cached(policy)(lambda: show(BASE + CORNER)))
    app.add_url_rule("/values", "values", lambda: show(VALUES, same=User("ann")))


def log_in(app: Flask) -> FlaskClient:
    """Return a client whose session has a user."""
    client = app.test_client()
    assert client.post("/login").text == "welcome"
    return client


@pytest.fixture(params=["before", "after"])
def site(request: pytest.FixtureRequest, bare: Flask, policy: Policy) -> Flask:
    """Return an app whose login manager is registered before or after the edge."""
    if request.param == "before":
        add_logins(bare)
    Edge().init_app(bare)
    if request.param == "after":
        add_logins(bare)
    add_pages(bare, policy)
    return bare


def test_a_page_without_the_user_is_shared(site: Flask) -> None:
    """Its template does not load the user."""
    for _ in range(2):
        response = site.test_client().get("/")
        assert response.headers["CDN-Cache-Control"] == "max-age=60"  # capped: nothing purges it
        assert "Cookie" not in response.headers.get("Vary", "")


def test_a_page_that_shows_the_user_is_a_leak(site: Flask) -> None:
    """The template uses `current_user`, for a stranger too."""
    with pytest.raises(Leak, match="corner has the shared policy ARTICLE, but it read the current"):
        site.test_client().get("/corner")
    with pytest.raises(Leak, match="user-read"):
        log_in(site).get("/corner")


def test_templates_get_the_same_values(bare: Flask, policy: Policy) -> None:
    """With and without the edge, logged in or not, in conditions, filters and comparisons."""
    plain = Flask("plain", root_path=bare.root_path)
    plain.secret_key = "secret"
    add_logins(plain)
    add_logins(bare)
    Edge().init_app(bare)
    for app in (plain, bare):
        add_pages(app, policy)
    ours, theirs = (log_in(app).get("/values").text for app in (bare, plain))
    assert ours == theirs
    assert ours.startswith("ann True True\nFalse True &lt;b&gt;ann&lt;/b&gt; ann\nyes ")
    ours, theirs = (
        re.sub("0x[0-9a-f]+", "", app.test_client().get("/values").text) for app in (bare, plain)
    )
    assert ours == theirs
    assert ours.startswith(" False False")


def test_without_a_request_templates_get_none(site: Flask) -> None:
    """As Flask-Login does, for example in a mail that a command sends."""
    site.test_client().get("/")
    with site.app_context():
        assert render_template_string("{{ current_user is none }}") == "True"


def test_an_app_whose_anonymous_user_may_be_none_gets_none(site: Flask, policy: Policy) -> None:
    """A proxy of None is not `none` in a template, so the user is loaded as before."""
    site.login_manager.anonymous_user = lambda: None  # type: ignore[attr-defined]
    add = site.add_url_rule
    add("/none", "none", lambda: render_template_string("{{ current_user is none }}"))
    assert site.test_client().get("/none").text == "True"
    with pytest.raises(Leak, match="user-read"):
        site.test_client().get("/")


def test_an_anonymous_user_class_of_the_app_is_lazy_too(site: Flask) -> None:
    """A class never makes None."""

    class Guest(AnonymousUserMixin):  # type: ignore[misc]  # Flask-Login has no types
        id = "guest"

    site.login_manager.anonymous_user = Guest  # type: ignore[attr-defined]
    assert "CDN-Cache-Control" in site.test_client().get("/").headers
    assert site.test_client().get("/values").text.startswith("guest False False\nFalse True")


def test_other_context_processors_stay(site: Flask) -> None:
    """Their order too: a later one replaces `current_user`."""
    processors = site.template_context_processors
    site.context_processor(lambda: {"current_user": "someone", "title": "Mine"})
    count = len(processors[None])
    add = site.add_url_rule
    add("/mine", "mine", lambda: render_template_string("{{ current_user }} {{ title }}"))
    assert site.test_client().get("/mine").text == "someone Mine"
    assert len(processors[None]) == count


@pytest.mark.parametrize("name", ["_user_context_processor", "current_user"])
def test_an_unknown_flask_login_stays_as_it_is(
    site: Flask, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Pages work, and the guard finds the user as before."""
    before: list[Any] = list(site.template_context_processors[None])
    monkeypatch.delattr(flask_login.utils, name)
    with pytest.raises(Leak, match="user-read"):
        site.test_client().get("/")
    assert site.template_context_processors[None] == before


def test_a_login_manager_without_a_context_processor_stays_without(
    bare: Flask, policy: Policy
) -> None:
    """`add_context_processor=False` leaves `current_user` undefined in templates."""
    LoginManager().init_app(bare, add_context_processor=False)
    Edge().init_app(bare)
    add_pages(bare, policy)
    bare.add_url_rule(
        "/defined", "defined", lambda: render_template_string("{{ current_user is defined }}")
    )
    assert bare.test_client().get("/defined").text == "False"
    assert current_user is not None


def test_a_reader_who_is_logged_in_gets_the_shared_page(site: Flask) -> None:
    """Flask-Login looks for a remember cookie to write after each request; it finds none."""
    client = log_in(site)
    response = client.get("/")
    assert response.headers["CDN-Cache-Control"] == "max-age=60"
    assert "Cookie" not in response.headers.get("Vary", "")


def test_the_remember_cookie_is_written_and_deleted(site: Flask) -> None:
    """In the response of the view that logs in or out, as without the edge."""
    site.add_url_rule("/remember", "remember", lambda: str(login_user(User("ann"), remember=True)))
    site.add_url_rule("/out", "out", lambda: str(logout_user()))
    client = site.test_client()
    client.get("/remember")
    cookie = client.get_cookie("remember_token")
    assert cookie is not None
    assert cookie.value.startswith("ann|")
    client.get("/")
    assert client.get_cookie("remember_token") == cookie
    client.get("/out")
    assert client.get_cookie("remember_token") is None


def test_a_remember_cookie_that_is_still_to_be_written_is_written(site: Flask) -> None:
    """The session of an earlier response notes it; the page is then for this reader only."""
    state_of(site).strict = False
    client = log_in(site)
    with client.session_transaction() as session:
        session["_remember"] = "set"
    response = client.get("/")
    assert response.headers["Cache-Control"] == "no-store"
    assert client.get_cookie("remember_token") is not None


def test_a_remember_cookie_of_each_request_is_renewed(site: Flask) -> None:
    """With REMEMBER_COOKIE_REFRESH_EACH_REQUEST; a shared cache must not store the cookie."""
    site.config["REMEMBER_COOKIE_REFRESH_EACH_REQUEST"] = True
    with pytest.raises(Leak, match="home has the shared policy ARTICLE, but it"):
        log_in(site).get("/")
