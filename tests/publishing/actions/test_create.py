from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Kind, Post, PostAddress, Redirect, Revision, Status
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction


def test_a_new_post_is_a_draft_with_a_first_revision(app: Flask, now: datetime) -> None:
    """Creating keeps the text once as the post and once as revision 1."""
    post = actions.create(
        Draft(title="Hello", body_markdown="# Hi\n\n*there*"), now=now, actor=SYSTEM
    )
    revision = db.session.scalars(sa.select(Revision)).one()
    assert (post.status, post.version, post.slug) == (Status.DRAFT, 1, "hello")
    assert (revision.post_id, revision.number) == (post.id, 1)
    assert revision.body_markdown == "# Hi\n\n*there*"
    assert (post.created_at, post.updated_at, post.published_at) == (now, now, None)


def test_the_text_is_rendered_when_it_is_saved(article: Post) -> None:
    """HTML, words, contents and a summary come from the Markdown."""
    assert "<em>first</em>" in article.body_html
    assert article.body_text == "The first text."
    assert article.word_count == 3
    assert article.summary == "The first text."


def test_authors_and_topics_keep_their_order(app: Flask, now: datetime) -> None:
    """The first author that is named is the first that is shown; a name twice counts once."""
    ids = [
        actions.save_author(AuthorDraft(name=n), now=now, actor=SYSTEM).id for n in ("Zoe", "Ada")
    ]
    topic = actions.save_topic(TopicDraft(name="Print"), now=now, actor=SYSTEM).id
    draft = Draft(title="x", author_ids=(*ids, ids[0]), topic_ids=(topic,))
    post = actions.create(draft, now=now, actor=SYSTEM)
    assert [author.name for author in post.authors] == ["Zoe", "Ada"]
    assert [topic.name for topic in post.topics] == ["Print"]


def test_a_slug_from_the_title_gets_out_of_the_way(article: Post, now: datetime) -> None:
    """Two posts with one title get two slugs."""
    assert actions.create(Draft(title="First light"), now=now, actor=SYSTEM).slug == "first-light-2"


def test_a_slug_that_was_asked_for_and_is_taken_is_a_conflict(article: Post, now: datetime) -> None:
    """The sentence names the other post."""
    with pytest.raises(Conflict, match="belongs to the article “First light”"):
        actions.create(Draft(title="Another", slug="first-light"), now=now, actor=SYSTEM)


def test_an_article_and_a_page_may_share_a_slug(article: Post, now: datetime) -> None:
    """They live at different addresses."""
    page = actions.create(
        Draft(title="x", slug="first-light", kind=Kind.PAGE), now=now, actor=SYSTEM
    )
    assert (page.path, article.path) == ("/first-light", "/articles/first-light")


def test_a_page_with_a_reserved_title_gets_another_slug(app: Flask, now: datetime) -> None:
    """A page called Search can't stand where the search is."""
    assert (
        actions.create(Draft(title="Search", kind=Kind.PAGE), now=now, actor=SYSTEM).slug
        == "search-2"
    )


def test_control_characters_are_taken_out(app: Flask, now: datetime) -> None:
    """NUL reaches neither database."""
    draft = Draft(title="a\0b\n c", summary="s\0", body_markdown="x\0y\r\nz", cover_alt="\x1bq")
    post = actions.create(draft, now=now, actor=SYSTEM)
    assert (post.title, post.summary, post.cover_alt) == ("a b c", "s", "q")
    assert post.body_markdown == "xy\nz"


REFUSED = {
    "no title": (Draft(title=" \0 "), "title"),
    "a long title": (Draft(title="x" * 301), "title"),
    "a long summary": (Draft(title="x", summary="x" * 2001), "summary"),
    "a long text": (Draft(title="x", body_markdown="x" * (512 * 1024 + 1)), "body_markdown"),
    "a slug with a slash": (Draft(title="x", slug="../etc"), "slug"),
    "a slug in capitals": (Draft(title="x", slug="Upper"), "slug"),
    "a reserved page": (Draft(title="x", slug="search", kind=Kind.PAGE), "slug"),
    "a naive date": (Draft(title="x", published_at=datetime(2020, 1, 1)), "published_at"),  # noqa: DTZ001 - naive on purpose
    "an article in the menu": (Draft(title="x", menu_position=1), "menu_position"),
    "a menu position below zero": (
        Draft(title="x", menu_position=-1, kind=Kind.PAGE),
        "menu_position",
    ),
}


