from __future__ import annotations

import sqlite3
import urllib.request
from contextlib import closing

import psycopg
import pytest
from flask import Flask
from playwright.sync_api import Browser
from pytest_httpserver import HTTPServer

from app.extensions import db
from app.publishing.models import Topic
from app.publishing.transaction import transaction

from .gunicorn import Serve
from .live_site import eventually
from .nginx import StartNginx
from .postgres import Postgres
from .varnish import StartVarnish

pytestmark = pytest.mark.live


def fetch_text(url: str) -> str:
    """What a URL answers."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body.decode()


def test_each_database_of_a_test_is_its_own(postgres: Postgres, postgres_url: str) -> None:
    """What one test writes, another does not see."""
    other = postgres.create()
    with psycopg.connect(postgres_url) as connection:
        connection.execute("INSERT INTO topic (slug, name, description) VALUES ('a', 'A', '')")
    with psycopg.connect(other) as connection:
        table = connection.execute("SELECT to_regclass('topic')").fetchone()
    postgres.drop(other)
    assert table == (None,)


def test_an_app_writes_and_reads_on_both_databases(any_app: Flask) -> None:
    """The same code serves both."""
    with transaction() as session:
        session.add(Topic(slug="a", name="A"))
    assert db.session.query(Topic).one().name == "A"


def test_a_varnish_starts_in_front_of_an_origin(
    varnish: StartVarnish, httpserver: HTTPServer
) -> None:
    """It answers with what the origin said."""
    httpserver.expect_request("/").respond_with_data("from the origin")
    vcl = f'vcl 4.1; backend default {{ .host = "127.0.0.1"; .port = "{httpserver.port}"; }}'
    assert fetch_text(varnish(vcl).url) == "from the origin"


def test_an_nginx_starts_in_front_of_an_origin(nginx: StartNginx, httpserver: HTTPServer) -> None:
    """It answers with what the origin said."""
    httpserver.expect_request("/").respond_with_data("from the origin")
    started = nginx(f"location / {{ proxy_pass http://127.0.0.1:{httpserver.port}; }}")
    assert fetch_text(started.url) == "from the origin"


def test_a_chromium_opens_a_page(chromium: Browser, httpserver: HTTPServer) -> None:
    """It renders what it was sent."""
    page = "<!doctype html><title>A page</title>"
    httpserver.expect_request("/").respond_with_data(page, content_type="text/html")
    opened = chromium.new_page()
    opened.goto(httpserver.url_for("/"))
    assert opened.title() == "A page"


def test_the_site_starts_on_gunicorn(serve: Serve) -> None:
    """It says that it is ready."""
    assert fetch_text(f"{serve().url}/readyz") == '{"status": "ok"}\n'


def test_a_server_relays_before_anybody_asks_it(serve: Serve) -> None:
    """Behind a CDN that answers everything it may be long until somebody does."""
    started = serve()
    (database,) = started.log.parent.glob("instance-*/broadsheet.db")

    def heard_of() -> bool:
        with closing(sqlite3.connect(database)) as connection:
            row = connection.execute("SELECT max(seen_at) > 0 FROM edge_tier").fetchone()
            return bool(row == (1,))

    assert eventually(heard_of)
