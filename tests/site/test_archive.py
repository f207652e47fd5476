from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing.queries import archive

from . import content
from .html import Page


def test_the_overview_leads_to_years_and_pages(site_app: Flask) -> None:
    """Each year with its count, and every numbered page."""
    content.post("Old", at=content.START.replace(year=2019))
    html = site_app.test_client().get("/archive").text
    assert {"/archive/2024", "/archive/2019", "/archive/pages/1"} <= set(Page(html).links())
    assert "11 articles in 2 years" in html


def test_a_numbered_page_has_the_same_bytes_after_a_publish(app: Flask) -> None:
    """A full page that has a newer one never changes again by publishing."""
    for number in range(archive.PAGE_SIZE + 1):
        content.post(f"n{number}", at=content.day(number))
    before = app.test_client().get("/archive/pages/1").data
    content.post("later", at=content.day(500))
    assert app.test_client().get("/archive/pages/1").data == before


def test_a_year_lists_its_articles_by_month(site_app: Flask) -> None:
    """January stands below February."""
    content.post("In March", at=content.START.replace(month=3))
    html = site_app.test_client().get("/archive/2024").text
    assert html.index("March") < html.index("January")
    assert "/articles/plain" in Page(html).links()


WRONG = [
    "/archive/pages/0",
    "/archive/pages/-1",
    "/archive/pages/01",
    "/archive/pages/2",
    "/archive/pages/1000000000",
    "/archive/pages/99999999999999999999",
    "/archive/pages/x",
    "/archive/pages/1.0",
    "/archive/pages/1e3",
    "/archive/pages/%D9%A3",
    "/archive/1999",
    "/archive/0000",
    "/archive/9999",
    "/archive/02024",
    "/topics/harbour/pages/0",
    "/sitemaps/0.xml",
    "/sitemaps/1000000000.xml",
    "/api/posts/pages/0",
    "/api/posts/pages/1000000000",
]


@pytest.mark.parametrize("path", WRONG)
def test_a_number_that_is_none_is_not_found(site_app: Flask, path: str) -> None:
    """No number makes a second copy of a page, or an error."""
    assert site_app.test_client().get(path).status_code == 404


def test_publishing_leaves_what_is_older_at_the_edge(make_app: Callable[..., Flask]) -> None:
    """A list hears of what comes down to its last row, an article of its neighbours."""
    app = make_app(EDGE_GATEWAY=True)
    for number in range(archive.PAGE_SIZE + 1):
        content.post(f"Number {number}", at=content.day(number), topics=["Harbour"])
    db.session.remove()
    client = app.test_client()
    older = ("/archive/pages/1", "/topics/harbour/pages/1", "/articles/number-3")
    for path in ("/", *older):
        client.get(path)
    content.post("Newest", at=content.day(50), topics=["Harbour"])
    db.session.remove()
    assert_miss(client.get("/"))
    for path in older:
        assert_hit(client.get(path))
