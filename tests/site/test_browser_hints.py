"""Headers that let browsers load files and pages early."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge import cached
from app.extensions import db
from app.site import policies

from .conftest import PATHS
from .html import Page

PAGES = [path for path in PATHS if path != "/nothing-here"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_what_it_loads_first_in_its_link_header(site_app: Flask, path: str) -> None:
    """The same URLs as in the page, so that nothing is loaded twice, and each of them exists."""
    client = site_app.test_client()
    response = client.get(path)
    urls = re.findall(r"<([^>]+)>; rel=preload; as=(?:style|font)", response.headers["Link"])
    assert len(urls) == 3
    assert set(urls) <= {link["href"] for link in Page(response.text).all("link")}
    assert [client.get(url).status_code for url in urls] == [200, 200, 200]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_names_its_speculation_rules(site_app: Flask, path: str) -> None:
    """A browser ignores the file if its media type is another one."""
    client = site_app.test_client()
    url = client.get(path).headers["Speculation-Rules"].strip('"')
    rules = client.get(url)
    assert rules.content_type == "application/speculationrules+json"
    assert "immutable" in rules.headers["Cache-Control"]
    assert rules.json is not None
    assert rules.json["prefetch"][0]["eagerness"] == "moderate"


def test_a_page_depends_on_the_file_of_its_speculation_rules(
    make_app: Callable[..., Flask],
) -> None:
    """A release that changes the file purges the pages, whose header has its fingerprint."""
    app = make_app(EDGE_GATEWAY=True)
    app.add_url_rule("/hinted", endpoint="site.robots.hinted", view_func=render_nothing)
    assert "Speculation-Rules" in app.test_client().get("/hinted").headers
    with db.engine.connect() as connection:
        names = connection.scalars(sa.text("SELECT name FROM edge_part")).all()
    assert any("site.speculationrules" in name for name in names)


@cached(policies.PAGE)
def render_nothing() -> str:
    """Return a page that is made without a template, so that only the headers use files."""
    return "<!doctype html><title>Nothing</title>"


@pytest.mark.parametrize(
    "path", ["/nothing-here", "/feed.xml", "/robots.txt", "/articles/lanterns/"]
)
def test_errors_feeds_and_redirects_have_no_hints(site_app: Flask, path: str) -> None:
    """They show no page that could load something."""
    headers = site_app.test_client().get(path).headers
    assert "Speculation-Rules" not in headers
    assert "rel=preload" not in headers.get("Link", "")
