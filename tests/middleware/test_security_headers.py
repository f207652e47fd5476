from __future__ import annotations

import socket
import timeit
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import Client

from app import create_app
from app.middleware.security_headers import ALWAYS, SecurityHeaders, missing_headers
from tests.live.gunicorn import Serve

STATUSES = ["200 OK", "301 MOVED PERMANENTLY", "304 NOT MODIFIED", "404 NOT FOUND", "500 ERROR"]


@pytest.mark.parametrize("status", STATUSES)
def test_every_response_gets_the_headers(status: str) -> None:
    """Whatever it says, and whoever made it."""
    headers = dict(missing_headers(status, [("Content-Type", "text/html")], secure=False))
    assert headers.items() >= dict(ALWAYS).items()


def test_what_a_view_has_set_stands() -> None:
    """In any spelling of the name, and every other header is as it was."""
    headers = [("content-security-policy", "default-src 'self'"), ("ETag", '"a"')]
    missing = missing_headers("200 OK", headers, secure=True)
    assert "Content-Security-Policy" not in dict(missing)
    assert headers == [("content-security-policy", "default-src 'self'"), ("ETag", '"a"')]


def test_nothing_inline_and_nothing_foreign_is_allowed() -> None:
    """The policy has no hole in it, and lets the search form work."""
    policy = dict(ALWAYS)["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert "unsafe" not in policy
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["form-action"] == "'self'"
    assert {source for rule in rules.values() for source in rule.split()} == {
        "'none'",
        "'self'",
        "data:",
    }


@pytest.mark.parametrize(
    ("policies", "option"),
    [
        ([], "DENY"),
        (["frame-ancestors 'none'"], "DENY"),
        (["default-src 'self'; FRAME-ANCESTORS 'SELF'"], "SAMEORIGIN"),
        (["default-src 'self'; frame-ancestors"], "DENY"),
        (["frame-ancestors 'self'; frame-ancestors 'none'"], "SAMEORIGIN"),
        (["frame-ancestors 'self'", "frame-ancestors 'none'"], "DENY"),
        (["frame-ancestors 'self', frame-ancestors https://a.example"], "SAMEORIGIN"),
        (["frame-ancestors 'self' https://a.example"], None),
        (["frame-ancestors *"], None),
        (["default-src 'none'"], None),
    ],
)
def test_frame_options_say_what_frame_ancestors_says(
    policies: list[str], option: str | None
) -> None:
    """For browsers that don't know the directive; what they can't say is left out."""
    headers = [("Content-security-policy", policy) for policy in policies]
    added = missing_headers("200 OK", headers, secure=False)
    assert dict(added).get("X-Frame-Options") == option
    own = [*headers, ("x-frame-options", "SAMEORIGIN")]
    assert "X-Frame-Options" not in dict(missing_headers("200 OK", own, secure=False))


def test_a_view_that_may_be_framed_by_its_own_site_says_so_twice(app: Flask) -> None:
    """On a page that is stored as well."""
    policy = {"Content-Security-Policy": "frame-ancestors 'self'", "Cache-Control": "max-age=60"}
    app.add_url_rule("/framed", view_func=lambda: ("hi", policy))
    for _ in range(2):
        answer = app.test_client().get("/framed")
        assert answer.headers.getlist("X-Frame-Options") == ["SAMEORIGIN"]


@pytest.mark.parametrize(
    ("subdomains", "value"),
    [(False, "max-age=31536000"), (True, "max-age=31536000; includeSubDomains")],
)
def test_subdomains_are_included_on_request(
    make_app: Callable[..., Flask], *, subdomains: bool, value: str
) -> None:
    """A setting, since it breaks every subdomain that has no certificate; the audit expects it."""
    app = make_app(HSTS_INCLUDE_SUBDOMAINS=subdomains)
    answer = app.test_client().get("/healthz", base_url="https://localhost")
    assert answer.headers["Strict-Transport-Security"] == value
    profile = app.extensions["edge"].site_profile
    assert profile.https_headers == (("Strict-Transport-Security", value),)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/html; charset=utf-8", "same-origin"),
        ("application/json", "same-origin"),
        ("image/webp", "cross-origin"),
        ("application/atom+xml; charset=utf-8", "cross-origin"),
        ("application/feed+json", "cross-origin"),
    ],
)
def test_feeds_and_pictures_may_be_read_elsewhere(content_type: str, expected: str) -> None:
    """A feed reader shows our pictures on its own pages; nothing else is embedded."""
    headers = dict(missing_headers("200 OK", [("Content-Type", content_type)], secure=False))
    assert headers["Cross-Origin-Resource-Policy"] == expected


