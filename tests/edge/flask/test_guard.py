"""The guard in a Flask app: the inputs that a view reads decide whether its page is shared."""

from __future__ import annotations

import logging
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, Response, flash, g, request, session

from app.edge import Freshness, Policy, cache_control, cached
from app.edge.flask import Edge, report_private_read
from app.edge.policy.guard import Leak
from app.edge.testing import assert_no_store, assert_policy

PUBLIC = Policy(name="PUBLIC", browser=Freshness(ttl=timedelta(hours=1)))


def _login() -> None:
    g._login_user = "someone"  # where Flask-Login keeps it


def _csrf() -> None:
    g.csrf_token = "token"  # where Flask-WTF keeps it


def _change_session() -> None:
    session["seen"] = True


LEAKS = {
    "reads the session": (lambda: session.get("name"), "session-read"),
    "asks whether the session holds something": (lambda: "name" in session, "session-read"),
    "changes the session": (_change_session, "session-changed"),
    "flashes": (lambda: flash("hi"), "session-changed"),
    "loads the user": (_login, "user-read"),
    "makes a CSRF token": (_csrf, "csrf-token"),
    "reads a cookie": (lambda: request.cookies.get("theme"), "cookie-read"),
    "reads the Cookie header": (lambda: request.headers.get("Cookie"), "cookie-read"),
    "reads Authorization": (lambda: request.authorization, "authorization-read"),
    "reads the Authorization header": (
        lambda: "authorization" in request.headers,
        "authorization-read",
    ),
    "reads the address": (lambda: request.remote_addr, "client-read"),
    "reads the name": (lambda: request.remote_user, "client-read"),
    "reads the body": (lambda: request.data, "body-read"),
    "reads a parameter": (lambda: request.args.get("page"), "query-undeclared"),
    "asks for a parameter": (lambda: "page" in request.args, "query-undeclared"),
    "reads a list of parameters": (lambda: request.args.getlist("page"), "query-undeclared"),
    "reads a parameter among all values": (
        lambda: request.values.get("page"),
        "query-undeclared",
    ),
    "reads a header": (lambda: request.headers.get("User-Agent"), "header-undeclared"),
    "reads all headers": (lambda: dict(request.headers), "header-undeclared"),
    "reads a header's list": (lambda: request.headers.getlist("DNT"), "header-undeclared"),
    "reads the language": (lambda: request.accept_languages.best, "header-undeclared"),
    "reads the browser": (lambda: request.user_agent.string, "header-undeclared"),
    "says that it is private": (report_private_read, "private-read"),
}


@pytest.fixture
def lax(bare: Flask) -> Flask:
    """Return an app as it runs in production."""
    bare.testing = False
    Edge().init_app(bare)
    return bare


@pytest.fixture
def environs(lax: Flask) -> list[dict[str, Any]]:
    """Return the WSGI environ of each request."""
    calls: list[dict[str, Any]] = []
    inner = lax.wsgi_app

    def outer(environ: dict[str, Any], start_response: Any) -> Any:
        calls.append(environ)
        return inner(environ, start_response)

    lax.wsgi_app = outer  # type: ignore[method-assign]  # Flask documents this
    return calls


def _serve(app: Flask, access: Any) -> None:
    def show() -> str:
        access()
        return "hi"

    app.add_url_rule("/", "site.show", cached(PUBLIC, query=("q",))(show), methods=["GET"])


@pytest.mark.parametrize(("access", "code"), LEAKS.values(), ids=LEAKS)
def test_a_leak_raises_in_tests(app: Flask, access: Any, code: str) -> None:
    """The message has the view's name, its policy and the reason."""
    _serve(app, access)
    with pytest.raises(Leak, match=rf"site.show has the shared policy PUBLIC, .*\({code}\)"):
        app.test_client().get("/")


