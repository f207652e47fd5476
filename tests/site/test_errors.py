from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from app.edge.testing import assert_hit
from app.extensions import db
from app.publishing.models import Status

from . import content
from .html import problems


def test_not_found_shows_a_way_on(site_app: Flask) -> None:
    """A search form and what is new, with the status that programs read."""
    answer = site_app.test_client().get("/nothing/here")
    assert answer.status_code == 404
    assert 'role="search"' in answer.text
    assert "Lanterns" in answer.text


def test_an_old_address_leads_to_the_new_one(site_app: Flask) -> None:
    """In one redirect, whatever its case and with or without a slash."""
    content.old_path("/2015/05/old.html", to=content.post("New"))
    client = site_app.test_client()
    for path in ("/2015/05/old.html", "/2015/05/Old.HTML", "/2015/05/old.html/"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (301, "/articles/new")


def test_an_old_address_of_a_hidden_post_is_not_found(app: Flask) -> None:
    """A redirect does not tell that there is a draft."""
    content.old_path("/old", to=content.post("Draft", status=Status.DRAFT))
    assert app.test_client().get("/old").status_code == 404


def test_a_new_post_leaves_what_is_not_there_at_the_edge(make_app: Callable[..., Flask]) -> None:
    """There is no end of addresses that don't exist; only one that leads to the post is its own."""
    client = make_app(EDGE_GATEWAY=True).test_client()
    client.get("/nothing/here")
    content.post("Draft", status=Status.DRAFT)
    db.session.remove()
    assert_hit(client.get("/nothing/here"))


REDIRECTED = [
    ("/topics/", "/topics"),
    ("/Topics", "/topics"),
    ("/TOPICS/HARBOUR/", "/topics/harbour"),
    ("/articles/Lanterns", "/articles/lanterns"),
    ("/articles/lanterns/", "/articles/lanterns"),
    ("/articles", "/archive"),
    ("/feed", "/feed.xml"),
    ("/feed/", "/feed.xml"),
    ("/RSS.xml", "/feed.xml"),
    ("//topics", "/topics"),
    ("/topics//harbour", "/topics/harbour"),
    ("/./topics", "/topics"),
    ("//about", "/about"),
    ("/archive/pages/1/", "/archive/pages/1"),
]


@pytest.mark.parametrize(("path", "to"), REDIRECTED)
def test_a_wrong_spelling_is_one_redirect(site_app: Flask, path: str, to: str) -> None:
    """To a path on this host, which then answers."""
    client = site_app.test_client()
    answer = client.get("/", environ_overrides={"RAW_URI": path, "PATH_INFO": path})
    assert (answer.status_code, answer.location) == (301, to)
    assert client.get(to).status_code == 200


REFUSED = [
    ("/%2f", 404),
    ("/articles%2flanterns", 404),
    ("/articles/%00", 400),
    ("/articles/lanterns%00", 400),
    ("/\\evil.com", 404),
    ("/%5cevil.com", 404),
    ("/articles/lanterns;a=1", 404),
    ("/articles/lanterns.", 404),
    ("/articles/-lanterns", 404),
    ("/articles/lan terns", 400),
    ("/%ff", 400),
    ("/about/more", 404),
    ("/nothing.php?a=b", 404),
]


@pytest.mark.parametrize(("path", "status"), REFUSED)
def test_a_wrong_address_is_never_a_second_copy(site_app: Flask, path: str, status: int) -> None:
    """A malformed address is a 400, and one that names no page is a 404."""
    answer = site_app.test_client().get(path, environ_overrides={"RAW_URI": path})
    assert answer.status_code == status
    assert answer.location is None


REDIRECTED_TO_NOTHING = [
    ("//evil.com", "/evil.com"),
    ("//evil.com/", "/evil.com/"),
    ("///evil.com", "/evil.com"),
    ("/é", "/%C3%A9"),
]


@pytest.mark.parametrize(("path", "location"), REDIRECTED_TO_NOTHING)
def test_a_wrong_spelling_of_no_page_is_redirected_to_a_404(
    site_app: Flask, path: str, location: str
) -> None:
    """The redirect leads to a path on this host, where nothing is found."""
    raw = path.encode().decode("latin-1")
    client = site_app.test_client()
    answer = client.get(path, environ_overrides={"RAW_URI": raw})
    assert (answer.status_code, answer.location) == (301, location)
    assert client.get(location).status_code == 404


def test_without_the_raw_target_a_double_slash_is_no_copy_either(site_app: Flask) -> None:
    """A server that doesn't hand over the target hands over a path."""
    answer = site_app.test_client().get(
        "/", environ_overrides={"PATH_INFO": "//topics", "RAW_URI": "", "REQUEST_URI": ""}
    )
    assert (answer.status_code, answer.location) == (301, "/topics")


def test_a_method_that_is_not_allowed_says_which_are(site_app: Flask) -> None:
    """With a page that needs no database, and nobody stores it."""
    answer = site_app.test_client().post("/topics")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert problems(answer.text) == []


def test_a_broken_database_is_a_page_that_needs_none(
    site_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a 500 is made without a statement, and nobody stores it."""
    site_app.testing = False
    site_app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(db.session, "scalars", fail)
    monkeypatch.setattr(db.session, "scalar", fail)
    monkeypatch.setattr(db.session, "execute", fail)
    answer = site_app.test_client().get("/topics")
    assert answer.status_code == 500
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Something broke on our side" in answer.text
    assert "the database is gone" not in answer.text
    assert problems(answer.text) == []
