"""The three ways to set a policy: the app's default, decorators, and the response itself."""

from __future__ import annotations

import functools
from datetime import timedelta
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, make_response, redirect
from flask.views import MethodView

from app.edge import NO_STORE, Freshness, Policy, PolicyError, cache_control, cached
from app.edge.flask import Edge, explicit_only, serve_as
from app.edge.testing import FrozenClock, assert_no_store, assert_policy, assert_private

HOUR = Policy(name="HOUR", browser=Freshness(ttl=timedelta(hours=1)))
BROWSER = "max-age=0, must-revalidate"


def home() -> str:
    """Return a page."""
    return "a page"


def get(app: Flask, url: str = "/", **headers: str) -> Any:
    """Ask for a URL, header names with underscores."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(url, headers=request_headers)


def test_a_route_without_a_policy_is_no_store(app: Flask) -> None:
    """Without a policy nothing is stored, and no ETag is sent."""
    app.add_url_rule("/", "home", lambda: "hi")
    response = get(app)
    assert_no_store(response)
    assert "ETag" not in response.headers
    assert "Expires" not in response.headers


def test_an_unknown_url_is_no_store(app: Flask) -> None:
    """The stock 404 page has no policy."""
    assert_no_store(get(app, "/nowhere"))


def test_a_marked_view_gets_its_policy(app: Flask, policy: Policy) -> None:
    """The browser revalidates each time, the CDN stores it for at most the cap."""
    app.add_url_rule("/", "home", cached(policy)(lambda: "hi"))
    response = get(app)
    assert response.headers["Cache-Control"] == BROWSER
    assert response.headers["CDN-Cache-Control"] == "max-age=60"
    assert_policy(response, policy, dialects="cloudflare", cap=timedelta(minutes=1))


class TestDefault:
    """The app-wide default, the first way."""

    def test_it_holds_for_successful_gets(self, bare: Flask) -> None:
        """A view without a policy gets the app's default."""
        Edge().init_app(bare, default=HOUR)
        bare.add_url_rule("/", "home", lambda: "hi")
        assert_policy(get(bare), HOUR)

    @pytest.mark.parametrize("status", [201, 301, 404, 500])
    def test_it_holds_for_no_other_status(self, bare: Flask, status: int) -> None:
        """Errors and redirects need a policy of their own."""
        Edge().init_app(bare, default=HOUR)
        bare.add_url_rule("/", "home", lambda: ("hi", status))
        assert_no_store(get(bare))

    def test_it_holds_for_no_post(self, bare: Flask) -> None:
        """An unsafe method is never stored."""
        Edge().init_app(bare, default=HOUR)
        bare.add_url_rule("/", "home", lambda: "hi", methods=["POST"])
        assert_no_store(bare.test_client().post("/"))

    def test_the_hook_decides(self, bare: Flask) -> None:
        """The app can select the responses that get the default."""
        Edge().init_app(
            bare, default=HOUR, should_handle=lambda _, response: response.mimetype == "text/css"
        )
        bare.add_url_rule("/a", "a", lambda: "hi")
        bare.add_url_rule("/b", "b", lambda: Response("hi", mimetype="text/css"))
        assert_no_store(get(bare, "/a"))
        assert_policy(get(bare, "/b"), HOUR)

    def test_the_opposite_hook_caches_nothing_unless_said(self, bare: Flask) -> None:
        """Only decorators and responses set a policy."""
        Edge().init_app(bare, default=HOUR, should_handle=explicit_only)
        bare.add_url_rule("/a", "a", lambda: "hi")
        bare.add_url_rule("/b", "b", cached(HOUR)(lambda: "hi"))
        assert_no_store(get(bare, "/a"))
        assert_policy(get(bare, "/b"), HOUR)

    def test_a_default_of_no_store_closes_nothing(self, bare: Flask) -> None:
        """Like having no default: a response may still set directives."""
        Edge().init_app(bare, default=NO_STORE)
        bare.add_url_rule("/a", "a", lambda: "hi")
        bare.add_url_rule("/b", "b", lambda: ("hi", {"Cache-Control": "max-age=5"}))
        assert_no_store(get(bare, "/a"))
        assert get(bare, "/b").headers["Cache-Control"] == "max-age=5"

    def test_a_mark_comes_before_it(self, bare: Flask) -> None:
        """A view with no-store does not get the default."""
        Edge().init_app(bare, default=HOUR)
        bare.add_url_rule("/", "home", cached(NO_STORE)(lambda: "hi"))
        assert_no_store(get(bare))


