from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Kind, Post, Redirect, Revision
from app.publishing.permissions import SYSTEM

TEXT = Draft(title="First light", summary="The first text.", body_markdown="The *first* text.")


def revisions(post: Post) -> list[tuple[int, str]]:
    """Number and text of each revision."""
    query = sa.select(Revision).where(Revision.post_id == post.id).order_by(Revision.number)
    return [(revision.number, revision.body_markdown) for revision in db.session.scalars(query)]


def test_every_change_of_the_text_keeps_a_revision(article: Post, now: datetime) -> None:
    """The numbers count within the post."""
    later = now + timedelta(hours=1)
    for number, text in enumerate(("second", "third"), 1):
        draft = replace(TEXT, body_markdown=text)
        article = actions.revise(
            article.id, draft, expected_version=number, now=later, actor=SYSTEM
        )
    assert revisions(article) == [(1, "The *first* text."), (2, "second"), (3, "third")]
    assert (article.version, article.updated_at) == (3, later)
    assert article.body_html == "<p>third</p>\n"


SAME = {
    "word for word": TEXT,
    "an empty summary, which is made again": replace(TEXT, summary=""),
    "its own slug": replace(TEXT, slug="first-light"),
    "other white space": replace(TEXT, title=" First   light "),
}


@pytest.mark.parametrize("draft", SAME.values(), ids=SAME.keys())
def test_saving_what_is_there_already_writes_nothing(
    article: Post, now: datetime, dump: Callable[[], Any], draft: Draft
) -> None:
    """No version, no revision, no row changes."""
    before = dump()
    actions.revise(article.id, draft, expected_version=1, now=now + timedelta(days=1), actor=SYSTEM)
    assert dump() == before


def test_a_stale_version_is_a_conflict_and_loses_nothing(
    article: Post, now: datetime, dump: Callable[[], Any]
) -> None:
    """Of two editors who load the same version, the second is told."""
    actions.revise(
        article.id, replace(TEXT, title="Mine"), expected_version=1, now=now, actor=SYSTEM
    )
    before = dump()
    with pytest.raises(Conflict, match="at version 2, you saw version 1"):
        actions.revise(
            article.id, replace(TEXT, title="Yours"), expected_version=1, now=now, actor=SYSTEM
        )
    assert dump() == before


def test_who_wrote_it_counts_as_a_version_but_not_as_a_revision(
    article: Post, now: datetime
) -> None:
    """A change of authors conflicts with a concurrent edit too; the text's date stays."""
    author = actions.save_author(AuthorDraft(name="Ada"), now=now, actor=SYSTEM)
    draft = replace(TEXT, author_ids=(author.id,))
    post = actions.revise(
        article.id, draft, expected_version=1, now=now + timedelta(days=1), actor=SYSTEM
    )
    assert (post.version, post.updated_at, len(revisions(post))) == (2, now, 1)
    assert [a.name for a in post.authors] == ["Ada"]


def test_a_change_of_the_slug_renames(article: Post, now: datetime) -> None:
    """The old address of a public article leads to the new one."""
    actions.publish(article.id, expected_version=1, now=now, actor=SYSTEM)
    post = actions.revise(
        article.id, replace(TEXT, slug="dawn"), expected_version=2, now=now, actor=SYSTEM
    )
    redirect = db.session.scalars(sa.select(Redirect)).one()
    assert (post.path, redirect.source) == ("/articles/dawn", "/articles/first-light")
    assert redirect.post_id == post.id


def test_an_article_can_not_become_a_page(article: Post, now: datetime) -> None:
    """Its address would change without a word."""
    with pytest.raises(Invalid, match="can't become another kind"):
        actions.revise(
            article.id, replace(TEXT, kind=Kind.PAGE), expected_version=1, now=now, actor=SYSTEM
        )


def test_a_post_that_is_not_there_is_missing(app: Flask, now: datetime) -> None:
    """Revising a post that was deleted says so."""
    with pytest.raises(Missing):
        actions.revise(99, TEXT, expected_version=1, now=now, actor=SYSTEM)


def test_a_scheduled_post_can_not_be_dated_into_the_past(article: Post, now: datetime) -> None:
    """It would be late before it began."""
    day = timedelta(days=1)
    actions.schedule(article.id, now + day, expected_version=1, now=now, actor=SYSTEM)
    with pytest.raises(Invalid, match="future"):
        draft = replace(TEXT, published_at=now - day)
        actions.revise(article.id, draft, expected_version=2, now=now, actor=SYSTEM)


def test_a_public_post_can_not_be_dated_into_the_future(article: Post, now: datetime) -> None:
    """Readers have seen it."""
    actions.publish(article.id, expected_version=1, now=now, actor=SYSTEM)
    with pytest.raises(Invalid, match="future"):
        draft = replace(TEXT, published_at=now + timedelta(days=1))
        actions.revise(article.id, draft, expected_version=2, now=now, actor=SYSTEM)


def test_the_language_of_a_post_can_be_changed_and_removed(article: Post, now: datetime) -> None:
    """A change of the language alone is no new revision of the text."""
    persian = actions.revise(
        article.id, replace(TEXT, language="fa"), expected_version=1, now=now, actor=SYSTEM
    )
    assert (persian.language, persian.version) == ("fa", 2)
    actions.revise(article.id, TEXT, expected_version=2, now=now, actor=SYSTEM)
    assert (persian.language, len(revisions(persian))) == (None, 1)


def test_a_revision_keeps_every_field_of_the_post(article: Post, now: datetime) -> None:
    """So that a restore brings back authors, topics and cover, each in its order."""
    authors = [
        actions.save_author(AuthorDraft(name=name), now=now, actor=SYSTEM).id for name in ("b", "a")
    ]
    topics = [
        actions.save_topic(TopicDraft(name=name), now=now, actor=SYSTEM).id for name in ("d", "c")
    ]
    draft = replace(
        TEXT,
        body_markdown="more",
        slug="second-light",
        author_ids=tuple(reversed(authors)),
        topic_ids=tuple(reversed(topics)),
        cover_alt="A lamp",
        language="de",
    )
    actions.revise(article.id, draft, expected_version=1, now=now, actor=SYSTEM)
    facts = db.session.scalars(sa.select(Revision.facts).order_by(Revision.number)).all()
    empty: dict[str, Any] = {
        "author_ids": [],
        "topic_ids": [],
        "cover_id": None,
        "menu_position": None,
    }
    assert facts == [
        {**empty, "slug": "first-light", "language": "", "cover_alt": ""},
        {
            **empty,
            "slug": "second-light",
            "language": "de",
            "author_ids": authors[::-1],
            "topic_ids": topics[::-1],
            "cover_alt": "A lamp",
        },
    ]
