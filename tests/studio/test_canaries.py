"""Canaries: secrets of the studio, searched in everything that is public.

Public bytes are the same for an anonymous browser and for one that is logged in. No secret is in a
public body, a header, the log or a table of the edge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.publishing.models import Kind, Role
from app.publishing.permissions import SYSTEM
from app.studio import accounts, csrf, sessions, setup
from app.studio.tokens import hash_token
from tests.site import content

from .people import PASSWORD, add_person, find_session_cookie, log_in, sign_in
from .test_setup import NEW_PASSWORD, now, send

EMAIL = "canary-email@example.com"
NAME = "Canary Name"
PAGES = (
    *("/", "/articles/lanterns", "/about", "/archive", "/topics", "/authors", "/feed.xml"),
    *("/feed.json", "/search?q=text", "/nothing-here", "/old", "/robots.txt", "/sitemap.xml"),
    *("/api/posts", "/static/css/site.css"),
)
HOP = {"Date", "Age", "Expires", "Cache-Status"}
"""Headers that differ from one request to the next."""


@pytest.fixture
def gated(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    """A site behind its gateway, with something on each kind of page."""
    app = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"))
    content.settings()
    content.post("Lanterns", topics=["Light"], authors=["Ada"])
    content.post("About", kind=Kind.PAGE)
    content.old_path("/old", to="/archive")
    return app


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """The log with everything in it."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


def fetch(client: FlaskClient, path: str) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of a page."""
    response = client.get(path)
    headers = {name: value for name, value in response.headers if name not in HOP}
    return response.status_code, response.data, headers


def edge_rows() -> str:
    """Return every row of the edge's tables as text."""
    db.session.rollback()
    with db.engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        rows = [
            tuple(row)
            for table in tables.sorted_tables
            if table.name.startswith("edge_")
            for row in connection.execute(sa.select(table))
        ]
    return repr(rows)


def use_the_studio(app: Flask) -> tuple[FlaskClient, set[str]]:
    """Do all that the studio can; return the owner's browser and every secret of it."""
    setup_token = str(setup.find_setup_url()).rpartition("/")[2]
    owner = app.test_client()
    owner.get(f"/studio/setup/{setup_token}")
    send(owner, f"/studio/setup/{setup_token}", name=NAME, email=EMAIL, **NEW_PASSWORD)
    log_in(owner, EMAIL, "canary-wrong-password")
    log_in(owner, EMAIL)
    token = find_session_cookie(owner)
    assert token
    invitation = accounts.invite("canary-guest@example.com", Role.WRITER, now=now(), actor=SYSTEM)
    owner.get(f"/studio/invite/{invitation}")
    writer = add_person(Role.WRITER, email="canary-writer@example.com")
    reset = accounts.make_reset_link(writer.user_id or 0, now=now(), actor=SYSTEM)
    owner.get(f"/studio/reset/{reset}")
    for path in ("/studio", "/studio/users", "/studio/account", "/studio/none", "/studio/Users"):
        owner.get(path)
    secrets = {setup_token, token, invitation, reset, csrf.token_of(hash_token(token))}
    secrets |= {hash_token(token), EMAIL, NAME, PASSWORD, "canary"}
    return owner, secrets


def test_public_bytes_never_depend_on_the_session(gated: Flask) -> None:
    """A browser that sends its session with every request gets the same pages as all others."""
    browser = sign_in(gated, add_person(email=EMAIL, name=NAME))
    name = sessions.cookie_name("studio", secure=False)
    for client in (browser.client, stray := gated.test_client()):
        client.set_cookie(name, browser.token, path="/")  # as if the path were another one
    anonymous = gated.test_client(use_cookies=False)
    for path in PAGES:
        public_page = fetch(anonymous, path)
        assert fetch(browser.client, path) == fetch(stray, path) == public_page, path
        assert fetch(anonymous, path) == public_page, path


def test_no_secret_is_public(gated: Flask, log: pytest.LogCaptureFixture) -> None:
    """Neither in a page that is fetched before, during or after, nor in the log or the index."""
    before = {path: fetch(gated.test_client(), path) for path in PAGES}
    owner, secrets = use_the_studio(gated)
    assert find_session_cookie(owner)
    for path in PAGES:
        status, body, headers = fetch(owner, path)
        text = body.decode(errors="replace") + repr(headers)
        assert [secret for secret in secrets if secret in text] == [], path
        assert (status, body, headers) == before[path], path
    rows = edge_rows()
    assert [secret for secret in secrets if secret in rows] == []
    records = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in log.records)
    assert [secret for secret in secrets if secret in records] == []


def test_the_studio_purges_nothing(gated: Flask) -> None:
    """A log-in, an invitation and a new session write no row to the change log."""
    count = sa.text("SELECT count(*) FROM edge_change")
    before = db.session.scalar(count)
    db.session.rollback()
    use_the_studio(gated)
    assert db.session.scalar(count) == before