class TestMarks:
    """Decorators of views and blueprints, the second way."""

    def test_the_order_of_decorators_does_not_matter(self, app: Flask) -> None:
        """The policy is found above or below the route and any other decorator."""

        def loud(view: Any) -> Any:
            @functools.wraps(view)
            def louder() -> str:
                return str(view()) + "!"

            return louder

        @app.get("/below")
        @loud
        @cached(HOUR)
        def below() -> str:
            return "hi"

        @cached(HOUR)
        @app.get("/above")
        @loud
        def above() -> str:
            return "hi"

        assert_policy(get(app, "/below"), HOUR)
        assert_policy(get(app, "/above"), HOUR)

    def test_directives_mark_as_a_policy_does(self, app: Flask) -> None:
        """Each directive is written as declared, including field names."""
        mark = cache_control(max_age=120, private=["Set-Cookie", "X-Token"], no_transform=True)
        app.add_url_rule("/", "home", mark(lambda: "hi"))
        header = get(app).headers["Cache-Control"]
        assert header == 'private="Set-Cookie, X-Token", max-age=120, no-transform'

    def test_two_marks_add_up_to_the_stricter(self, app: Flask) -> None:
        """In either order."""
        strict = cache_control(max_age=5, no_transform=True)
        app.add_url_rule("/a", "a", strict(cached(HOUR)(lambda: "hi")))
        app.add_url_rule("/b", "b", cached(HOUR)(strict(lambda: "hi")))
        assert get(app, "/a").headers["Cache-Control"] == "max-age=5, no-transform"
        assert get(app, "/b").headers["Cache-Control"] == "max-age=5, no-transform"

    def test_a_blueprint_is_marked_as_a_whole(self, app: Flask) -> None:
        """A view's own policy takes precedence over that of the blueprint."""
        site = cached(HOUR)(Blueprint("site", __name__))
        site.add_url_rule("/a", "a", lambda: "hi")
        site.add_url_rule("/b", "b", cached(NO_STORE)(lambda: "hi"))
        app.register_blueprint(site)
        assert_policy(get(app, "/a"), HOUR)
        assert_no_store(get(app, "/b"))

    def test_an_inner_blueprint_comes_before_an_outer(self, app: Flask) -> None:
        """Also when neither is written as a decorator."""
        edge = Edge()
        outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
        edge.mark(outer, NO_STORE)
        edge.mark(inner, HOUR)
        inner.add_url_rule("/in", "a", lambda: "hi")
        outer.add_url_rule("/out", "b", lambda: "hi")
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        assert_policy(get(app, "/in"), HOUR)
        assert_no_store(get(app, "/out"))

    def test_a_view_class_is_marked(self, app: Flask) -> None:
        """On the class, or on its get method."""

        @cached(HOUR)
        class Marked(MethodView):
            def get(self) -> str:
                return "hi"

        class MarkedGet(MethodView):
            @cached(HOUR)
            def get(self) -> str:
                return "hi"

        app.add_url_rule("/a", view_func=Marked.as_view("a"))
        app.add_url_rule("/b", view_func=MarkedGet.as_view("b"))
        assert_policy(get(app, "/a"), HOUR)
        assert_policy(get(app, "/b"), HOUR)

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_a_mark_speaks_of_success_alone(self, app: Flask, status: int) -> None:
        """An error response of the view does not get its policy."""
        app.add_url_rule("/", "home", cached(HOUR)(lambda: ("hi", status)))
        assert_no_store(get(app))

    def test_an_error_page_is_shared_when_it_says_so(self, app: Flask, policy: Policy) -> None:
        """serve_as gives the 404 page a policy of its own."""

        @app.errorhandler(404)
        def missing(_: Exception) -> tuple[Response, int]:
            return serve_as(policy, make_response("nothing here")), 404

        app.add_url_rule("/", "home", cached(HOUR)(lambda: abort(404)))
        assert get(app).status_code == 404
        assert get(app).headers["Cache-Control"] == BROWSER
        assert get(app, "/nowhere").headers["Cache-Control"] == BROWSER

    def test_a_redirect_is_shared_when_it_says_so(self, app: Flask) -> None:
        """Caches may store the redirect."""
        app.add_url_rule(
            "/", "home", lambda: serve_as(HOUR, make_response(redirect("/new", code=301)))
        )
        assert_policy(get(app), HOUR)

    def test_a_server_error_is_never_shared(self, app: Flask) -> None:
        """Even with a policy."""
        app.add_url_rule("/", "home", lambda: (serve_as(HOUR, make_response("broken")), 500))
        assert_no_store(get(app))

    @pytest.mark.parametrize(
        ("make", "sentence"),
        [
            (
                lambda: cached(home),  # type: ignore[arg-type]  # the fault under test
                r"write @cached\(POLICY\)",
            ),
            (lambda: cached(HOUR, query="q"), r"query=\('q',\)"),
            (lambda: cached(HOUR, headers=("Cookie",)), "varying on Cookie makes it private"),
            (
                lambda: cache_control(max_age="soon"),  # type: ignore[arg-type]  # the fault under test
                "not a number of seconds",
            ),
            (lambda: cache_control(max_age=-1), "can't be negative"),
            (lambda: cache_control(no_store=True, max_age=5), "no_store stores nothing"),
            (lambda: cache_control(private=["Set Cookie"]), "not a header field name"),
        ],
    )
    def test_a_wrong_mark_is_refused_where_it_is_written(self, make: Any, sentence: str) -> None:
        """The message says what to write instead."""
        with pytest.raises(PolicyError, match=sentence):
            make()


