"""The guard of the studio: every route has a rule, and every POST is checked."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from app.private_paths import is_private
from app.publishing.models import Role
from app.publishing.permissions import Verb
from app.studio import csrf
from app.studio.csrf import Source, judge_source
from app.studio.roles import RULES, RouteRule

from .people import SAME_ORIGIN, add_person, count_logins, sign_in

SITE, HOST = "https://example.org", "example.org"
IDS = ("user_id", "login_id", "post_id", "copy_id", "fork_id", "link_id", "publication_id")
ROWS = ("author_id", "topic_id", "redirect_id")
NUMBERS = (*IDS, *ROWS, "number", "old", "new")
ARGUMENTS: dict[str, Any] = {"token": "0" * 64, **dict.fromkeys(NUMBERS, 99)}
"""The values of the variable parts of an address; nothing has these numbers."""


def studio_rules(app: Flask) -> list[Rule]:
    """Return the routes of the studio's blueprint."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("studio.")]


def posts(app: Flask) -> list[tuple[str, str]]:
    """Return endpoint and address of each route that accepts POST."""
    with app.test_request_context():
        return [
            (rule.endpoint, fill_in(rule))
            for rule in studio_rules(app)
            if "POST" in (rule.methods or ())
        ]


def fill_in(rule: Rule) -> str:
    """Return an address of the route."""
    values = {name: ARGUMENTS[name] for name in rule.arguments - set(rule.defaults or ())}
    address = rule.build({**values, **(rule.defaults or {})})
    assert address is not None
    return address[1]


def test_each_route_of_the_studio_has_a_rule_and_each_rule_a_route(app: Flask) -> None:
    """A view without a rule is refused; a rule without a view is forgotten."""
    assert {rule.endpoint for rule in studio_rules(app)} == set(RULES)


def test_each_path_of_the_blueprint_is_private(app: Flask) -> None:
    """No route of it stands outside the prefixes."""
    assert [rule.rule for rule in studio_rules(app) if not is_private(rule.rule)] == []


def test_only_these_routes_are_open() -> None:
    """Everything else needs a session."""
    endpoints = {endpoint for endpoint, rule in RULES.items() if rule.is_open}
    modules = {endpoint.split(".")[1] for endpoint in endpoints}
    assert modules == {"login", "setup", "links"}