@pytest.mark.parametrize(("access", "code"), LEAKS.values(), ids=LEAKS)
def test_a_leak_is_closed_in_production(
    lax: Flask,
    environs: list[dict[str, Any]],
    access: Any,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The reader gets the page, no cache stores it, and the log and the gateway get the reason."""
    _serve(lax, access)
    with caplog.at_level(logging.WARNING, logger="app.edge"):
        response = lax.test_client().get("/")
    assert response.data == b"hi"
    assert_no_store(response)
    assert environs[0]["broadsheet.finding"] == code
    assert [(r.message.partition(":")[0], vars(r)["finding"]) for r in caplog.records] == [
        ("edge.finding", code)
    ]


HARMLESS = {
    "nothing": lambda: None,
    "a copy of the parameters": lambda: deepcopy(request.args).get("q"),
    "a declared parameter": lambda: request.args.get("q"),
    "the path": lambda: (request.path, request.method, request.view_args, request.endpoint),
    "the URL": lambda: (request.url, request.full_path, request.query_string),
    "the host": lambda: (request.host, request.url_root),
    "a conditional header": lambda: (request.if_none_match, request.range),
}


@pytest.mark.parametrize("access", HARMLESS.values(), ids=HARMLESS)
def test_what_is_the_same_for_everyone_may_be_read(app: Flask, access: Any) -> None:
    """It is part of the URL, declared, or handled by caches."""
    _serve(app, access)
    assert_policy(app.test_client().get("/?q=1", headers={"Cookie": "a=b"}), PUBLIC)


def test_a_private_page_may_read_all(app: Flask) -> None:
    """The guard checks only shareable pages."""

    @app.get("/")
    @cache_control(private=True, max_age=5)
    def show() -> str:
        session["seen"] = True
        return request.cookies.get("name", "") + request.args.get("x", "")

    response = app.test_client().get("/?x=1")
    assert response.headers["Cache-Control"] == "private, max-age=5"
    assert "Set-Cookie" in response.headers


def test_a_cookie_stays_for_its_reader(lax: Flask, environs: list[dict[str, Any]]) -> None:
    """The page becomes no-store, and the cookie is still sent."""

    @lax.get("/")
    @cached(PUBLIC)
    def show() -> Response:
        response = Response("hi")
        response.set_cookie("theme", "dark")
        return response

    response = lax.test_client().get("/")
    assert_no_store(response)
    assert response.headers["Set-Cookie"].startswith("theme=dark")
    assert environs[0]["broadsheet.finding"] == "set-cookie"


def test_a_streamed_body_is_a_leak(app: Flask) -> None:
    """It is generated after the headers were sent, when the policy can't be withdrawn."""
    app.add_url_rule("/", "show", cached(PUBLIC)(lambda: Response(iter(["a", "b"]))))
    with pytest.raises(Leak, match="body-streamed"):
        app.test_client().get("/").close()


@pytest.mark.parametrize("name", ["Cookie", "*", "Authorization"])
def test_vary_on_a_reader_is_a_leak(app: Flask, name: str) -> None:
    """Also when another extension sets it."""
    app.add_url_rule("/", "show", cached(PUBLIC)(lambda: ("hi", {"Vary": name})))
    with pytest.raises(Leak, match="it varies on"):
        app.test_client().get("/")


def test_a_header_that_the_view_varies_on_is_declared(app: Flask) -> None:
    """Caches select by Vary."""
    app.add_url_rule(
        "/", "s", cached(PUBLIC)(lambda: (request.headers.get("DNT", "-"), {"Vary": "DNT"}))
    )
    assert_policy(app.test_client().get("/"), PUBLIC)


def test_a_default_is_guarded_as_a_mark_is(bare: Flask) -> None:
    """The app's default applies to each view."""
    Edge().init_app(bare, default=PUBLIC)
    bare.add_url_rule("/", "show", lambda: session.get("name", "you"))
    with pytest.raises(Leak, match="show has the shared policy PUBLIC"):
        bare.test_client().get("/")


def test_a_foreign_request_class_is_a_leak(app: Flask) -> None:
    """Reads of such a request are not recorded."""
    app.request_class = Flask.request_class
    app.add_url_rule("/", "show", cached(PUBLIC)(lambda: "hi"))
    with pytest.raises(Leak, match="request-untracked"):
        app.test_client().get("/")


class TestAfterTheView:
    """An after_request function that reads the session, as Flask-Login's does."""

    @pytest.fixture(autouse=True)
    def _page(self, app: Flask) -> None:
        @app.after_request
        def remember(response: Response) -> Response:
            session.get("_remember")
            return response

        app.add_url_rule("/", "show", cached(PUBLIC)(lambda: "hi"))

    def test_an_empty_session_leaves_the_page_shared(self, app: Flask) -> None:
        """It had no data of a reader; Flask's Vary: Cookie is removed."""
        response = app.test_client().get("/")
        assert_policy(response, PUBLIC)
        assert "Vary" not in response.headers

    def test_the_session_of_a_known_reader_closes_it(self, app: Flask) -> None:
        """Without an exception, since it is not an error of the view."""
        client = app.test_client()
        with client.session_transaction() as reader_session:
            reader_session["_user_id"] = "1"
        assert_no_store(client.get("/"))


def test_a_session_that_is_merely_renewed_closes_the_page(app: Flask) -> None:
    """Flask sends a permanent session's cookie with each response; it is not an error of the view."""
    app.add_url_rule("/", "show", cached(PUBLIC)(lambda: "hi"))
    client = app.test_client()
    with client.session_transaction() as reader_session:
        reader_session.permanent = True
        reader_session["_user_id"] = "1"
    response = client.get("/")
    assert_no_store(response)
    assert response.headers["Set-Cookie"].startswith("session=")


def test_strictness_is_a_setting(bare: Flask) -> None:
    """A leak can be made to raise in production too; the reader gets an error page."""
    bare.testing = False
    bare.config["EDGE_STRICT"] = True
    Edge().init_app(bare)
    _serve(bare, lambda: request.cookies)
    response = bare.test_client().get("/")
    assert response.status_code == 500
    assert_no_store(response)


class TestUnknownQuery:
    """Only declared parameters reach a public view."""

    @pytest.fixture
    def lenient(self, bare: Flask) -> Flask:
        """Return an app that hides unknown parameters without a redirect."""
        Edge().init_app(bare, unknown_query="ignore")
        return bare

    @staticmethod
    def _page(app: Flask) -> None:
        app.add_url_rule(
            "/p/<name>",
            "show",
            cached(PUBLIC, query=("q", "a"))(lambda name: f"{name} {request.query_string!r}"),
        )

    @pytest.mark.parametrize(
        ("raw_query", "tidy"),
        [
            ("/p/x?x=1", "/p/x"),
            ("/p/x?q=1&q=2", "/p/x?q=1"),
            ("/p/x?q=&a=2", "/p/x?a=2"),
            ("/p/x?q=1&a=2", "/p/x?a=2&q=1"),
            ("/p/a%3Fb%25c?x", "/p/a%3Fb%25c"),
            ("/p/%C3%A9?x=1&utm_source=y", "/p/%C3%A9"),
        ],
    )
    def test_the_reader_is_sent_to_the_tidy_url(
        self, app: Flask, raw_query: str, tidy: str
    ) -> None:
        """By a redirect to the same page, which is not stored."""
        self._page(app)
        response = app.test_client().get(raw_query)
        assert (response.status_code, response.headers["Location"]) == (302, tidy)
        assert_no_store(response)
        assert app.test_client().get(tidy).status_code == 200

    @pytest.mark.parametrize(
        ("url", "referrer", "names"),
        [
            ("/p/x?page=2", "http://localhost/", "?page, which"),
            ("/p/x?q=1&page=2&tab=", "http://localhost/p/y?q=1", "?page and ?tab, which"),
            ("/p/x?page", "http://localhost/", "?page, which"),
            ("/p/x?a=1&q=", "http://localhost/", ""),
            ("/p/x?utm_source=x", "http://localhost/", ""),
            ("/p/x?page=2", "http://localhost.evil.example/", ""),
            ("/p/x?page=2", "https://other.example/", ""),
            ("/p/x?page=2", "", ""),
        ],
    )
    def test_a_link_of_the_site_with_an_undeclared_parameter_is_a_finding(
        self, app: Flask, caplog: pytest.LogCaptureFixture, url: str, referrer: str, names: str
    ) -> None:
        """The log names the page with the link, the parameter and the decorator to write."""
        self._page(app)
        app.test_client().get(url, headers={"Referer": referrer} if referrer else {})
        messages = [m for m in caplog.messages if m.startswith("edge.undeclared_link")]
        assert len(messages) == bool(names)
        for message in messages:
            assert names in message
            assert f"/{referrer.removeprefix('http://localhost/')} links to /p/x with" in message
            assert '@cached(PUBLIC, query=("a", "page"' in message

    def test_production_logs_no_undeclared_links(
        self, bare: Flask, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Readers can send any Referer, so that only development reports these links."""
        bare.testing = False
        Edge().init_app(bare)
        self._page(bare)
        bare.test_client().get("/p/x?page=2", headers={"Referer": "http://localhost/"})
        assert not [m for m in caplog.messages if "undeclared_link" in m]

    def test_trackers_pass_unseen(self, app: Flask) -> None:
        """Scripts in the browser need them; the view must not."""
        self._page(app)
        response = app.test_client().get("/p/x?q=1&utm_source=mail&fbclid=2")
        assert response.data == b"x b'q=1'"
        assert_policy(response, PUBLIC)

    def test_it_can_be_hidden_without_a_redirect(self, lenient: Flask) -> None:
        """The view gets the same parameters under many URLs."""
        self._page(lenient)
        assert lenient.test_client().get("/p/x?z=1&q=2").data == b"x b'q=2'"

    def test_a_private_view_sees_all(self, app: Flask) -> None:
        """Only public pages have a canonical URL."""
        app.add_url_rule("/", "show", lambda: request.args["x"])
        assert app.test_client().get("/?x=1").data == b"1"

    def test_no_path_leads_to_another_host(self, app: Flask) -> None:
        """Two slashes at the start would be read as a host."""
        app.url_map.merge_slashes = False
        app.add_url_rule("/<path:rest>", "any", cached(PUBLIC)(lambda rest: rest))
        response = app.test_client().get("//evil.example/?x=1")
        assert not response.headers.get("Location", "/").startswith("//")