class TestResponse:
    """Headers of the response itself, the third way."""

    @staticmethod
    def _serve(app: Flask, change: Any, mark: Policy | None = None) -> Any:
        def view() -> Response:
            response = make_response("hi")
            change(response)
            return response

        app.add_url_rule("/", "home", cached(mark)(view) if mark else view)
        return get(app)

    def test_max_age_in_the_view(self, app: Flask) -> None:
        """The view takes precedence, and there is one Cache-Control header."""
        response = self._serve(app, lambda r: setattr(r.cache_control, "max_age", 120), HOUR)
        assert response.headers.getlist("Cache-Control") == ["max-age=120"]

    def test_max_age_without_a_mark(self, app: Flask) -> None:
        """No decorator is needed."""
        response = self._serve(app, lambda r: setattr(r.cache_control, "max_age", 120))
        assert response.headers["Cache-Control"] == "max-age=120"

    def test_no_store_in_the_view(self, app: Flask, policy: Policy) -> None:
        """It removes the headers for all caches, including edges."""
        response = self._serve(app, lambda r: setattr(r.cache_control, "no_store", True), policy)
        assert_no_store(response)

    def test_private_in_the_view(self, app: Flask, policy: Policy) -> None:
        """No edge may store the page."""
        response = self._serve(app, lambda r: setattr(r.cache_control, "private", True), policy)
        assert_private(response)

    def test_a_header_written_by_hand(self, app: Flask) -> None:
        """Two header lines are merged into one."""

        def change(response: Response) -> None:
            response.headers.add("Cache-Control", "max-age=60")
            response.headers.add("Cache-Control", "no-transform")

        response = self._serve(app, change, HOUR)
        assert response.headers.getlist("Cache-Control") == ["max-age=60, no-transform"]

    def test_expires_written_by_hand(self, app: Flask, clock: FrozenClock) -> None:
        """It is converted to the equivalent max-age."""
        response = self._serve(
            app, lambda r: setattr(r, "expires", clock() + timedelta(minutes=10)), HOUR
        )
        assert response.headers["Cache-Control"] == "max-age=600"
        assert response.headers.getlist("Expires") == ["Thu, 01 Jan 2026 00:10:00 GMT"]

    def test_a_targeted_field_written_by_hand_stays(self, app: Flask, policy: Policy) -> None:
        """The view may set the field of one edge."""
        response = self._serve(
            app, lambda r: r.headers.set("CDN-Cache-Control", "max-age=7"), policy
        )
        assert response.headers.getlist("CDN-Cache-Control") == ["max-age=7"]

    def test_a_private_page_tells_no_edge_anything(self, app: Flask) -> None:
        """Fields that the view wrote for an edge are removed."""
        response = self._serve(
            app,
            lambda r: r.headers.set("CDN-Cache-Control", "max-age=7"),
            Policy(name="MINE", private=True),
        )
        assert_private(response)

    def test_a_closed_route_is_not_opened(self, app: Flask) -> None:
        """A no-store policy of the route takes precedence over send_file and the view."""
        response = self._serve(app, lambda r: r.headers.set("Cache-Control", "public"), NO_STORE)
        assert_no_store(response)


def test_expires_date_and_max_age_agree(app: Flask, clock: FrozenClock) -> None:
    """All use the same clock, in GMT."""
    app.add_url_rule("/", "home", cached(HOUR)(lambda: "hi"))
    clock.advance(timedelta(microseconds=1))
    response = get(app)
    assert response.headers["Date"] == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert response.headers["Expires"] == "Thu, 01 Jan 2026 01:00:00 GMT"


def test_a_private_page_has_no_expires(app: Flask) -> None:
    """A cache that ignores Cache-Control would share the page."""
    app.add_url_rule("/", "home", cache_control(private=True, max_age=60)(lambda: "hi"))
    assert "Expires" not in get(app).headers


def test_declared_headers_are_in_vary(app: Flask) -> None:
    """They are added to the fields that the response varies on already."""

    @app.get("/")
    @cached(HOUR, headers=("Accept-Language",))
    def show() -> Response:
        response = make_response("hi")
        response.vary.add("Accept-Encoding")
        return response

    assert set(get(app).vary) == {"Accept-Language", "Accept-Encoding"}


