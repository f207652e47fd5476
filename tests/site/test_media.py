from __future__ import annotations

import pytest
from flask import Flask

from app.publishing.queries import articles

from .content import picture
from .html import Page


def test_a_file_is_served_for_ever(shown: Flask) -> None:
    """Its address holds its digest, so it is immutable."""
    article = articles.by_slug("lanterns")
    assert article is not None
    assert article.cover is not None
    file = article.cover.files[0]
    answer = shown.test_client().get(file.path)
    assert answer.data == picture("Lanterns", 960)
    assert answer.content_type == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]


WRONG = ["/media/00000000000000000000/a.jpg", "/media/x/a.jpg", "/media/a%00b/c", "/media//a"]


@pytest.mark.parametrize("path", WRONG)
def test_an_unknown_file_is_not_found(shown: Flask, path: str) -> None:
    """No digest, no file."""
    assert shown.test_client().get(path).status_code in {400, 404, 301}


def test_a_cover_comes_in_widths_and_takes_its_place(shown: Flask) -> None:
    """The browser chooses a width, and the page doesn't jump when it comes."""
    images = Page(shown.test_client().get("/articles/lanterns").text).all("img")
    cover = images[0]
    assert " 960w" in cover["srcset"]
    assert " 1600w" in cover["srcset"]
    assert (cover["width"], cover["height"]) == ("1600", "900")
    assert cover["alt"] == "What the picture shows"
