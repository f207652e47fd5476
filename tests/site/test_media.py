from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.flask.deploy import release
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing.models import Media
from app.publishing.queries import articles
from app.publishing.transaction import transaction

from . import content
from .content import picture
from .html import Page


def test_a_file_is_served_for_ever(site_app: Flask) -> None:
    """Its address holds its digest, so it is immutable."""
    article = articles.by_slug("lanterns")
    assert article is not None
    assert article.cover is not None
    file = article.cover.files[0]
    db.session.remove()
    answer = site_app.test_client().get(file.path)
    assert answer.data == picture("Lanterns", 960)
    assert answer.content_type == "image/jpeg"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_deleted_image_leaves_the_edge(make_app: Callable[..., Flask]) -> None:
    """Whoever takes one down has reasons; a year is too long to wait for it."""
    app = make_app(EDGE_GATEWAY=True)
    cover = content.post("Lanterns", cover=True).cover
    assert cover is not None
    path, key = cover.files[0].path, cover.id
    db.session.remove()
    client = app.test_client()
    assert_miss(client.get(path))
    assert_hit(client.get(path))
    with transaction() as session:
        session.execute(sa.delete(Media).where(Media.id == key))
    db.session.remove()
    assert client.get(path).status_code == 404


def test_a_release_leaves_images_where_they_are(make_app: Callable[..., Flask]) -> None:
    """Their addresses say what they hold, whoever serves them."""
    app = make_app(EDGE_GATEWAY=True)
    cover = content.post("Lanterns", cover=True).cover
    assert cover is not None
    path = cover.files[0].path
    db.session.remove()
    client = app.test_client()
    client.get(path)
    parts = app.extensions["edge"].tracker.parts
    parts.code = replace(parts.code, platform="another python")
    parts.reset()
    release(app)
    db.session.remove()
    assert_hit(client.get(path))


WRONG = {
    "/media/00000000000000000000/a.jpg": 404,
    "/media/x/a.jpg": 404,
    "/media/a": 404,
    "/media/a%00b/c": 400,
}


@pytest.mark.parametrize(("path", "status"), WRONG.items())
def test_an_unknown_file_is_not_found(site_app: Flask, path: str, status: int) -> None:
    """A path with an unknown digest is a 404; one with a NUL is a malformed request."""
    assert site_app.test_client().get(path).status_code == status


def test_an_empty_digest_is_redirected_to_a_path_without_it(site_app: Flask) -> None:
    """Two slashes become one."""
    answer = site_app.test_client().get("/media//a")
    assert (answer.status_code, answer.location) == (301, "/media/a")


def test_a_cover_comes_in_widths_and_takes_its_place(site_app: Flask) -> None:
    """The browser chooses a width, and the page doesn't jump when it comes."""
    images = Page(site_app.test_client().get("/articles/lanterns").text).all("img")
    cover = images[0]
    assert " 960w" in cover["srcset"]
    assert " 1600w" in cover["srcset"]
    assert (cover["width"], cover["height"]) == ("1600", "900")
    assert cover["alt"] == "What the picture shows"
