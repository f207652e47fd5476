from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from app.middleware.trusted_hosts import MALFORMED_HOST

MakeApp = Callable[..., Flask]


@pytest.mark.parametrize(
    ("trusted_hosts", "host", "is_answered"),
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
    trusted_hosts: list[str] | None,
    host: str,
    *,
    is_answered: bool,
    gateway: bool,
    make_app: MakeApp,
) -> None:
    """In any case, with any port; a leading dot stands for what is below; so is SITE_URL's own."""
    site = {"SITE_URL": "https://site.example", "EDGE_GATEWAY": gateway}
    app = make_app(TRUSTED_HOSTS=trusted_hosts, **site)
    app.add_url_rule("/asked", view_func=lambda: "answered")
    answer = app.test_client().get("/asked", headers={"Host": host})
    assert answer.text == (
        "answered" if is_answered else "This site is not served under that name.\n"
    )
    assert answer.status_code == (200 if is_answered else 400)


def test_a_refusal_is_never_stored(make_app: MakeApp) -> None:
    """Somebody else's name must not put an error into a shared cache."""
    app = make_app(TRUSTED_HOSTS=["example.com"])
    answer = app.test_client().get("/", headers={"Host": "evil.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "host",
    [
        "a b",
        "a@b",
        "a,b",
        "a:99999",
        "a%zz",
        "a/b",
        "a?b",
        '"><script>',
        "a:b",
        "[::1",
        "a\\b",
        "a#b",
    ],
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


TARGETS = {
    "another host": ("http://evil.example/asked", "example.com", 400),
    "our host": ("http://example.com/asked", "evil.example", 200),
    "our host in capitals": ("HTTP://EXAMPLE.com:80/asked", "example.com", 200),
    "no host": ("http://a b/asked", "example.com", 400),
    "a Host that is none": ("http://example.com/asked", "a b", 400),
    "a URL in the path": ("/http://evil.example/asked", "example.com", 301),
}


@pytest.mark.parametrize(("target", "host", "status"), TARGETS.values(), ids=TARGETS)
def test_the_host_of_an_absolute_target_replaces_the_header(
    target: str, host: str, status: int, make_app: MakeApp
) -> None:
    """RFC 9112 section 3.2.2: whoever names two hosts is taken at the target's word."""
    app = make_app(TRUSTED_HOSTS=["example.com"], EDGE_GATEWAY=False)
    app.add_url_rule("/asked", view_func=lambda: "answered")
    environ = {"RAW_URI": target, "REQUEST_URI": target}
    answer = app.test_client().get("/asked", headers={"Host": host}, environ_overrides=environ)
    assert answer.status_code == status
