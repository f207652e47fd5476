from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, SiteDraft, TopicDraft
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Redirect
from app.publishing.permissions import SYSTEM


def redirects() -> dict[str, str | None]:
    """The source of each redirect with its fixed target."""
    return {row.source: row.target for row in db.session.scalars(sa.select(Redirect))}


def test_an_author_gets_a_slug_and_a_rendered_bio(app: Flask, now: datetime) -> None:
    """Markdown in a bio is rendered when it is saved."""
    draft = AuthorDraft(name="Ada Lovelace", bio_markdown="Writes *notes*.")
    author = actions.save_author(draft, now=now, actor=SYSTEM)
    assert author.slug == "ada-lovelace"
    assert author.bio_html == "<p>Writes <em>notes</em>.</p>\n"


def test_an_author_may_move_and_come_back(app: Flask, now: datetime) -> None:
    """The old address leads to the new one, in one step, and never in a circle."""
    author = actions.save_author(AuthorDraft(name="Ada"), now=now, actor=SYSTEM)
    for slug in ("b", "c"):
        actions.save_author(
            AuthorDraft(name="Ada", slug=slug), now=now, author_id=author.id, actor=SYSTEM
        )
    assert redirects() == {"/authors/ada": "/authors/c", "/authors/b": "/authors/c"}
    actions.save_author(
        AuthorDraft(name="Ada", slug="ada"), now=now, author_id=author.id, actor=SYSTEM
    )
    assert redirects() == {"/authors/b": "/authors/ada", "/authors/c": "/authors/ada"}


def test_a_topic_may_move(app: Flask, now: datetime) -> None:
    """The old address leads to the new one."""
    topic = actions.save_topic(TopicDraft(name="Print"), now=now, actor=SYSTEM)
    actions.save_topic(TopicDraft(name="Paper"), now=now, topic_id=topic.id, actor=SYSTEM)
    assert redirects() == {"/topics/print": "/topics/paper"}


def test_saving_the_same_again_writes_nothing(
    app: Flask, now: datetime, dump: Callable[[], Any]
) -> None:
    """Author, topic and site alike."""
    author = AuthorDraft(name="Ada", bio_markdown="x", url="https://example.com/")
    topic, site = TopicDraft(name="Print", description="y"), SiteDraft(title="Paper")
    author_id = actions.save_author(author, now=now, actor=SYSTEM).id
    topic_id = actions.save_topic(topic, now=now, actor=SYSTEM).id
    version = actions.save_site(site, expected_version=None, actor=SYSTEM).version
    before = dump()
    actions.save_author(author, now=now, author_id=author_id, actor=SYSTEM)
    actions.save_topic(topic, now=now, topic_id=topic_id, actor=SYSTEM)
    actions.save_site(site, expected_version=version, actor=SYSTEM)
    assert dump() == before


def test_a_taken_slug_is_a_conflict_that_names_the_other(app: Flask, now: datetime) -> None:
    """Two authors, or two topics, never share an address."""
    actions.save_author(AuthorDraft(name="Ada"), now=now, actor=SYSTEM)
    actions.save_topic(TopicDraft(name="Print"), now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="belongs to the author “Ada”"):
        actions.save_author(AuthorDraft(name="ADA"), now=now, actor=SYSTEM)
    with pytest.raises(Conflict, match="belongs to the topic “Print”"):
        actions.save_topic(TopicDraft(name="print"), now=now, actor=SYSTEM)


def test_what_is_not_there_is_missing(app: Flask, now: datetime) -> None:
    """Saving a deleted author or topic says so."""
    with pytest.raises(Missing):
        actions.save_author(AuthorDraft(name="Ada"), now=now, author_id=9, actor=SYSTEM)
    with pytest.raises(Missing):
        actions.save_topic(TopicDraft(name="Print"), now=now, topic_id=9, actor=SYSTEM)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (AuthorDraft(name=""), "name"),
        (AuthorDraft(name="x" * 201), "name"),
        (AuthorDraft(name="Ada", url="javascript:alert(1)"), "url"),
        (AuthorDraft(name="Ada", url="http://[oops"), "url"),
        (AuthorDraft(name="Ada", slug="a/b"), "slug"),
        (AuthorDraft(name="Ada", bio_markdown="x" * 20_001), "bio_markdown"),
    ],
)
def test_an_author_s_field_that_can_not_be_used_is_named(
    app: Flask, now: datetime, draft: AuthorDraft, field: str
) -> None:
    """The error knows its field."""
    with pytest.raises(Invalid) as raised:
        actions.save_author(draft, now=now, actor=SYSTEM)
    assert raised.value.field == field


def test_two_editors_of_the_site_conflict(app: Flask) -> None:
    """The second one is told; the first one's words stay."""
    first = actions.save_site(SiteDraft(title="Mine"), expected_version=None, actor=SYSTEM)
    with pytest.raises(Conflict, match="since you loaded them"):
        actions.save_site(SiteDraft(title="Yours"), expected_version=None, actor=SYSTEM)
    assert first.title == "Mine"


@pytest.mark.parametrize("language", ["", "english please", "x", "de_CH"])
def test_a_language_is_a_tag(app: Flask, language: str) -> None:
    """`de-CH`, not a sentence."""
    with pytest.raises(Invalid):
        actions.save_site(
            SiteDraft(title="x", language=language), expected_version=None, actor=SYSTEM
        )