@pytest.mark.parametrize(("draft", "field"), REFUSED.values(), ids=REFUSED.keys())
def test_a_field_that_can_not_be_used_is_named(
    app: Flask, now: datetime, dump: Callable[[], Any], draft: Draft, field: str
) -> None:
    """The error knows its field, speaks in a sentence, and nothing was written."""
    before = dump()
    with pytest.raises(Invalid, match=r"\.$") as raised:
        actions.create(draft, now=now, actor=SYSTEM)
    assert raised.value.field == field
    assert dump() == before


ABSENT = {
    "author": Draft(title="x", author_ids=(7,)),
    "topic": Draft(title="x", topic_ids=(7,)),
    "image": Draft(title="x", cover_id=7),
}


@pytest.mark.parametrize(("noun", "draft"), ABSENT.items(), ids=ABSENT.keys())
def test_what_a_draft_names_must_exist(app: Flask, now: datetime, noun: str, draft: Draft) -> None:
    """An author, topic or cover that is not there is Missing, not a database error."""
    with pytest.raises(Missing, match=f"no {noun} with the number 7"):
        actions.create(draft, now=now, actor=SYSTEM)


def test_a_text_that_came_out_elsewhere_keeps_its_dates(app: Flask, now: datetime) -> None:
    """Dates from an import survive publishing."""
    first, changed_post = datetime(2014, 9, 15, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)
    post = actions.create(
        Draft(title="x", published_at=first, updated_at=changed_post), now=now, actor=SYSTEM
    )
    post = actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
    assert (post.published_at, post.updated_at) == (first, changed_post)


def test_a_post_has_its_own_language(app: Flask, now: datetime) -> None:
    """The tag gets its canonical spelling; a post without one is in the site's language."""
    post = actions.create(Draft(title="Olá", language="pt-br"), now=now, actor=SYSTEM)
    assert post.language == "pt-BR"
    assert actions.create(Draft(title="Hello"), now=now, actor=SYSTEM).language is None


@pytest.mark.parametrize("language", ["english", "xx", "pt_BR", "x" * 50, "fa\x00"])
def test_a_language_that_is_no_tag_is_refused(app: Flask, now: datetime, language: str) -> None:
    """The error names the field and quotes the text; nothing is saved."""
    with pytest.raises(Invalid, match="is not a language tag") as caught:
        actions.create(Draft(title="x", language=language), now=now, actor=SYSTEM)
    assert caught.value.field == "language"
    assert db.session.scalar(sa.select(sa.func.count(Post.id))) == 0


@pytest.mark.parametrize("dated", [None, datetime(2020, 1, 1, tzinfo=UTC), "later"])
def test_a_post_that_is_public_at_once_is_like_one_that_was_published(
    app: Flask, now: datetime, dated: datetime | str | None
) -> None:
    """Its dates, its recorded address and the redirect that it replaces are the same."""
    date = now + timedelta(days=1) if isinstance(dated, str) else dated
    results = []
    for is_at_once in (True, False):
        session = db.session()
        with pytest.raises(ZeroDivisionError), transaction():
            other = actions.create(Draft(title="Other"), now=now, actor=SYSTEM)
            actions.add_redirect("/articles/a", post_id=other.id, now=now, actor=SYSTEM)
            draft = Draft(title="A", published_at=date, feed_id="urn:a")
            post = actions.create(draft, now=now, publish=is_at_once, actor=SYSTEM)
            if not is_at_once:
                post = actions.publish(post.id, expected_version=1, now=now, actor=SYSTEM)
            session.flush()
            addresses = session.execute(
                sa.select(PostAddress.path, PostAddress.post_id, PostAddress.public_at)
            ).all()
            redirects = session.scalars(sa.select(Redirect.source)).all()
            dates = (post.published_at, post.updated_at, post.created_at)
            results.append((post.status, dates, sorted(addresses), redirects))
            raise ZeroDivisionError
    assert results[0] == results[1]
    assert results[0][0] is Status.PUBLISHED
    assert ("/articles/a", post.id) in [address[:2] for address in results[0][2]]
