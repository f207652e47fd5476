from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from app.publishing.queries import exports

from . import content

NAMES = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}


def locations(app: Flask, path: str) -> list[str]:
    """The paths that a sitemap lists."""
    answer = app.test_client().get(path)
    assert answer.content_type == "application/xml; charset=utf-8"
    root = ET.fromstring(answer.data)
    base = "http://127.0.0.1:8000"
    return [(loc.text or "").removeprefix(base) for loc in root.iterfind(".//s:loc", NAMES)]


def test_a_small_site_has_one_sitemap_of_everything(filled: Flask) -> None:
    """Pages, topics, authors and articles, and each address answers."""
    listed = locations(filled, "/sitemap.xml")
    assert {"/", "/about", "/topics/harbour", "/authors/ada", "/articles/lanterns"} <= set(listed)
    assert "/articles/a-draft" not in listed
    assert {filled.test_client().get(path).status_code for path in listed} == {200}


def test_a_large_site_has_an_index(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Articles are numbered from the oldest, so that full files stay."""
    monkeypatch.setattr(exports, "SITEMAP_SIZE", 2)
    for number in range(3):
        content.post(f"n{number}", at=content.day(number))
    assert locations(app, "/sitemap.xml") == [f"/sitemaps/{n}.xml" for n in (1, 2, 3)]
    assert "/archive" in locations(app, "/sitemaps/1.xml")
    assert locations(app, "/sitemaps/2.xml") == ["/articles/n0", "/articles/n1"]
    assert locations(app, "/sitemaps/3.xml") == ["/articles/n2"]
    assert app.test_client().get("/sitemaps/4.xml").status_code == 404


def test_robots_are_told_where_the_sitemap_is(app: Flask) -> None:
    """And what to leave alone."""
    answer = app.test_client().get("/robots.txt")
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in answer.text
    assert "Disallow: /search" in answer.text
