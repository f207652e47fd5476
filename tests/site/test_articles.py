from __future__ import annotations

import json
import re

from flask import Flask

from app.publishing.transaction import transaction

from . import content
from .html import Page


def test_an_article_shows_its_text_authors_and_date(site_app: Flask) -> None:
    """Everything that a reader wants to know of it."""
    html = site_app.test_client().get("/articles/lanterns").text
    for text in ("A text with a note", "Ada", "Ben", "31 January 2024", "2 min read", "Harbour"):
        assert text in html


def test_an_article_leads_to_its_neighbours_and_its_topic(site_app: Flask) -> None:
    """Before it, after it, and earlier ones of its first topic."""
    links = Page(site_app.test_client().get("/articles/number-3").text).links()
    assert "/articles/number-2" in links
    assert "/articles/number-4" in links
    assert "/articles/number-1" in links
    assert "/articles/number-5" not in links


def test_an_article_has_structured_data(site_app: Flask) -> None:
    """Search engines read it as JSON-LD, with absolute addresses."""
    html = site_app.test_client().get("/articles/lanterns").text
    match = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert match is not None
    data = json.loads(match[1])
    assert data["headline"] == "Lanterns"
    assert data["url"] == "http://127.0.0.1:8000/articles/lanterns"
    assert data["image"].startswith("http://127.0.0.1:8000/media/")
    assert [author["name"] for author in data["author"]] == ["Ada", "Ben"]


def test_an_article_has_open_graph(site_app: Flask) -> None:
    """What a messenger shows of it."""
    metas = Page(site_app.test_client().get("/articles/lanterns").text).all("meta")
    graph = {meta["property"]: meta["content"] for meta in metas if "property" in meta}
    assert graph["og:type"] == "article"
    assert graph["og:title"] == "Lanterns"
    assert graph["og:url"] == "http://127.0.0.1:8000/articles/lanterns"
    assert graph["article:published_time"] == "2024-01-31T09:00:00+00:00"


def test_a_summary_that_repeats_the_text_is_left_out(app: Flask) -> None:
    """A summary that was made of the first words is not shown above them."""
    body = "<p>It was a bright cold day in April, and the clocks were striking thirteen.</p>"
    content.post("A", summary="It was a bright cold day in April, and the clocks…", body=body)
    content.post("B", summary="A novel begins.", body=body)
    client = app.test_client()
    assert 'class="standfirst"' not in client.get("/articles/a").text
    assert 'class="standfirst"' in client.get("/articles/b").text


def test_a_later_change_is_told(app: Flask) -> None:
    """A text that was changed on another day says so."""
    article = content.post("A")
    assert "Changed on" not in app.test_client().get("/articles/a").text
    with transaction() as session:
        session.merge(article).updated_at = content.day(40)
    assert "10 February 2024" in app.test_client().get("/articles/a").text


def test_the_same_article_has_the_same_etag_and_gives_304(site_app: Flask) -> None:
    """A reader who has the page is told so."""
    client = site_app.test_client()
    tag = client.get("/articles/lanterns").headers["ETag"]
    assert not tag.startswith("W/")
    second = client.get("/articles/lanterns", headers={"If-None-Match": tag})
    assert (second.status_code, second.data) == (304, b"")
