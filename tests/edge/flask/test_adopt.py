"""`flask edge adopt`: what prevents each GET route from being shared, and the line to write."""

from __future__ import annotations

import functools
import getpass
import inspect
import json
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Blueprint, Flask, Response, abort, g, redirect, render_template, request, session
from flask.views import MethodView

from app.edge import NO_STORE, Policy, PolicyError, cached, days
from app.edge.flask import Edge
from app.edge.flask.adopt import AdoptedRoute, Adoption, adopt
from app.edge.flask.example_urls import find_example_urls
from app.edge.flask.state import state_of
from tests.edge.flask.test_first_use import make_app

ARTICLE = Policy("ARTICLE", edge=days(1))
HERE = "tests/edge/flask/test_adopt.py"


def adopt_view(app: Flask, view: Any, *, rule: str = "/", url: str = "") -> AdoptedRoute:
    """Return what `adopt` says of one view."""
    app.add_url_rule(rule, "page", view)
    return next(r for r in adopt(app, [url] if url else []).routes if r.rule == rule)


def line_of(view: Any) -> int:
    """Return the number of the first line of a function's body."""
    return int(view.__code__.co_firstlineno) + 1


def test_a_page_that_reads_nothing_can_be_shared(app: Flask) -> None:
    """The line to write stands above the function."""

    def show() -> str:
        return "hi"

    assert adopt_view(app, show).summary == (
        f"can be shared as it is: write @cached(PAGE) above show() at {HERE}:{line_of(show) - 1}"
    )