class TestValidators:
    """Strong ETags and conditional requests (RFC 9110 §8.8, §13)."""

    @pytest.fixture(autouse=True)
    def _page(self, app: Flask) -> None:
        app.add_url_rule("/", "home", cached(HOUR)(home))

    @pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_a_reader_who_has_it_gets_304(self, app: Flask, form: str, method: str) -> None:
        """With the headers of the 200 response, and without a body."""
        full = get(app)
        conditions = {"If-None-Match": form.format(full.headers["ETag"])}
        response = app.test_client().open("/", method=method, headers=conditions)
        assert response.status_code == 304
        assert response.data == b""
        for name in ("Cache-Control", "Date", "ETag", "Expires"):
            assert response.headers[name] == full.headers[name]
        assert "Content-Type" not in response.headers

    def test_a_head_has_the_etag_of_its_get(self, app: Flask) -> None:
        """And the Content-Length."""
        head, full = app.test_client().head("/"), get(app)
        assert head.headers["ETag"] == full.headers["ETag"]
        assert head.headers["Content-Length"] == full.headers["Content-Length"]

    def test_the_etag_is_strong_and_of_the_body_alone(self, app: Flask) -> None:
        """So every process sends the same ETag, also after a restart."""
        app.add_url_rule("/same", "same", cached(HOUR)(lambda: "a page"))
        app.add_url_rule("/other", "other", cached(HOUR)(lambda: "other"))
        assert get(app).headers["ETag"] == '"a8354b4c267048f4ce34c3e7d0ecf3e8"'
        assert get(app, "/same").headers["ETag"] == get(app).headers["ETag"]
        assert get(app, "/other").headers["ETag"] != get(app).headers["ETag"]

    @pytest.mark.parametrize("form", ['"other"', "W/{}"])
    def test_a_failed_precondition_is_not_stored(self, app: Flask, form: str) -> None:
        """A 412 answers one request (RFC 9110 §13.1.1, which compares strongly)."""
        tag = get(app).headers["ETag"]
        response = get(app, If_Match=form.format(tag))
        assert response.status_code == 412
        assert_no_store(response)
        assert get(app, If_Match=tag).status_code == 200

    def test_an_etag_of_the_view_stays(self, app: Flask) -> None:
        """The view's ETag takes precedence."""
        app.add_url_rule("/own", "own", cached(HOUR)(lambda: ("hi", {"ETag": 'W/"7"'})))
        assert get(app, "/own").headers["ETag"] == 'W/"7"'
        assert get(app, "/own", If_None_Match='"7"').status_code == 304

    def test_a_date_of_the_view_is_compared(self, app: Flask) -> None:
        """Only the view sets Last-Modified."""
        date = "Thu, 01 Jan 2026 00:00:00 GMT"
        app.add_url_rule("/own", "own", cached(HOUR)(lambda: ("hi", {"Last-Modified": date})))
        assert get(app, "/own", If_Modified_Since=date).status_code == 304
        assert "Last-Modified" not in get(app).headers


def test_a_second_registration_is_refused(app: Flask) -> None:
    """init_app() can be called once per app."""
    with pytest.raises(PolicyError, match="once"):
        Edge().init_app(app)


def test_one_edge_serves_two_apps(bare: Flask) -> None:
    """The extension stores no app, so a factory may be called twice."""
    edge, other = Edge(), Flask("other")
    edge.init_app(bare)
    edge.init_app(other, default=HOUR)
    assert bare.extensions["edge"].default is None
    assert other.extensions["edge"].default is HOUR


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("EDGE", "akamai", "not a known edge"),
        ("EDGE_GATEWAY", "maybe", "set it to on, off or auto"),
        ("EDGE_TTL_CAP", "soon", "number of seconds"),
        ("EDGE_TTL_CAP", -1, "number of seconds"),
        ("EDGE_STRICT", "perhaps", "true or false"),
    ],
)
def test_a_malformed_setting_stops_the_start(
    bare: Flask, key: str, value: object, sentence: str
) -> None:
    """The message names the setting."""
    bare.config[key] = value
    with pytest.raises(PolicyError, match=sentence):
        Edge().init_app(bare)


def test_what_fails_on_its_way_out_is_closed(app: Flask) -> None:
    """A response that was not checked, because the error handler failed as well, is not stored."""
    app.testing = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.after_request
    def broken(response: Response) -> Response:
        raise RuntimeError(response.status)

    app.add_url_rule("/", "home", cached(HOUR)(lambda: "hi"))
    response = get(app)
    assert response.status_code == 500
    assert_no_store(response)
