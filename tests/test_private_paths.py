"""Every path below /studio and /preview is private: in every spelling, for every answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from app import error_handlers
from app.edge.flask.site_description import list_route_rules
from app.extensions import db
from app.middleware.private_paths import make_private
from app.private_paths import PREFIXES, is_private
from app.publishing import actions
from app.publishing.errors import Invalid
from app.publishing.models import Kind
from app.publishing.permissions import SYSTEM
from tests.publishing.conftest import NOW
from tests.site import content

PRIVATE = [
    *("/studio", "/studio/", "/STUDIO", "/Studio/Posts", "//studio", "/studio//x", "///studio/"),
    *("/./studio", "/x/../studio", "/studio/../studio", "\\studio", "/\\studio", "/studio "),
    *("/preview", "/preview/abc", "/PREVIEW/abc", "//preview/abc", "/preview/"),
]
PUBLIC = [
    *(
        "/",
        "",
        "/studios",
        "/studio-1",
        "/studio.html",
        "/articles/studio",
        "/previews",
        "/x/studio",
    ),
    *("/articles/preview", "/api/studio", "/..", "/.", "//"),
]

TARGETS = [
    *("/studio", "/studio/", "/STUDIO", "/Studio", "//studio", "/studio//posts", "/studio/none"),
    *("/studio/none.json", "/./studio", "/x/../studio", "/studio/%2e", "/studio%20", "/studio/%"),
    *("/studio/login/", "/studio/a%2Fb", "/studio/a%00b", "/studio?utm_source=x", "/studio/%ff"),
    *("/preview", "/preview/", "/PREVIEW/x", "//preview/x", "/preview/none", "/preview/a/b"),
]
"""Request targets as clients send them; most of them are errors or redirects."""


@pytest.mark.parametrize("path", PRIVATE)
def test_a_path_of_the_prefixes_is_private_in_any_spelling(path: str) -> None:
    """An answer to another spelling is a redirect or an error, and private as well."""
    assert is_private(path)


@pytest.mark.parametrize("path", PUBLIC)
def test_another_path_stays_public(path: str) -> None:
    """A page whose address only looks like a prefix is cached as before."""
    assert not is_private(path)


def test_headers_that_let_a_cache_store_are_removed() -> None:
    """Those of every edge, tags included; other headers stay."""
    headers = [
        ("Cache-Control", "s-maxage=60"),
        ("CDN-Cache-Control", "max-age=60"),
        ("Surrogate-Control", "max-age=60"),
        ("Cache-Tag", "p1"),
        ("Surrogate-Key", "p1"),
        ("X-Accel-Expires", "60"),
        ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT"),
        ("Set-Cookie", "a=b"),
    ]
    assert make_private(headers, "/studio") == [
        ("Set-Cookie", "a=b"),
        ("Cache-Control", "private, no-store"),
        ("X-Robots-Tag", "noindex"),
        ("Referrer-Policy", "same-origin"),
    ]
    assert ("Referrer-Policy", "no-referrer") in make_private([], "/preview/x")
    own = [("Referrer-Policy", "no-referrer")]
    assert make_private(own, "/studio")[0] == own[0]


@pytest.fixture
def gated(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """A site behind its gateway, with a page and redirects that an older release has allowed."""
    app = make_app(
        EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"), TRUSTED_HOSTS=["localhost"]
    )
    content.settings()
    content.post("Preview", kind=Kind.PAGE)
    content.post("Studio", kind=Kind.PAGE)
    content.old_path("/studio/old", to="/archive")
    app.testing = False
    return app


def send(app: Flask, target: str, method: str = "GET", **headers: str) -> TestResponse:
    """Send this target as it stands, as gunicorn passes it on."""
    path = target.partition("?")[0]
    environ = {"RAW_URI": target, "PATH_INFO": decode(path)}
    client = app.test_client(use_cookies=False)
    return client.open("/", method=method, environ_overrides=environ, headers=headers)


def decode(path: str) -> str:
    """Return the path as WSGI has it: decoded bytes as latin-1 characters."""
    return unquote_to_bytes(path).decode("latin-1")


def count_pages() -> int:
    """Return the number of registered pages."""
    return db.session.scalar(sa.text("SELECT count(*) FROM edge_page")) or 0


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PUT"])
def test_every_answer_below_the_prefixes_is_private(gated: Flask, target: str, method: str) -> None:
    """Pages, errors, redirects and refusals; none is stored or registered, sent twice."""
    for _ in range(2):
        response = send(gated, target, method)
        assert response.headers.getlist("Cache-Control") == ["private, no-store"], response.status
        assert response.headers.getlist("X-Robots-Tag") == ["noindex"]
        assert "hit" not in response.headers.get("Cache-Status", "").split("; ")
        assert "stored" not in response.headers.get("Cache-Status", "")
        assert not {"Surrogate-Control", "CDN-Cache-Control", "ETag"} & set(response.headers.keys())
        assert response.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert count_pages() == 0


def test_an_untrusted_host_gets_a_private_answer(gated: Flask) -> None:
    """A layer in front of the gateway answers."""
    response = send(gated, "/studio", Host="elsewhere.example")
    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "private, no-store"


def test_the_gateway_passes_requests_below_the_prefixes(gated: Flask) -> None:
    """It neither looks them up nor collapses them, so they are not in its statistics."""
    assert "fwd=bypass" in send(gated, "/studio/none").headers["Cache-Status"]
    assert "fwd=bypass" not in send(gated, "/archive").headers["Cache-Status"]


@pytest.mark.parametrize(
    ("target", "location"),
    [("/studio/", "/studio"), ("/STUDIO/None", "/studio/none"), ("/Preview", "/preview")],
)
def test_another_spelling_is_redirected_for_now(gated: Flask, target: str, location: str) -> None:
    """A temporary redirect: no cache and no browser keeps it."""
    response = send(gated, target)
    assert (response.status_code, response.headers["Location"]) == (302, location)


@pytest.mark.parametrize("target", ["/preview", "/studio/old"])
def test_public_pages_and_redirects_below_the_prefixes_are_gone(gated: Flask, target: str) -> None:
    """A page or a redirect of an older release is not shown as a private page either."""
    assert send(gated, target).status_code == 404


def test_a_redirect_below_the_prefixes_is_refused(app: Flask) -> None:
    """It would never be followed."""
    with pytest.raises(Invalid, match="studio"):
        actions.add_redirect("/Studio/old", target="/archive", now=NOW, actor=SYSTEM)


def test_every_edge_bypasses_its_cache_below_the_prefixes(app: Flask) -> None:
    """The routes from which all configurations are generated end with the whole prefix."""
    rules = {rule.url_rule: rule for rule in list_route_rules(app)}
    for prefix in PREFIXES:
        for rule in (prefix, f"{prefix}/<path:rest>"):
            assert not rules[rule].is_shared
    below = [rule for rule in rules.values() if is_private(rule.url_rule)]
    assert [rule.url_rule for rule in below if rule.is_shared] == []


def test_a_database_that_is_away_is_a_private_503(gated: Flask) -> None:
    """It says when to try again, and ends no session."""
    with gated.test_request_context("/studio/posts"):
        response = error_handlers.away()
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "edge", ["bunny", "cloudflare", "cloudfront", "fastly", "nginx", "varnish"]
)
def test_each_generated_configuration_has_one_rule_for_each_prefix(app: Flask, edge: str) -> None:
    """Single routes of the studio are not listed, since CDNs limit the number of rules."""
    origin = ("--origin", "http://127.0.0.1:8000") if edge in {"nginx", "varnish"} else ()
    site = ("--site", "https://example.org")
    result = app.test_cli_runner().invoke(args=["edge", "config", edge, *site, *origin])
    assert result.exit_code == 0, result.output
    for prefix in PREFIXES:
        assert f"{prefix}/" in result.output.replace("\\", "")
    assert "/studio/login" not in result.output
