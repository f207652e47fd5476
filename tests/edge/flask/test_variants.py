"""Pages with variants: one Vary line, and no edge stores variants that it would mix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, Response, request
from werkzeug.test import TestResponse

from app.edge import Policy, PolicyError, cache_control, cached
from app.edge.flask import Edge
from app.edge.flask.routes import unkept_variants
from app.edge.policy.guard import Leak
from app.edge.testing import FrozenClock

Make = Callable[..., Flask]
LANGUAGE = ("Accept-Language",)
CLOSED = {
    "cloudflare": ("CDN-Cache-Control", "no-store"),
    "cloudfront": ("Cache-Control", "no-store"),
    "bunny": ("Cache-Control", "no-store"),
}
OPEN = {
    "fastly": ("Surrogate-Control", "max-age=60"),
    "varnish": ("Surrogate-Control", "max-age=60"),
    "nginx": ("X-Accel-Expires", "0"),
    "generic": ("CDN-Cache-Control", "max-age=60"),
}


@pytest.fixture
def make(bare: Flask, clock: FrozenClock, policy: Policy, tmp_path: Path) -> Make:
    """Make an app whose home page has a language, with these edges in front."""

    def build(edge: str, *, gateway: bool = False, **settings: str) -> Flask:
        bare.config |= {"EDGE": edge, "EDGE_STORE": str(tmp_path / "store"), **settings}
        bare.config["EDGE_GATEWAY"] = "on" if gateway else "off"
        site = {"site": "https://x.example"} if gateway else None
        Edge().init_app(bare, clock=clock, gateway=site)

        @bare.get("/")
        @cached(policy, headers=LANGUAGE)
        def home() -> str:
            return f"{request.accept_languages.best_match(['de', 'en'])} {'x' * 2000}"

        @bare.get("/by-hand")
        @cache_control(max_age=60)
        def by_hand() -> Response:
            response = Response("x")
            response.headers.add("Vary", "Accept-Encoding")
            response.headers.add("Vary", "Origin, accept-encoding")
            return response

        @bare.get("/for-cloudflare")
        @cached(policy)
        def for_cloudflare() -> Response:
            headers = {"CDN-Cache-Control": "max-age=600", "Vary": "Accept-Language"}
            return Response("x", headers=headers)

        @bare.get("/cookie")
        @cached(policy)
        def cookie() -> Response:
            response = Response("x")
            response.headers.add("Vary", "Accept-Encoding")
            response.headers.add("Vary", "Cookie")
            return response

        @bare.get("/nonsense")
        @cached(policy)
        def nonsense() -> Response:
            return Response("x", headers={"Vary": "no field"})

        return bare

    return build


def get(app: Flask, path: str = "/", **headers: str) -> TestResponse:
    """Ask for a page, header names with underscores."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, headers=request_headers)


@pytest.mark.parametrize("gateway", [True, False])
@pytest.mark.parametrize(("edge", "line"), {**CLOSED, **OPEN}.items())
def test_an_edge_that_ignores_vary_stores_no_variants(
    make: Make, edge: str, line: tuple[str, str], *, gateway: bool
) -> None:
    """Others do, on a miss, a hit and a 304; Expires does not contradict it."""
    app = make(edge, gateway=gateway)
    name, value = line
    first = get(app, Accept_Language="de")
    revalidated = get(app, Accept_Language="de", If_None_Match=first.headers["ETag"])
    for response in (first, get(app, Accept_Language="de"), revalidated):
        assert response.headers[name] == value
        if response.headers["Cache-Control"] == "no-store":
            assert "Expires" not in response.headers
    assert get(app, Accept_Language="en").text.startswith("en")


@pytest.mark.parametrize("edge", CLOSED)
def test_the_gateway_keeps_variants_whatever_the_edge_may_do(make: Make, edge: str) -> None:
    """It obeys Vary."""
    app = make(edge, gateway=True)
    for language in ("de", "en"):
        get(app, Accept_Language=language)
    for language in ("de", "en"):
        response = get(app, Accept_Language=language)
        assert "hit" in response.headers["Cache-Status"]
        assert response.text.startswith(language)


