"""Routes that declare their languages: the view reads one of them, and each has one variant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Blueprint, Flask, Response, request, request_started
from flask_babel import Babel, get_locale

from app.edge import Policy, PolicyError, cache_control, cached
from app.edge.flask import Edge, serve_as
from app.edge.flask.state import state_of

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

    from app.edge.testing import FrozenClock

Make = Callable[..., Flask]
SITE = ("en", "es", "pt-BR")
SPANISH = ["es", "es-ES,es;q=0.9,en;q=0.8", "es-MX, es;q=0.5", "fr, ES;q=0.7", "es, *;q=0.1"]
ENGLISH = [None, "", "en", "en-GB,en;q=0.9", "fr", "*", "es, en_US", "es;q=0, *", "e" * 2000]
FIELD = "Broadsheet-Languages"


@pytest.fixture
def make(bare: Flask, clock: FrozenClock, policy: Policy, tmp_path: Path) -> Make:
    """Make an app whose home page shows what the view reads from Accept-Language."""

    def build(edge: str = "generic", *, gateway: bool = True) -> Flask:
        bare.config |= {"EDGE": edge, "EDGE_STORE": str(tmp_path / "store")}
        bare.config["EDGE_GATEWAY"] = "on" if gateway else "off"
        site = {"site": "https://x.example"} if gateway else None
        Edge().init_app(bare, clock=clock, gateway=site)

        @bare.route("/", methods=["GET", "POST"])
        @cached(policy, languages=SITE)
        def home() -> str:
            return f"{request.headers.get('Accept-Language')} {request.accept_languages.best}"

        return bare

    return build


def get(app: Flask, language: str | None, path: str = "/", **options: Any) -> TestResponse:
    """Request a page with this Accept-Language."""
    headers = {} if language is None else {"Accept-Language": language}
    return app.test_client().open(path, headers={**headers, **options.pop("more", {})}, **options)


def variant_count(app: Flask) -> int:
    """Return how many responses the gateway has stored for the home page."""
    gateway = state_of(app).embedded_gateway
    assert gateway is not None
    return int(gateway.gateway.purge("/"))


@pytest.mark.parametrize("gateway", [True, False])
def test_the_view_reads_one_of_the_languages(make: Make, *, gateway: bool) -> None:
    """In the spelling of the declaration, also if the request has no Accept-Language."""
    app = make(gateway=gateway)
    assert {get(app, header).text for header in SPANISH} == {"es es"}
    assert {get(app, header).text for header in ENGLISH} == {"en en"}
    assert get(app, "pt").text == get(app, "PT-br;q=0.3").text == "pt-BR pt-BR"
    assert get(app, "es-AR", method="POST").text == "es es"


def test_an_earlier_read_of_the_header_does_not_count(
    bare: Flask, clock: FrozenClock, policy: Policy
) -> None:
    """A function that runs before the edge sees the reader's header, and the view does not."""
    earlier: list[str | None] = []

    def read(_sender: Flask, **_: Any) -> None:
        earlier.append(request.accept_languages.best)

    request_started.connect(read, bare)
    Edge().init_app(bare, clock=clock)
    show = cached(policy, languages=SITE)(lambda: str(request.accept_languages.best))
    bare.add_url_rule("/", "home", show)
    assert get(bare, "es-MX").text == "es"
    assert earlier == ["es-MX"]


def test_there_is_one_variant_per_language(make: Make) -> None:
    """All spellings of one language get the same stored page."""
    app = make()
    for headers in (SPANISH, ENGLISH):
        caches = [get(app, header).headers["Cache-Status"] for header in headers]
        assert "stored" in caches[0]
        assert all("hit" in cache for cache in caches[1:])
    assert variant_count(app) == 2


def test_a_hit_may_be_a_head_or_a_304(make: Make) -> None:
    """The variant is selected in the same way."""
    app = make()
    page = get(app, "es-ES")
    assert "hit" in get(app, "es-MX", method="HEAD").headers["Cache-Status"]
    not_modified = get(app, "es-AR,fr", more={"If-None-Match": page.headers["ETag"]})
    assert not_modified.status_code == 304
    other = get(app, "en", more={"If-None-Match": page.headers["ETag"]})
    assert (other.status_code, other.text) == (200, "en en")


def test_a_stale_page_is_revalidated_in_its_language(make: Make, clock: FrozenClock) -> None:
    """The revalidated variant keeps its languages."""
    app = make()
    pages = {language: get(app, language).text for language in SITE}
    clock.advance(timedelta(days=30))
    for language in SITE:
        assert get(app, f"{language}-x-test").text == pages[language]
        assert "hit" in get(app, f"fr, {language};q=0.3").headers["Cache-Status"]
    assert variant_count(app) == 3


@pytest.mark.parametrize("gateway", [True, False])
def test_readers_see_vary_and_no_list_of_languages(make: Make, *, gateway: bool) -> None:
    """On a miss, a hit, a 304 and a response that is not stored."""
    app = make(gateway=gateway)
    etag = get(app, "es").headers["ETag"]
    for response in (
        get(app, "es"),
        get(app, "es", more={"If-None-Match": etag}),
        get(app, "pt"),
        get(app, "es", method="POST"),
    ):
        assert FIELD not in response.headers
        assert response.status_code == 304 or varies_or_is_not_stored(response)