def test_the_session_is_located_in_the_template(app: Flask, tmp_path: Path) -> None:
    """The file and the line of the template, not of the view that renders it."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text("\n\n{{ session.name }}")

    def show() -> str:
        return render_template("base.html")

    route = adopt_view(app, show)
    assert route.problems == ("reads the session at templates/base.html:3",)
    assert (route.line, route.is_ready) == ("@cached(PAGE)", False)
    assert "remove that, then write @cached(PAGE) above show()" in route.summary


def test_parameters_and_headers_are_declared(app: Flask) -> None:
    """All of them in one line."""

    def show() -> str:
        request.args.get("page")
        request.args.get("sort")
        return request.headers.get("Accept-Language", "")

    route = adopt_view(app, show)
    first = line_of(show)
    assert route.problems == (
        f"reads ?page at {HERE}:{first}",
        f"reads ?sort at {HERE}:{first + 1}",
        f"reads the header Accept-Language at {HERE}:{first + 2}",
    )
    assert route.line == '@cached(PAGE, query=("page", "sort",), headers=("Accept-Language",))'
    assert f"declare it: {route.line} above show()" in route.summary


def _set_cookie() -> Response:
    response = Response("hi")
    response.set_cookie("theme", "dark")
    return response


def _read_user() -> str:
    g._login_user = session.get("user")
    return "hi"


def _change_session() -> str:
    session["seen"] = True
    return "hi"


VIEWS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a cookie": (_set_cookie, ("sets the cookie theme",)),
    "the user": (_read_user, (f"reads the user at {HERE}:{line_of(_read_user)}",)),
    "a change of the session": (
        _change_session,
        (f"changes the session at {HERE}:{line_of(_change_session)}", "sets the cookie session"),
    ),
    "a redirect": (lambda: redirect("/login"), ("answers 302 to /login",)),
    "no such page": (lambda: abort(404), ("answers 404",)),
    "an own header": (
        lambda: ("hi", {"Cache-Control": "private"}),
        ("sets Cache-Control: private itself",),
    ),
    "Vary": (lambda: ("hi", {"Vary": "*"}), ("varies on *, so no other request may get it",)),
    "a stream": (lambda: Response(iter("ab")), ("streams its body",)),
}


@pytest.mark.parametrize(("view", "problems"), VIEWS.values(), ids=VIEWS)
def test_each_kind_of_problem_is_named(app: Flask, view: Any, problems: tuple[str, ...]) -> None:
    """In a few words; a session that is read for the user is not listed beside the user."""
    assert adopt_view(app, view).problems == problems


@pytest.mark.parametrize("testing", [True, False])
def test_an_exception_of_a_view_is_located(
    bare: Flask, caplog: pytest.LogCaptureFixture, *, testing: bool
) -> None:
    """Also in production, where Flask answers 500; no traceback is logged."""
    bare.testing = testing
    Edge().init_app(bare)

    def show() -> str:
        raise KeyError("missing")

    route = adopt_view(bare, show)
    assert route.problems == (f"fails with KeyError at {HERE}:{line_of(show)}: 'missing'",)
    assert route.line == ""
    assert caplog.messages == []


def test_routes_with_parameters_need_an_example(app: Flask) -> None:
    """A default of the route or of `url_defaults` is one."""

    @app.url_defaults
    def add_language(_endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", "en")

    app.add_url_rule("/posts/<int:number>", "post", lambda number: f"{number}")
    app.add_url_rule("/<lang>/about", "about", lambda lang: lang)
    app.add_url_rule("/first", "first", lambda page: f"{page}", defaults={"page": 1})
    routes = {route.rule: route for route in adopt(app).routes}
    assert (routes["/<lang>/about"].url, routes["/first"].url) == ("/en/about", "/first")
    assert routes["/posts/<int:number>"].status is None
    assert "give an example of its URL with --url" in routes["/posts/<int:number>"].summary
    with_example = {route.rule: route for route in adopt(app, ["/posts/1?x=1"]).routes}
    assert with_example["/posts/<int:number>"].url == "/posts/1?x=1"
    assert with_example["/posts/<int:number>"].status == 200


def test_a_long_rule_does_not_move_the_other_lines(app: Flask) -> None:
    """Rules have a column of at most 40 characters."""
    app.add_url_rule("/" + "a" * 60, "long", cached(ARTICLE)(lambda: "hi"))
    app.add_url_rule("/b", "short", cached(ARTICLE)(lambda: "hi"))
    lines = {line.partition(" ")[0]: line for line in adopt(app).to_lines()}
    assert lines["/" + "a" * 60] == "/" + "a" * 60 + "  has ARTICLE, set by the view"
    assert lines["/b"] == "/b".ljust(40) + "  has ARTICLE, set by the view"
    assert list(Adoption(routes=(), unchecked_reason="").to_lines()) == [
        "",
        'PAGE is a policy of your own, such as PAGE = Policy("PAGE", edge=days(1)).',
    ]


def _decorate(view: Any) -> Any:
    @functools.wraps(view)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return decorated


@_decorate
def _wrapped() -> str:
    return "hi"


def _with_prefix(prefix: str) -> str:
    return prefix


_PLACE = f"{HERE}:{line_of(inspect.unwrap(_wrapped)) - 1}"
LOCATIONS: dict[str, tuple[Any, str, str]] = {
    "a decorated function": (_wrapped, "_wrapped()", _PLACE),
    "a function of the app in a wrapper of the interpreter": (
        functools.cache(inspect.unwrap(_wrapped)),
        "_wrapped()",
        _PLACE,
    ),
    "a lambda": (lambda: "hi", "<lambda>", ""),
    "a partial": (functools.partial(_with_prefix, "hi"), "page", ""),
    "a function of the standard library": (getpass.getuser, "getuser", ""),
    "a built-in function": (time.ctime, "ctime", ""),
}


@pytest.mark.parametrize(("view", "name", "place"), LOCATIONS.values(), ids=LOCATIONS)
def test_a_decorator_is_written_only_above_a_function_of_the_app(
    app: Flask, view: Any, name: str, place: str
) -> None:
    """Other views are marked where the app registers them."""
    route = adopt_view(app, view)
    assert (route.view, route.place) == (name, place)
    mark = 'edge.mark(app.view_functions["page"], PAGE)'
    assert route.line == ("@cached(PAGE)" if place else mark)


def test_a_redirect_and_a_page_that_is_not_found_need_no_line(app: Flask) -> None:
    """Only a 200 shows what the page reads."""
    app.add_url_rule("/old", "old", lambda: redirect("/new"))
    app.add_url_rule("/gone", "gone", lambda: abort(404))
    routes = {route.rule: route for route in adopt(app).routes}
    assert (routes["/old"].status, routes["/old"].line) == (302, "")
    assert (routes["/gone"].status, routes["/gone"].line) == (404, "")


def test_several_parameters_of_a_rule_need_an_example(app: Flask) -> None:
    """They are named in the order of the alphabet."""
    app.add_url_rule("/<year>/<slug>", "post", lambda year, slug: year + slug)
    (route,) = [route for route in adopt(app).routes if route.rule == "/<year>/<slug>"]
    needs = "it was not visited: give an example of its URL with --url (for slug, year)"
    assert (route.problems, route.line, route.is_ready) == ((needs,), "", False)


def test_an_example_may_have_a_query(app: Flask) -> None:
    """The parameters reach the view, since an unmarked route has declared none."""
    route = adopt_view(app, lambda: request.args.get("q") or abort(404), url="/?q=1")
    assert (route.status, route.line) == (
        200,
        'edge.mark(app.view_functions["page"], PAGE, query=("q",))',
    )


@pytest.mark.parametrize("url", ["/nowhere", "/send"])
def test_an_example_of_no_route_is_refused(app: Flask, url: str) -> None:
    """A typing error would otherwise go unnoticed."""
    app.add_url_rule("/send", "send", lambda: "", methods=["POST"])
    with pytest.raises(PolicyError, match=f"{url} belongs to no GET route"):
        adopt(app, [url])


def test_an_example_that_redirects_names_the_target(app: Flask) -> None:
    """The redirect is no page of the route."""
    app.add_url_rule("/posts/", "posts", lambda: "hi")
    with pytest.raises(PolicyError, match=r"/posts redirects to http://.*/posts/: give that URL"):
        adopt(app, ["/posts"])


def test_a_route_of_a_subdomain_is_visited_there(tmp_path: Path) -> None:
    """Its page is another one than that of the same path on the main site."""
    app = Flask("small", instance_path=str(tmp_path), subdomain_matching=True)
    app.config |= {"EDGE_GATEWAY": "off", "SERVER_NAME": "example.org", "TESTING": True}
    Edge().init_app(app)
    app.add_url_rule("/", "shop", lambda: request.host, subdomain="shop")
    app.add_url_rule("/", "main", lambda: request.host)
    sites = {url.rule.endpoint: url.site for url in find_example_urls(app, ())}
    assert sites["shop"].endswith("://shop.example.org")
    assert sites["main"].endswith("://example.org")


class TestRoutesWithPolicies:
    """They are listed with their policy, and with problems that remain."""

    @staticmethod
    def test_one_without_problems_needs_no_line(app: Flask) -> None:
        """There is nothing to do."""
        assert (
            adopt_view(app, cached(ARTICLE)(lambda: "hi")).summary == "has ARTICLE, set by the view"
        )

    @staticmethod
    def test_problems_are_listed(app: Flask) -> None:
        """As strict mode would raise them."""

        @cached(ARTICLE)
        def show() -> str:
            return str(session.get("name"))

        place = f"{HERE}:{show.__code__.co_firstlineno + 2}"
        summary = f"has ARTICLE, set by the view, but reads the session at {place}"
        assert adopt_view(app, show).summary == summary

    @staticmethod
    def test_further_parameters_are_added_to_the_line(app: Flask) -> None:
        """The line replaces the one that is there."""

        @cached(ARTICLE, query=("q",))
        def show() -> str:
            return request.args.get("q", "") + request.args.get("page", "")

        assert adopt_view(app, show).line == '@cached(ARTICLE, query=("page", "q",))'

    @staticmethod
    def test_a_page_that_is_never_stored_is_not_visited(app: Flask) -> None:
        """It may read anything."""
        route = adopt_view(app, cached(NO_STORE)(lambda: abort(500)))
        assert (route.status, route.summary) == (None, "has NO_STORE, set by the view")

    @staticmethod
    def test_a_default_of_no_store_is_no_policy(bare: Flask) -> None:
        """Every other route would have one, and nothing would be left to adopt."""
        Edge().init_app(bare, default=NO_STORE)
        assert adopt_view(bare, lambda: "hi").summary.startswith("can be shared as it is")

    @staticmethod
    def test_a_shared_default_is_the_policy_of_each_route(bare: Flask) -> None:
        """A page that can't be shared is then a problem, although no line marks it."""
        Edge().init_app(bare, default=ARTICLE)
        bare.add_url_rule("/fine", "fine", lambda: "hi")
        route = adopt_view(bare, lambda: request.cookies.get("theme") or "")
        assert (route.policy, route.source) == ("ARTICLE", "the app's default")
        assert route.summary.startswith("has ARTICLE, set by the app's default, but reads a cookie")
        (fine,) = [route for route in adopt(bare).routes if route.rule == "/fine"]
        assert fine.summary == "has ARTICLE, set by the app's default"

    @staticmethod
    def test_the_policy_of_a_blueprint_is_that_of_its_routes(app: Flask) -> None:
        """The summary says where it was set."""
        blueprint = cached(ARTICLE)(Blueprint("shop", __name__))
        blueprint.add_url_rule("/shop/", "index", lambda: "hi")
        app.register_blueprint(blueprint)
        (route,) = [route for route in adopt(app).routes if route.rule == "/shop/"]
        assert route.summary == "has ARTICLE, set by its blueprint"

    @staticmethod
    def test_a_route_with_parameters_and_a_policy_needs_no_example(app: Flask) -> None:
        """It has its policy; an example only allows a check."""
        route = adopt_view(app, cached(ARTICLE)(lambda number: number), rule="/posts/<number>")
        assert (route.problems, route.summary) == ((), "has ARTICLE, set by the view")

    @staticmethod
    def test_only_routes_with_a_shared_policy_are_visited_on_request(app: Flask) -> None:
        """`flask edge routes --visit` runs no other view."""
        visits: list[str] = []
        views = {"/shared": cached(ARTICLE), "/private": cached(NO_STORE), "/unmarked": None}
        for rule, mark in views.items():

            def view(rule: str = rule) -> str:
                visits.append(rule)
                return "hi"

            app.add_url_rule(rule, rule[1:], mark(view) if mark else view)
        assert [route.rule for route in adopt(app, only_shared=True).routes] == ["/shared"]
        assert visits == ["/shared"]

    @staticmethod
    def test_edge_routes_lists_the_problems(app: Flask) -> None:
        """With --visit, which runs the views that have a shared policy."""
        app.add_url_rule("/", "page", cached(ARTICLE)(lambda: request.cookies.get("theme", "")))
        app.add_url_rule("/unmarked", "unmarked", lambda: abort(500))
        run = app.test_cli_runner().invoke
        routes = json.loads(run(args=["edge", "routes", "--visit", "--json"]).output)
        problems = {route["endpoint"]: route.get("problems") for route in routes}
        assert problems["unmarked"] is None
        (problem,) = problems["page"]
        assert problem.startswith(f"reads a cookie at {HERE}:")
        assert (
            f"    not shared: {problem}"
            in run(args=["edge", "routes", "--visit"], env={"COLUMNS": "100"}).output
        )