@pytest.mark.parametrize("path", ["/", "/by-hand"])
@pytest.mark.parametrize("coding", ["gzip", "identity"])
@pytest.mark.parametrize("gateway", [True, False])
def test_there_is_one_vary_line(make: Make, path: str, coding: str, *, gateway: bool) -> None:
    """Nginx before 1.23 obeys only the last Vary line."""
    app = make("nginx", gateway=gateway)
    for _ in range(2):
        lines = get(app, path, Accept_Encoding=coding).headers.getlist("Vary")
        assert len(lines) == 1
        names = [name.lower() for name in lines[0].split(", ")]
        assert len(names) == len(set(names))
        assert {"/": "accept-language", "/by-hand": "origin"}[path] in names


@pytest.mark.parametrize("edge", CLOSED)
def test_what_a_view_varies_on_by_hand_counts(make: Make, edge: str) -> None:
    """In any of its Vary lines."""
    name, value = CLOSED[edge]
    assert get(make(edge), "/by-hand").headers[name] == value


def test_what_a_view_says_to_the_edge_by_hand_opens_nothing(make: Make) -> None:
    """The edge would still mix variants."""
    response = get(make("cloudflare"), "/for-cloudflare")
    assert response.headers.getlist("CDN-Cache-Control") == ["no-store"]


class IgnoresVary:
    """A CDN that stores one copy per URL and ignores Vary."""

    def __init__(self, app: Flask, field: str) -> None:
        self._app, self._field = app, field
        self._pages: dict[str, str] = {}

    def get_text(self, path: str, language: str) -> str:
        """Return the stored text, or the app's."""
        if path not in self._pages:
            response = get(self._app, path, Accept_Language=language)
            freshness = response.headers.get(self._field) or response.headers["Cache-Control"]
            if "no-store" in freshness or "private" in freshness:
                return response.text
            self._pages[path] = response.text
        return self._pages[path]


@pytest.mark.parametrize("gateway", [True, False])
@pytest.mark.parametrize("edge", CLOSED)
def test_no_reader_gets_the_page_of_another_language(
    make: Make, edge: str, *, gateway: bool
) -> None:
    """Through a CDN that keys on the URL only."""
    cdn = IgnoresVary(make(edge, gateway=gateway), CLOSED[edge][0])
    for language in ("de", "en", "de", "en"):
        assert cdn.get_text("/", language).startswith(language)


def test_cookie_in_a_second_vary_line_is_a_leak(make: Make) -> None:
    """The guard reads all Vary lines."""
    app = make("varnish")
    with pytest.raises(Leak, match="Cookie"):
        get(app, "/cookie")


def test_vary_with_what_is_no_field_name_is_no_store(make: Make) -> None:
    """The page is still served."""
    response = get(make("varnish"), "/nonsense")
    assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")


def test_an_edge_that_is_set_up_for_it_may_store_variants(make: Make) -> None:
    """EDGE_VARY lists the fields; `flask edge config` configures them."""
    app = make("cloudflare", EDGE_VARY="accept-language")
    assert get(app).headers["CDN-Cache-Control"] == "max-age=60"
    assert unkept_variants(app) == ()


def test_what_is_one_readers_own_is_no_variant(make: Make) -> None:
    """EDGE_VARY rejects Cookie."""
    with pytest.raises(PolicyError, match="EDGE_VARY contains Cookie"):
        make("cloudflare", EDGE_VARY="Accept, Cookie")


def test_the_routes_say_which_edge_stores_nothing(make: Make) -> None:
    """`flask edge routes` and `flask edge check` show it, with the field."""
    app = make("cloudflare,varnish")
    assert unkept_variants(app) == ("/ at cloudflare: varies on Accept-Language",)
    output = app.test_cli_runner().invoke(args=["edge", "routes"], env={"COLUMNS": "100"}).output
    assert "cloudflare keeps nothing: it does not vary its copies by Accept-Language" in output


def test_a_short_freshness_of_every_cache_is_not_lost_at_the_gateway(make: Make) -> None:
    """If Cache-Control must be no-store for CloudFront, the gateway has its own field."""
    app = make("cloudfront", gateway=True)
    get(app, "/by-hand")
    hit = get(app, "/by-hand")
    assert "hit" in hit.headers["Cache-Status"]
    assert hit.headers["Cache-Control"] == "no-store"
