from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Kind, Post, Redirect


def redirects() -> dict[str, int | None]:
    """The source of each redirect with the post it leads to."""
    return {row.source: row.post_id for row in db.session.scalars(sa.select(Redirect))}


def rename(post: Post, slug: str, now: datetime) -> Post:
    """Rename the post as the caller sees it."""
    return actions.rename(post.id, slug, expected_version=post.version, now=now)


@pytest.fixture
def public(article: Post, now: datetime) -> Post:
    """An article that readers see."""
    return actions.publish(article.id, expected_version=article.version, now=now)


def test_every_old_address_leads_to_the_post(public: Post, now: datetime) -> None:
    """Two renames give two redirects to the post itself, so no chain."""
    rename(rename(public, "dawn", now), "sunrise", now)
    assert redirects() == {"/articles/first-light": public.id, "/articles/dawn": public.id}


def test_going_back_to_an_old_slug_leaves_no_loop(public: Post, now: datetime) -> None:
    """The redirect from the address that is in use again is gone."""
    post = rename(rename(public, "dawn", now), "first-light", now)
    assert redirects() == {"/articles/dawn": post.id}


def test_a_draft_that_nobody_saw_leaves_no_redirect(article: Post, now: datetime) -> None:
    """There is no old address to keep."""
    assert rename(article, "dawn", now).slug == "dawn"
    assert redirects() == {}


def test_another_post_may_take_over_an_old_address(public: Post, now: datetime) -> None:
    """A new post at the old address is found there once it is public, and the redirect is gone."""
    rename(public, "dawn", now)
    other = actions.create(Draft(title="x", slug="first-light"), now=now)
    assert redirects() == {"/articles/first-light": public.id}
    actions.publish(other.id, expected_version=1, now=now)
    assert redirects() == {}


def test_a_taken_slug_is_a_conflict_that_names_the_other(public: Post, now: datetime) -> None:
    """Neither post changes."""
    other = actions.create(Draft(title="Dawn"), now=now)
    with pytest.raises(Conflict, match="belongs to the article “First light”"):
        rename(other, "first-light", now)
    assert other.slug == "dawn"


@pytest.mark.parametrize("slug", ["", "a/b", "Ä", "search", "x" * 81])
def test_a_page_refuses_a_slug_that_can_not_be_used(
    article: Post, now: datetime, slug: str
) -> None:
    """Empty, hostile, reserved, too long."""
    page = actions.create(Draft(title="About", kind=Kind.PAGE), now=now)
    with pytest.raises(Invalid):
        rename(page, slug, now)
