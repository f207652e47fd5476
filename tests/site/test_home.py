from __future__ import annotations

from flask import Flask

from . import content
from .html import Page


def test_the_newest_article_leads(filled: Flask) -> None:
    """The front page begins with what is new and names the site."""
    html = filled.test_client().get("/").text
    assert html.index("Lanterns") < html.index("Plain") < html.index("Number 7")
    assert "The Gazette" in html
    assert "A draft" not in html


def test_a_new_article_shows_at_once(filled: Flask) -> None:
    """The next render of the front page has it."""
    client = filled.test_client()
    client.get("/")
    content.post("Brand new", at=content.day(99))
    assert "Brand new" in client.get("/").text


def test_the_menu_holds_pages_in_their_order(filled: Flask) -> None:
    """A page with a position stands in the menu, the others below everything."""
    links = Page(filled.test_client().get("/").text).links()
    assert links.count("/about") == 1
    assert links.index("/about") < links.index("/articles/lanterns") < links.index("/imprint")


def test_what_writers_write_is_escaped(app: Flask) -> None:
    """A title is text, never markup."""
    content.settings(title="A <b> & co")
    content.post("<script>alert(1)</script>", summary='"><img src=x>', topics=["<i>"])
    for path in ("/", "/articles/script-alert-1-script", "/archive/pages/1"):
        html = app.test_client().get(path).text
        assert "<script>alert" not in html
        assert "<img src=x" not in html
        assert "<i>" not in html