def test_a_route_without_a_rule_is_refused(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Even for an owner: the log names the route."""
    browser = sign_in(app, add_person())
    monkeypatch.delitem(RULES, "studio.home.show")
    assert browser.get("/studio").status_code == 403
    assert "studio.home.show has no rule" in caplog.text


def test_an_open_rule_can_not_ask_for_a_role() -> None:
    """The two contradict each other."""
    with pytest.raises(ValueError, match="open"):
        RouteRule(is_open=True, verb=Verb.MANAGE_USERS)


def test_each_post_enforces_the_role(app: Flask) -> None:
    """Each role and each POST of the blueprint: 403 where the role does not allow the verb."""
    for role, (endpoint, path) in product(Role, posts(app)):
        rule = RULES[endpoint]
        if rule.is_open:
            continue
        email = f"{role}-{endpoint}@example.com"
        browser = sign_in(app, add_person(role, email=email))
        status = browser.post(path).status_code
        assert (status == 403) is not rule.allows(role), (role, endpoint, status)


def test_each_post_needs_a_session(app: Flask, client: FlaskClient) -> None:
    """Without one it is 401 and gives its fields back; open forms are shown again or missing."""
    for endpoint, path in posts(app):
        response = client.post(path, data={"body": "my text"}, headers=SAME_ORIGIN)
        if RULES[endpoint].is_open:
            assert response.status_code in {401, 404}, endpoint
        else:
            assert response.status_code == 401, endpoint
            assert "my text" in response.text


def test_each_post_needs_the_token(app: Flask) -> None:
    """The token of another session, an empty one and none are refused, with any headers."""
    browser, other = sign_in(app, add_person()), sign_in(app, add_person(Role.WRITER))
    for endpoint, path in posts(app):
        if RULES[endpoint].is_open:
            continue
        for token in (other.csrf, "", browser.csrf[:-1], browser.csrf.upper()):
            assert browser.post(path, {"csrf": token}).status_code == 403, endpoint
        assert browser.client.post(path, headers=SAME_ORIGIN).status_code == 403
    assert count_logins() == 2


def test_each_post_refuses_another_site(app: Flask) -> None:
    """Even with the right token: the browser says where the form stands."""
    browser = sign_in(app, add_person())
    foreign_headers = [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:9000"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ]
    for (endpoint, path), headers in product(posts(app), foreign_headers):
        assert browser.post(path, headers=headers).status_code == 403, (endpoint, headers)
    assert count_logins() == 1


def test_an_open_form_needs_a_known_origin(app: Flask, client: FlaskClient) -> None:
    """It has no token: without the headers that browsers send, it is refused."""
    add_person()
    data = {"email": "owner@example.com", "password": "x"}
    for headers in ({}, {"Origin": "null"}):
        assert client.post("/studio/login", data=data, headers=headers).status_code == 403
    response = client.post("/studio/login", data=data, headers={"Origin": "http://localhost"})
    assert response.status_code == 401


def test_the_token_alone_is_enough_for_a_browser_without_the_headers(app: Flask) -> None:
    """Plain HTTP, old browsers, and pages under `no-referrer`, which send `Origin: null`."""
    browser = sign_in(app, add_person())
    for headers in ({}, {"Origin": "null"}):
        response = browser.post("/studio/sessions/end-others", headers=headers)
        assert response.status_code == 303


def test_a_script_sends_the_token_in_a_header(app: Flask) -> None:
    """JSON bodies need it too."""
    browser = sign_in(app, add_person())
    path = "/studio/sessions/end-others"
    response = browser.client.post(path, json={}, headers=SAME_ORIGIN)
    assert (response.status_code, response.is_json) == (403, True)
    headers = {**SAME_ORIGIN, csrf.HEADER: browser.csrf}
    assert browser.client.post(path, json={}, headers=headers).status_code == 303


@pytest.mark.parametrize(
    ("fetch_site", "origin", "host", "trusted_hosts", "source"),
    [
        ("same-origin", None, HOST, None, Source.SAME_ORIGIN),
        ("same-origin", "null", "inner:8000", None, Source.SAME_ORIGIN),
        ("same-origin", "https://evil.example", HOST, None, Source.SAME_ORIGIN),
        ("cross-site", SITE, HOST, None, Source.OTHER_ORIGIN),
        ("same-site", SITE, HOST, None, Source.OTHER_ORIGIN),
        ("none", SITE, HOST, None, Source.OTHER_ORIGIN),
        ("", SITE, HOST, None, Source.OTHER_ORIGIN),
        (None, SITE, "inner:8000", None, Source.SAME_ORIGIN),
        (None, "http://inner:8000", "inner:8000", None, Source.SAME_ORIGIN),
        (None, "http://inner:9000", "inner:8000", None, Source.OTHER_ORIGIN),
        (None, "https://www.example.org", "inner", ["www.example.org"], Source.SAME_ORIGIN),
        (None, "https://evil.example", "inner", ["www.example.org"], Source.OTHER_ORIGIN),
        (None, "https://evil.example", HOST, None, Source.OTHER_ORIGIN),
        (None, "https://example.org.evil.example", HOST, None, Source.OTHER_ORIGIN),
        (None, "", HOST, None, Source.OTHER_ORIGIN),
        (None, "null", HOST, None, Source.UNKNOWN),
        (None, None, HOST, None, Source.UNKNOWN),
    ],
)
def test_the_source_of_a_request_is_judged_by_its_headers(
    fetch_site: str | None,
    origin: str | None,
    host: str,
    trusted_hosts: list[str] | None,
    source: Source,
) -> None:
    """Sec-Fetch-Site decides where a browser sends it; Origin comes second."""
    verdict = judge_source(
        fetch_site=fetch_site, origin=origin, host=host, site_url=SITE, trusted_hosts=trusted_hosts
    )
    assert verdict is source


def test_a_page_that_needs_proof_asks_for_the_password(app: Flask) -> None:
    """After fifteen minutes, for pages and for forms; forms keep their fields."""
    owner = add_person()
    browser = sign_in(app, owner, proof_age=timedelta(minutes=14))
    assert browser.get("/studio/users").status_code == 200
    browser = sign_in(app, owner, proof_age=timedelta(minutes=15))
    response = browser.get("/studio/users")
    assert response.headers["Location"] == "/studio/login?next=/studio/users"
    response = browser.post("/studio/users/invite", {"email": "new@example.com", "role": "writer"})
    assert response.status_code == 401
    assert 'value="owner@example.com"' in response.text
    assert "new@example.com" in response.text


def test_a_body_that_is_too_large_is_refused(app: Flask) -> None:
    """Text has at most four megabytes; the answer is 413 and private."""
    app.testing = False
    browser = sign_in(app, add_person())
    response = browser.post("/studio/logout", {"body": "x" * (5 * 1024 * 1024)})
    assert response.status_code == 413
    assert response.headers["Cache-Control"] == "private, no-store"
    assert count_logins() == 1


def test_pages_of_the_studio_have_strict_headers(app: Flask) -> None:
    """The site's policy against foreign code, and a referrer that stays on the site."""
    response = sign_in(app, add_person()).get("/studio/account")
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert " style=" not in response.text
    assert "<script>" not in response.text