def test_a_304_does_not_change_who_may_embed() -> None:
    """It names no type, and its headers replace the stored ones."""
    headers = dict(missing_headers("304 NOT MODIFIED", [], secure=False))
    assert "Cross-Origin-Resource-Policy" not in headers


@pytest.mark.parametrize(
    ("proxies", "headers", "secure"),
    [
        (0, {}, False),
        (0, {"X-Forwarded-Proto": "https"}, False),
        (1, {"X-Forwarded-Proto": "https"}, True),
        (1, {"X-Forwarded-Proto": "http"}, False),
        (1, {"X-Forwarded-Proto": "https, http"}, False),
        (2, {"X-Forwarded-Proto": "https, http"}, True),
        (2, {"X-Forwarded-Proto": "https"}, True),
        (2, {"X-Forwarded-Proto": "http"}, False),
        (2, {"X-Forwarded-Proto": "https, http, http"}, False),
        (2, {"X-Forwarded-Proto": "javascript"}, False),
        (2, {"X-Forwarded-Proto": ", HTTPS"}, True),
    ],
)
def test_https_is_demanded_from_those_who_came_by_it(
    proxies: int, headers: dict[str, str], *, secure: bool, tmp_path: Path
) -> None:
    """A proxy of ours says so; a reader's own word does not count."""
    own = {"INSTANCE": str(tmp_path), "SECRET_KEY": "x", "EDGE_RELAY": False}
    app = create_app({**own, "PROXIES": proxies})
    answer = app.test_client().get("/healthz", headers=headers)
    hsts = answer.headers.get("Strict-Transport-Security")
    assert hsts == ("max-age=31536000" if secure else None)


def test_no_proxy_chooses_the_host_or_the_prefix(make_app: Callable[..., Flask]) -> None:
    """A page that is shared must not be built from what one reader sent."""
    app = make_app(PROXIES=1)
    app.add_url_rule("/asked", view_func=lambda: request.url)
    headers = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/evil"}
    headers["X-Forwarded-Port"] = "666"
    assert app.test_client().get("/asked", headers=headers).text == "http://localhost/asked"


def test_a_crash_gets_the_headers_too(app: Flask) -> None:
    """The 500 that Flask makes."""
    app.testing = False
    app.add_url_rule("/crash", view_func=lambda: str(1 // 0))
    answer = app.test_client().get("/crash")
    assert answer.status_code == 500
    assert dict(answer.headers).items() >= dict(ALWAYS).items()


def test_a_redirect_and_a_404_get_the_headers(client: FlaskClient, app: Flask) -> None:
    """What Werkzeug answers by itself is not forgotten."""
    app.add_url_rule("/folder/", view_func=lambda: "")
    for path, status in (("/folder", 308), ("/no/such/page", 404)):
        answer = client.get(path)
        assert answer.status_code == status
        assert dict(answer.headers).items() >= dict(ALWAYS).items()


def test_the_list_of_an_inner_layer_is_not_changed() -> None:
    """A cache hands out the headers that it has stored: adding to them would add them twice."""
    stored = [("Content-Type", "text/plain")]

    def cache(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", stored)
        return [b""]

    client = Client(SecurityHeaders(cache), Response)
    first, second = client.get("/").headers, client.get("/").headers
    assert stored == [("Content-Type", "text/plain")]
    assert list(first) == list(second)


def test_the_headers_cost_microseconds() -> None:
    """A hit of the gateway must not be slowed by them."""
    headers = [(f"X-{number}", "value") for number in range(10)]
    best = min(
        timeit.repeat(
            lambda: missing_headers("200 OK", headers, secure=True), number=1000, repeat=5
        )
    )
    assert best / 1000 < 50e-6


HOSTILE = (
    "SCRIPT_NAME: /evil",
    "Script_Name: /evil",
    "PATH_INFO: /evil",
    "X_Forwarded_Proto: https",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Ssl: on",
)


@pytest.mark.live
@pytest.mark.parametrize("trusting", ["", "*"], ids=["as is", "FORWARDED_ALLOW_IPS=*"])
def test_no_request_header_chooses_the_path_or_the_scheme(serve: Serve, trusting: str) -> None:
    """Not even from loopback, and not when the platform tells gunicorn to trust everybody."""
    started = serve(FORWARDED_ALLOW_IPS=trusting)
    for header in HOSTILE:
        with socket.create_connection(("127.0.0.1", started.port), timeout=10) as connection:
            request = f"GET /healthz HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n"
            connection.sendall(request.encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK"), header
        assert b"strict-transport-security" not in answer.lower(), header
