from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Kind, Post, PostAddress, Redirect
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction


def redirects() -> dict[str, int | None]:
    """The source of each redirect with the post it leads to."""
    return {row.source: row.post_id for row in db.session.scalars(sa.select(Redirect))}


def rename(post: Post, slug: str, now: datetime) -> Post:
    """Rename the post as the caller sees it."""
    return actions.rename(post.id, slug, expected_version=post.version, now=now, actor=SYSTEM)


@pytest.fixture
def public(article: Post, now: datetime) -> Post:
    """An article that readers see."""
    return actions.publish(article.id, expected_version=article.version, now=now, actor=SYSTEM)


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
    other = actions.create(Draft(title="x", slug="first-light"), now=now, actor=SYSTEM)
    assert redirects() == {"/articles/first-light": public.id}
    actions.publish(other.id, expected_version=1, now=now, actor=SYSTEM)
    assert redirects() == {}


def test_a_taken_slug_is_a_conflict_that_names_the_other(public: Post, now: datetime) -> None:
    """Neither post changes."""
    other = actions.create(Draft(title="Dawn"), now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="belongs to the article “First light”"):
        rename(other, "first-light", now)
    assert other.slug == "dawn"


@pytest.mark.parametrize("slug", ["", "a/b", "Ä", "search", "x" * 81])
def test_a_page_refuses_a_slug_that_can_not_be_used(
    article: Post, now: datetime, slug: str
) -> None:
    """Empty, hostile, reserved, too long."""
    page = actions.create(Draft(title="About", kind=Kind.PAGE), now=now, actor=SYSTEM)
    with pytest.raises(Invalid):
        rename(page, slug, now)


STEPS = {
    "unpublished and scheduled": ("unpublish", "schedule"),
    "archived, a draft, and scheduled": ("archive", "unpublish", "schedule"),
    "scheduled twice": ("unpublish", "schedule", "schedule"),
    "scheduled and unpublished": ("unpublish", "schedule", "unpublish"),
    "scheduled and archived": ("unpublish", "schedule", "archive"),
}


def take_steps(post: Post, steps: tuple[str, ...], now: datetime) -> None:
    """Change the status of the post step by step; it is scheduled for tomorrow."""
    for step in steps:
        due = (now + timedelta(days=1),) if step == "schedule" else ()
        action: Callable[..., Post] = getattr(actions, step)
        action(post.id, *due, expected_version=post.version, now=now, actor=SYSTEM)


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS)
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "unrecorded"])
def test_a_post_that_was_ever_public_leaves_a_redirect(
    article: Post, now: datetime, steps: tuple[str, ...], recorded: bool
) -> None:
    """A planned date replaces the old one, but readers still have the old address.

    A post that was public under an older release has no record of its address.
    """
    take_steps(article, ("publish",), now)
    assert article.first_published_at == now
    take_steps(article, steps, now)
    if not recorded:
        with transaction() as session:
            session.execute(sa.delete(PostAddress))
    actions.rename(article.id, "other", expected_version=article.version, now=now, actor=SYSTEM)
    redirect = db.session.scalars(sa.select(Redirect)).one()
    assert (redirect.source, redirect.post_id) == ("/articles/first-light", article.id)
    assert article.first_published_at == now


def test_a_post_that_was_never_public_leaves_no_redirect(article: Post, now: datetime) -> None:
    """A scheduled post is not known to readers before it is due."""
    take_steps(article, ("schedule",), now)
    assert article.first_published_at is None
    actions.rename(article.id, "other", expected_version=article.version, now=now, actor=SYSTEM)
    assert db.session.scalars(sa.select(Redirect)).all() == []


def test_the_relay_writes_the_first_publication_down(article: Post, now: datetime) -> None:
    """It is the instant for which the post was scheduled; a second publication keeps it."""
    take_steps(article, ("schedule",), now)
    due = now + timedelta(days=1)
    actions.publish_due(due + timedelta(seconds=3), actor=SYSTEM)
    assert article.first_published_at == due
    take_steps(article, ("unpublish", "schedule"), due + timedelta(days=2))
    actions.publish_due(due + timedelta(days=3), actor=SYSTEM)
    assert article.published_at == due + timedelta(days=3)
    assert article.first_published_at == due
