from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing.models import Post
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


def test_related_articles_of_an_article_without_topics_are_refreshed_exactly(
    make_app: Callable[..., Flask],
) -> None:
    """A changed title of a related article refreshes the page; that of a farther one does not."""
    app = make_app(EDGE_GATEWAY=True)
    for number in range(7):
        content.post(f"N{number}", at=content.day(number), authors=["Ada"])
        content.post(f"M{number}", at=content.day(10 + number))
    db.session.remove()
    client = app.test_client()
    for path, farther, nearer in (
        ("/articles/n5", "n1", "n3"),
        ("/articles/m6", "m1", "m2"),
    ):
        client.get(path)
        retitle(farther)
        assert_hit(client.get(path))
        retitle(nearer)
        page = client.get(path)
        assert_miss(page)
        assert f"Another {nearer}" in page.text
    assert "Earlier by" in client.get("/articles/n5").text
    assert "Earlier articles" in client.get("/articles/m6").text


def retitle(slug: str) -> None:
    """Give a post another title."""
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == slug).values(title=f"Another {slug}"))
    db.session.remove()


@pytest.mark.parametrize(("sections", "levels"), [(10, {"2", "3"}), (11, {"2"})])
def test_a_long_contents_list_has_the_second_level_only(
    app: Flask, sections: int, levels: set[str]
) -> None:
    """Twenty headings are listed with their third level, more are not."""
    with transaction() as session:
        entries = [
            {"level": level, "id": f"h{level}-{number}", "text": "A", "html": "<code>A</code>"}
            for number in range(sections)
            for level in (2, 3)
        ]
        session.merge(content.post("A")).contents = entries
    html = app.test_client().get("/articles/a").text
    assert set(re.findall(r'<li class="level-(\d)">', html)) == levels
    assert "<code>A</code></a>" in html


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