def varies_or_is_not_stored(response: TestResponse) -> bool:
    """Return whether the response is not stored or varies on Accept-Language."""
    return (
        "Accept-Language" in response.headers.get("Vary", "")
        or response.headers["Cache-Control"] == "no-store"
    )


def test_other_edges_vary_on_the_whole_header(make: Make) -> None:
    """As with `headers=("Accept-Language",)`: Cloudflare, which ignores Vary, stores nothing."""
    response = get(make("cloudflare,varnish"), "es-MX")
    assert response.headers["CDN-Cache-Control"] == "no-store"
    assert "Accept-Language" in response.headers["Vary"]
    assert response.headers["Surrogate-Control"].startswith("max-age=")


def test_a_blueprint_declares_languages_for_its_views(make: Make, policy: Policy) -> None:
    """A view with a policy of its own declares its own."""
    app = make()
    pages = cached(policy, languages=("es", "en"))(Blueprint("pages", __name__))
    pages.add_url_rule("/a", "a", lambda: request.headers["Accept-Language"])
    plain = cached(policy, headers=("Accept-Language",))(
        lambda: request.headers.get("Accept-Language", "none")
    )
    pages.add_url_rule("/b", "b", plain)
    app.register_blueprint(pages)
    assert (get(app, "fr", "/a").text, get(app, "en-GB", "/a").text) == ("es", "en")
    assert (get(app, "fr", "/b").text, get(app, None, "/b").text) == ("fr", "none")
    assert "hit" not in get(app, "FR-ch", "/b").headers["Cache-Status"]


def test_flask_babel_selects_the_declared_language(make: Make, policy: Policy) -> None:
    """Its locale selector calls `best_match`, with names such as `pt_BR`."""
    app = make()
    babel = ["en", "es", "pt_BR"]
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(babel))
    app.add_url_rule("/locale", "locale", cached(policy, languages=SITE)(lambda: str(get_locale())))
    for header, locale in {"es-MX,en": "es", "pt-PT, pt": "pt_BR", "fr": "en"}.items():
        assert get(app, header, "/locale").text == locale
        assert "hit" in get(app, f"{header};q=0.7", "/locale").headers["Cache-Status"]


def test_a_policy_of_one_response_still_has_to_vary(make: Make, policy: Policy) -> None:
    """`serve_as` replaces the policy of the route, so the guard requires its own Vary."""
    app = make()

    def missing() -> Response:
        response = Response(request.accept_languages.best, status=404)
        return serve_as(policy, response)

    def varying() -> Response:
        response = missing()
        response.headers["Vary"] = "Accept-Language"
        return response

    app.add_url_rule("/missing", "missing", cached(policy, languages=SITE)(missing))
    app.add_url_rule("/varying", "varying", cached(policy, languages=SITE)(varying))
    with pytest.raises(PolicyError, match="header-undeclared"):
        get(app, "es", "/missing")
    assert get(app, "es-ES", "/varying").text == "es"
    assert "hit" in get(app, "es-MX", "/varying").headers["Cache-Status"]


def test_cache_control_and_mark_declare_languages_too(make: Make, policy: Policy) -> None:
    """They have the arguments of `cached`."""
    app = make()

    def show() -> str:
        return request.headers["Accept-Language"]

    def show_too() -> str:
        return request.headers["Accept-Language"]

    app.add_url_rule("/a", "a", cache_control(max_age=60, languages=SITE)(show))
    app.add_url_rule("/b", "b", Edge.mark(show_too, policy, languages=SITE))
    assert get(app, "es-MX", "/a").text == get(app, "es-MX", "/b").text == "es"


@pytest.mark.parametrize(
    ("languages", "message"),
    [
        ("en", r"write languages=\('en',\)"),
        (("en", "pt_BR"), "'pt_BR' is not a language tag"),
        (("en", ""), "'' is not a language tag"),
        (("en", "*"), r"'\*' is not a language tag"),
        (("en", None), "None is not a language tag"),
        (("en", "EN"), "en, EN contains a language twice"),
    ],
)
def test_a_wrong_declaration_is_refused(policy: Policy, languages: Any, message: str) -> None:
    """When the view is decorated."""
    with pytest.raises(PolicyError, match=message):
        cached(policy, languages=languages)


def test_two_decorators_must_not_contradict_each_other(policy: Policy) -> None:
    """The same languages twice, or only one declaration, are accepted in either order."""

    def view() -> str:
        return ""

    cached(policy)(cached(policy, languages=SITE)(view))
    cached(policy, languages=SITE)(view)
    with pytest.raises(PolicyError, match="different languages, en, es, pt-BR and es, en"):
        cached(policy, languages=("es", "en"))(view)


@pytest.mark.parametrize("directed", [cache_control(max_age=60, languages=SITE)])
def test_a_default_has_no_languages(bare: Flask, directed: Any) -> None:
    """A default applies to every view, and only views know their languages."""
    with pytest.raises(PolicyError, match="languages are declared on views"):
        Edge().init_app(bare, default=directed)