class TestWithADatabase:
    """Tables are checked as well, and nothing is written."""

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Any:
        """An app with tables, one of which is not watched."""
        app, db, item = make_app(tmp_path, TESTING=False, SERVER_NAME="example.org")
        with app.app_context():
            db.create_all()
            db.session.execute(sa.text("CREATE TABLE visits (id INTEGER)"))
            db.session.add(item(slug="a", name="Apple"))
            db.session.commit()
        yield app, db, item
        with app.app_context():
            db.engine.dispose()

    @staticmethod
    def test_an_untracked_table_is_named(shop: Any) -> None:
        """With the line of the query."""
        app, db, _ = shop
        visits = sa.Table("visits", sa.MetaData(), sa.Column("id", sa.Integer))

        def show() -> str:
            return str(db.session.execute(sa.select(visits)).all())

        route = adopt_view(app, show)
        assert route.problems == (f"reads the untracked table visits at {HERE}:{line_of(show)}",)
        assert "watch it with a trigger, then write @cached(PAGE)" in route.summary

    @staticmethod
    def test_a_trigger_is_not_enough_if_there_is_another_problem(shop: Any) -> None:
        """The instruction names the other problem's remedy."""
        app, db, _ = shop
        app.secret_key = "secret"
        visits = sa.Table("visits", sa.MetaData(), sa.Column("id", sa.Integer))

        def show() -> str:
            return str(session.get("a")) + str(db.session.execute(sa.select(visits)).all())

        route = adopt_view(app, show)
        assert len(route.problems) == 2
        assert "remove that, then write @cached(PAGE)" in route.summary
        assert (route.is_ready, route.line) == (False, "@cached(PAGE)")

    @staticmethod
    def test_a_database_without_tables_is_named(tmp_path: Path) -> None:
        """The routes are visited all the same."""
        app, db, _ = make_app(tmp_path, TESTING=False, SERVER_NAME="example.org")
        adoption = adopt(app)
        assert adoption.unchecked_reason.startswith("the database has no table edge_change")
        assert adoption.to_json()["unchecked_reason"] == adoption.unchecked_reason
        last = list(adoption.to_lines())[-1]
        assert last == f"Reads of the database were not checked: {adoption.unchecked_reason}."
        with app.app_context():
            db.create_all()
            db.engine.dispose()

    @staticmethod
    def test_a_database_that_was_checked_is_not_mentioned(shop: Any) -> None:
        """The first visit connects it."""
        app, _, _ = shop
        assert adopt(app, ["/items/a"]).unchecked_reason == ""

    @staticmethod
    def test_a_watched_table_is_no_problem(shop: Any) -> None:
        """The example's row is read in the visit."""
        app, _, _ = shop
        route = next(r for r in adopt(app, ["/items/a"]).routes if r.url == "/items/a")
        assert (route.status, route.problems) == (200, ())

    @pytest.mark.parametrize("statement", ["orm", "text", "ddl"])
    def test_a_write_is_refused_and_located(self, shop: Any, statement: str) -> None:
        """Whether the ORM, a text or DDL writes; the view's own error handler changes nothing."""
        app, db, item = shop
        writes = {
            "orm": lambda: db.session.add(item(slug="b", name="B")) or db.session.commit(),
            "text": lambda: db.session.execute(sa.text("DELETE FROM item")),
            "ddl": lambda: db.session.execute(sa.text("DROP TABLE item")),
        }
        app.errorhandler(Exception)(lambda _error: "sorry")

        def show() -> str:
            writes[statement]()
            db.session.commit()
            return "hi"

        line = writes[statement].__code__.co_firstlineno
        route = adopt_view(app, show)
        assert route.problems == (
            f"writes to the database at {HERE}:{line} (the write was refused)",
        )
        assert count(shop) == 1

    @staticmethod
    def test_nothing_is_written(shop: Any) -> None:
        """Neither triggers nor pages; a later request connects as usual and may write."""
        app, db, item = shop
        adopt(app, ["/items/a"])
        with app.app_context():
            names = db.session.scalars(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            )
            assert names.all() == []
            db.session.add(item(slug="c", name="C"))
            db.session.commit()
        assert count(shop) == 2


