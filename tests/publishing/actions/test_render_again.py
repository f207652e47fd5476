"""Rendering saved posts again: what is written, what is not, and what stays the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft, SiteDraft, render_again
from app.publishing.errors import Missing
from app.publishing.models import Kind, Post, Revision, Site
from app.publishing.permissions import SYSTEM, Actor
from app.publishing.sample_content import load_samples

MODULE = import_module("app.publishing.actions.render_again")
SMART = SiteDraft(title="x", smart_punctuation=True, emoji=True)


def turn_on(draft: SiteDraft = SMART) -> None:
    """Save the site's settings of text."""
    version = db.session.scalar(sa.select(Site.version))
    actions.save_site(draft, expected_version=version, actor=SYSTEM)


@pytest.fixture
def posts(app: Flask, now: datetime) -> list[Post]:
    """Return a post with quotes, one without, and a page with an emoji code."""
    drafts = [
        Draft(title="Quotes", body_markdown='He said "no".'),
        Draft(title="Plain", body_markdown="Nothing to change."),
        Draft(title="Page", kind=Kind.PAGE, body_markdown="A :smile:.", summary='My "own".'),
    ]
    return [actions.create(draft, now=now, actor=SYSTEM) for draft in drafts]


def test_a_post_is_rendered_with_the_settings_of_the_site(posts: list[Post], now: datetime) -> None:
    """When it is saved; posts that are saved already stay until they are rendered again."""
    turn_on()
    assert '"no"' in posts[0].body_text
    new = actions.create(Draft(title="New", body_markdown='"yes" :tada:'), now=now, actor=SYSTEM)
    assert new.body_text == "“yes” 🎉"


def test_posts_that_change_are_written(posts: list[Post]) -> None:
    """HTML, words and an automatic summary change; a written summary and the source do not."""
    turn_on()
    report = render_again(actor=SYSTEM)
    assert (report.changed, report.unchanged, report.failed) == (2, 1, [])
    quotes, _, page = posts
    assert quotes.body_html == "<p>He said “no”.</p>\n"
    assert (quotes.summary, quotes.body_text) == ("He said “no”.", "He said “no”.")
    assert quotes.body_markdown == 'He said "no".'
    assert (page.body_text, page.summary) == ("A 😄.", 'My "own".')
    assert [post.version for post in posts] == [2, 1, 2]


def test_dates_and_revisions_stay(posts: list[Post], now: datetime) -> None:
    """No writer has changed the text."""
    turn_on()
    render_again(actor=SYSTEM)
    assert {post.updated_at for post in posts} == {now}
    assert db.session.scalar(sa.select(sa.func.count(Revision.id))) == len(posts)


def test_rendering_twice_writes_nothing(posts: list[Post], dump: Callable[[], Any]) -> None:
    """A second run finds every post as it should be, and so does a run without a change."""
    before = dump()
    assert render_again(actor=SYSTEM).changed == 0
    assert dump() == before
    turn_on()
    render_again(actor=SYSTEM)
    before = dump()
    assert render_again(actor=SYSTEM).changed == 0
    assert dump() == before


def test_turning_the_settings_off_restores_every_text(
    posts: list[Post], dump: Callable[[], Any]
) -> None:
    """The source keeps what the writer typed, so nothing is lost; summaries follow too."""
    before = [(post.body_html, post.summary, post.body_text) for post in posts]
    turn_on()
    render_again(actor=SYSTEM)
    turn_on(SiteDraft(title="x"))
    assert render_again(actor=SYSTEM).changed == 2
    assert [(post.body_html, post.summary, post.body_text) for post in posts] == before


def test_another_language_of_the_site_brings_other_quotes(posts: list[Post]) -> None:
    """Also in an excerpt that was made with the quotes of the earlier language."""
    turn_on()
    render_again(actor=SYSTEM)
    turn_on(replace(SMART, language="de"))
    assert render_again(actor=SYSTEM).changed == 1
    assert posts[0].summary == "He said „no“."


def test_a_post_has_the_quotes_of_its_own_language(posts: list[Post], now: datetime) -> None:
    """A change of its language alone renders it again."""
    turn_on()
    draft = Draft(title="Quotes", body_markdown='He said "no".', summary="x", language="ru")
    post = actions.revise(posts[0].id, draft, expected_version=1, now=now, actor=SYSTEM)
    assert post.body_text == "He said «no»."


def test_one_post_is_rendered_by_its_slug(posts: list[Post]) -> None:
    """The others stay as they are; an unknown slug is an error."""
    turn_on()
    report = render_again("quotes", actor=SYSTEM)
    assert (report.changed, report.unchanged) == (1, 0)
    assert posts[2].body_text == "A :smile:."
    with pytest.raises(Missing, match="'nothing'"):
        render_again("nothing", actor=SYSTEM)


def test_each_batch_is_a_transaction(
    posts: list[Post], monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """What was done before an interruption stays; the next run continues."""
    monkeypatch.setattr(MODULE, "BATCH", 1)
    turn_on()

    def stop(count: int, _total: int) -> None:
        if count == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_again(progress=stop, actor=SYSTEM)
    assert [post.version for post in posts] == [2, 1, 1]
    assert render_again(actor=SYSTEM).changed == 1


def test_a_post_that_is_saved_meanwhile_keeps_what_was_saved(
    posts: list[Post], monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """Its own save has rendered it; the command does not write an older text over it."""
    turn_on()
    quotes, _, page = posts
    save = MODULE._save

    def save_after_an_edit(rendered: Any, actor: Actor) -> int:
        draft = Draft(title="Quotes", body_markdown='He said "yes".')
        actions.revise(
            quotes.id, draft, expected_version=1, now=now + timedelta(hours=1), actor=SYSTEM
        )
        return int(save(rendered, actor))

    monkeypatch.setattr(MODULE, "_save", save_after_an_edit)
    assert render_again(actor=SYSTEM).changed == 1
    assert (quotes.body_text, page.body_text) == ("He said “yes”.", "A 😄.")


def test_a_text_that_can_not_be_rendered_is_named(posts: list[Post]) -> None:
    """A limit may be lower than when it was saved; the other posts are rendered."""
    with db.engine.begin() as connection:
        text = ">" * 100 + " too deep"
        connection.execute(sa.update(Post).where(Post.slug == "plain").values(body_markdown=text))
    turn_on()
    report = render_again(actor=SYSTEM)
    assert (report.changed, report.unchanged) == (2, 0)
    assert report.failed == [
        "/articles/plain: Line 1 of the text is nested over 40 levels deep; flatten it."
    ]


def test_imported_posts_are_rendered_as_the_import_did(app: Flask, now: datetime) -> None:
    """The stored source has all that the import resolved: links, images, tags."""
    load_samples(now=now)
    report = render_again(actor=SYSTEM)
    assert (report.changed, report.failed) == (0, [])
    assert report.unchanged > 10
