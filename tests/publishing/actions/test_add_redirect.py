from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Post, Redirect
from app.publishing.permissions import SYSTEM


def redirects() -> dict[str, str | int | None]:
    """The source of each redirect with where it leads."""
    rows = db.session.scalars(sa.select(Redirect))
    return {row.source: row.target or row.post_id for row in rows}


def test_an_old_address_leads_to_a_post(article: Post, now: datetime) -> None:
    """However it was spelt."""
    actions.add_redirect("2014/Old.html", post_id=article.id, now=now, actor=SYSTEM)
    assert redirects() == {"/2014/old.html": article.id}


def test_adding_it_again_writes_nothing(
    article: Post, now: datetime, dump: Callable[[], Any]
) -> None:
    """In another spelling too."""
    actions.add_redirect("/old", post_id=article.id, now=now, actor=SYSTEM)
    before = dump()
    actions.add_redirect("/OLD/", post_id=article.id, now=now, actor=SYSTEM)
    assert dump() == before


def test_no_redirect_leads_to_another(article: Post, now: datetime) -> None:
    """Whichever end is added first, each leads straight to the end."""
    actions.add_redirect("/a", target="/b", now=now, actor=SYSTEM)
    actions.add_redirect("/b", target="/c", now=now, actor=SYSTEM)
    actions.add_redirect("/z", target="/a", now=now, actor=SYSTEM)
    actions.add_redirect("/c", post_id=article.id, now=now, actor=SYSTEM)
    assert set(redirects().values()) == {article.id}


def test_a_circle_is_refused(app: Flask, now: datetime) -> None:
    """Directly and through others."""
    with pytest.raises(Invalid, match="lead to itself"):
        actions.add_redirect("/a", target="/A/", now=now, actor=SYSTEM)
    actions.add_redirect("/a", target="/b", now=now, actor=SYSTEM)
    with pytest.raises(Invalid, match="lead to itself"):
        actions.add_redirect("/b", target="/a", now=now, actor=SYSTEM)


def test_an_address_that_leads_elsewhere_is_a_conflict(article: Post, now: datetime) -> None:
    """Nobody's redirect is taken over in silence."""
    actions.add_redirect("/old", target="https://example.com/", now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="/old already leads somewhere else"):
        actions.add_redirect("/old", post_id=article.id, now=now, actor=SYSTEM)


def test_the_address_of_a_public_post_can_not_be_redirected(article: Post, now: datetime) -> None:
    """The sentence names the post."""
    actions.publish(article.id, expected_version=1, now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="address of the article “First light”"):
        actions.add_redirect("/articles/first-light", target="/x", now=now, actor=SYSTEM)


REFUSED = {
    "the home page": ("/", "/x"),
    "another site by two slashes": ("/a", "//evil.example"),
    "another site by a backslash": ("/a", "/\\evil.example"),
    "a script": ("/a", "javascript:alert(1)"),
    "a NUL": ("/a\0", "/x"),
}


@pytest.mark.parametrize(("source", "target"), REFUSED.values(), ids=REFUSED.keys())
def test_a_hostile_redirect_is_refused(app: Flask, now: datetime, source: str, target: str) -> None:
    """A redirect leads to a path of this site or to an address on the web."""
    with pytest.raises(Invalid):
        actions.add_redirect(source, target=target, now=now, actor=SYSTEM)


def test_a_redirect_needs_one_end(article: Post, now: datetime) -> None:
    """Neither none nor two, and one that exists."""
    with pytest.raises(Invalid):
        actions.add_redirect("/a", now=now, actor=SYSTEM)
    with pytest.raises(Invalid):
        actions.add_redirect("/a", post_id=article.id, target="/b", now=now, actor=SYSTEM)
    with pytest.raises(Missing):
        actions.add_redirect("/a", post_id=99, now=now, actor=SYSTEM)


@pytest.mark.parametrize("target", ["", "  "])
def test_an_empty_target_is_refused(app: Flask, target: str, now: datetime) -> None:
    """It would be a redirect without an address."""
    with pytest.raises(Invalid, match="Write a path"):
        actions.add_redirect("/old", target=target, now=now, actor=SYSTEM)
