"""Posts in Markdown, and llms.txt."""

from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.models import Status

from . import content
from .html import Page


@pytest.mark.parametrize("path", ["/articles/lanterns", "/about"])
def test_a_post_has_its_source_at_its_own_url(site_app: Flask, path: str) -> None:
    """Its page links to the file, and the file names the page as its canonical URL."""
    client = site_app.test_client()
    links = Page(client.get(path).text).all("link")
    (href,) = [link["href"] for link in links if link.get("type") == "text/markdown"]
    assert href == f"{path}.md"
    answer = client.get(href)
    assert answer.status_code == 200
    assert answer.content_type == "text/markdown; charset=utf-8"
    assert answer.headers["Link"] == f'<http://127.0.0.1:8000{path}>; rel="canonical"'
    assert "max-age" in answer.headers["Cache-Control"]
    assert "Accept" not in [name.strip() for name in answer.headers.get("Vary", "").split(",")]


def test_a_request_for_markdown_still_gets_the_page(site_app: Flask) -> None:
    """There is no content negotiation: a URL has one representation."""
    answer = site_app.test_client().get("/articles/lanterns", headers={"Accept": "text/markdown"})
    assert answer.content_type == "text/html; charset=utf-8"


MISSING = ["/articles/a-draft.md", "/articles/none.md", "/none.md", "/lanterns.md"]


@pytest.mark.parametrize("path", MISSING)
def test_only_a_public_post_has_a_markdown_file(site_app: Flask, path: str) -> None:
    """A draft, an unknown slug and an article at a page's path have none."""
    assert site_app.test_client().get(path).status_code == 404


def test_llms_txt_lists_what_is_public(site_app: Flask) -> None:
    """Each link of it is answered."""
    client = site_app.test_client()
    answer = client.get("/llms.txt")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.text.startswith("# The Gazette\n\n> A paper.\n")
    assert "- [Lanterns](http://127.0.0.1:8000/articles/lanterns.md): What it says." in answer.text
    assert "draft" not in answer.text
    content.post("Hidden", status=Status.DRAFT)
    assert client.get("/llms.txt").data == answer.data