def count(shop: Any) -> int:
    """Return the number of items."""
    app, db, _ = shop
    with app.app_context():
        return int(db.session.scalar(sa.text("SELECT count(*) FROM item")))


class TestTheCommand:
    """`flask edge adopt` prints one line a route, or JSON."""

    @pytest.fixture
    def site(self, app: Flask) -> Flask:
        """An app with a page, a page with a parameter, a class, static files and a POST route."""

        class About(MethodView):
            def get(self) -> str:
                return "hi"

        app.add_url_rule("/about", view_func=About.as_view("about"))
        app.add_url_rule("/posts/<int:number>", "post", lambda number: f"{number}")
        app.add_url_rule("/send", "send", lambda: "", methods=["POST"])
        return app

    @staticmethod
    def test_it_prints_a_table(site: Flask) -> None:
        """With the URL of an example, and a note on what PAGE is."""
        lines = site.test_cli_runner().invoke(args=["edge", "adopt", "--url", "/posts/1"]).output
        assert (
            "/about                          can be shared as it is: write @cached(PAGE)" in lines
        )
        assert f" above About at {HERE}:" in lines
        assert "/posts/<int:number> (/posts/1)  can be shared as it is: write edge.mark(" in lines
        assert 'PAGE = Policy("PAGE", edge=days(1))' in lines
        assert "Reads of the database were not checked: the app does not track" in lines
        assert "/send" not in lines
        assert "/static" not in lines

    @staticmethod
    def test_it_prints_json(site: Flask) -> None:
        """All fields, for programs."""
        result = site.test_cli_runner().invoke(args=["edge", "adopt", "--json"])
        about, post = json.loads(result.stdout)["routes"]
        assert (about["view"], about["status"], about["problems"]) == ("About", 200, [])
        assert (about["line"], about["is_ready"]) == ("@cached(PAGE)", True)
        assert (post["rule"], post["status"]) == ("/posts/<int:number>", None)

    @staticmethod
    def test_a_wrong_example_ends_it(site: Flask) -> None:
        """With one sentence and no traceback."""
        result = site.test_cli_runner().invoke(args=["edge", "adopt", "--url", "/nowhere"])
        assert result.exit_code == 1
        assert "Error: /nowhere belongs to no GET route of this app." in result.output


def test_a_client_cannot_start_a_trial(app: Flask) -> None:
    """A trial is an object in the WSGI environ, which no request header can set."""
    app.add_url_rule("/", "page", lambda: "hi")
    headers = {"edge.trial": "1", "Edge-Trial": "1"}
    response = app.test_client().get("/", headers=headers)
    assert response.headers["Cache-Control"] == "no-store"
    assert state_of(app).policy_for_endpoint(app, "page").source == "none"
