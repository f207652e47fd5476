from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from app.middleware.trusted_hosts import MALFORMED_HOST

MakeApp = Callable[..., Flask]


@pytest.mark.parametrize(
    ("trusted", "host", "answered"),
    [
        (None, "anything.example", True),
        (["example.com"], "example.com", True),
        (["example.com"], "EXAMPLE.com", True),
        (["example.com"], "example.com:8443", True),
        (["example.com"], "www.example.com", False),
        ([".example.com"], "www.example.com", True),
        (["example.com"], "example.com.evil.example", False),
        (["example.com"], "evil.example", False),
        (["example.com"], "10.0.0.7", False),
        (["example.com"], "site.example", True),
        (["example.com"], "", False),
    ],
)
@pytest.mark.parametrize("gateway", [False, True], ids=["bare", "gateway"])
def test_a_host_is_answered_when_it_is_trusted(
    trusted: list[str] | None, host: str, *, answered: bool, gateway: bool, make_app: MakeApp
) -> None:
    """In any case, with any port; a leading dot stands for what is below; so is SITE_URL's own."""
    site = {"SITE_URL": "https://site.example", "EDGE_GATEWAY": gateway}
    app = make_app(TRUSTED_HOSTS=trusted, **site)
    app.add_url_rule("/asked", view_func=lambda: "answered")
    answer = app.test_client().get("/asked", headers={"Host": host})
    assert answer.text == ("answered" if answered else "This site is not served under that name.\n")
    assert answer.status_code == (200 if answered else 400)


def test_a_refusal_is_never_stored(make_app: MakeApp) -> None:
    """Somebody else's name must not put an error into a shared cache."""
    app = make_app(TRUSTED_HOSTS=["example.com"])
    answer = app.test_client().get("/", headers={"Host": "evil.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host", ["a b", "a@b", "a/b", "a?b", '"><script>', "a:b", "[::1", "a\\b", "a#b"]
)
@pytest.mark.parametrize("gateway", [False, True], ids=["bare", "gateway"])
def test_what_is_no_host_is_refused(host: str, *, gateway: bool, make_app: MakeApp) -> None:
    """Also where every name is answered (RFC 9112 section 3.2)."""
    app = make_app(EDGE_GATEWAY=gateway)
    answer = app.test_client().get("/", headers={"Host": host})
    assert (answer.status_code, answer.data) == (400, MALFORMED_HOST)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]:8000", "EXAMPLE.com:", "a-b.example.", "", "a_b"]
)
def test_every_host_is_answered_unless_told_otherwise(host: str, make_app: MakeApp) -> None:
    """Whatever a platform calls the site."""
    assert make_app().test_client().get("/robots.txt", headers={"Host": host}).status_code == 200
