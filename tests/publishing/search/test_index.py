from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import make_index_hook
from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, SiteDraft, TopicDraft
from app.publishing.actions.reindex import BATCH
from app.publishing.models import (
    Post,
    post_author,
    search_post,
    search_queue,
    search_term,
    search_text,
    search_word,
)
from app.publishing.permissions import SYSTEM
from app.publishing.queries.search import search_posts
from app.publishing.transaction import transaction
from tests.site import content

Tables = dict[str, list[tuple[Any, ...]]]


def dump_index() -> Tables:
    """All rows of the index; the queue must be empty."""
    db.session.rollback()
    tables = (search_queue, search_post, search_text, search_term, search_word)
    return {
        table.name: sorted(map(tuple, db.session.execute(sa.select(table)))) for table in tables
    }


def assert_is_right() -> None:
    """The index is what an index made from nothing is."""
    index = dump_index()
    assert index["search_queue"] == []
    actions.reindex(rebuild=True, actor=SYSTEM)
    assert dump_index() == index


def found(typed: str) -> list[str]:
    """The titles of the posts that match."""
    db.session.rollback()
    return [hit.post.title for hit in search_posts(typed).hits]


@pytest.fixture
def article(any_app: Flask, now: datetime) -> Post:
    """A published article with an author and a topic."""
    author = actions.save_author(AuthorDraft(name="Ada Reed"), now=now, actor=SYSTEM).id
    topic = actions.save_topic(TopicDraft(name="Harbours"), now=now, actor=SYSTEM).id
    draft = Draft(
        title="First light",
        body_markdown="Lanterns and boats.",
        author_ids=(author,),
        topic_ids=(topic,),
    )
    post = actions.create(draft, now=now, actor=SYSTEM)
    assert found("lanterns") == []
    return actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)


def revise(post: Post, now: datetime, **fields: Any) -> Post:
    """Save the post with other fields."""
    db.session.refresh(post)
    values: dict[str, Any] = {"title": post.title, "body_markdown": post.body_markdown}
    draft = Draft(**(values | fields))
    return actions.revise(post.id, draft, expected_version=post.version, now=now, actor=SYSTEM)


def rename_author(_post: Post, now: datetime) -> None:
    """Give the author another name."""
    author_id = db.session.scalar(sa.select(post_author.c.author_id))
    actions.save_author(AuthorDraft(name="Bo Lind"), now=now, actor=SYSTEM, author_id=author_id)


def rename_topic(_post: Post, now: datetime) -> None:
    """Give the topic another name."""
    topic_id = db.session.scalar(sa.text("SELECT topic_id FROM post_topic"))
    actions.save_topic(TopicDraft(name="Ships"), now=now, actor=SYSTEM, topic_id=topic_id)


def set_site_language(_post: Post, _now: datetime) -> None:
    """Make German the language of the site: it has other stems."""
    actions.save_site(SiteDraft(title="Site", language="de"), expected_version=None, actor=SYSTEM)


def change_status(name: str) -> Callable[[Post, datetime], object]:
    """Archive the post, or make it a draft."""
    action = {"archive": actions.archive, "unpublish": actions.unpublish}[name]
    return lambda post, now: action(post.id, expected_version=post.version, now=now, actor=SYSTEM)


CHANGES: dict[str, tuple[Callable[[Post, datetime], object], str, str]] = {
    "title": (lambda p, now: revise(p, now, title="Last dark"), "dark", "light"),
    "text": (lambda p, now: revise(p, now, body_markdown="Tides."), "tides", "lanterns"),
    "summary": (lambda p, now: revise(p, now, summary="About ropes."), "ropes", "anchors"),
    "authors": (lambda p, now: revise(p, now, author_ids=()), "lanterns", "reed"),
    "topics": (lambda p, now: revise(p, now, topic_ids=()), "lanterns", "harbours"),
    "author's name": (rename_author, "lind", "reed"),
    "topic's name": (rename_topic, "ships", "harbours"),
    "language": (lambda p, now: revise(p, now, language="de"), "boats", "boating "),
    "site's language": (set_site_language, "boats", "boating "),
    "archive": (change_status("archive"), "", "lanterns"),
    "unpublish": (change_status("unpublish"), "", "lanterns"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_action_keeps_the_index_right(article: Post, now: datetime, name: str) -> None:
    """In its own transaction: what was changed is found, what is gone is not."""
    change, present, absent = CHANGES[name]
    change(article, now)
    if present:
        assert len(found(present)) == 1
    assert found(absent) == []
    assert_is_right()


def test_an_action_that_fails_leaves_the_index_as_it_was(article: Post, now: datetime) -> None:
    """The index is part of the transaction."""
    before = dump_index()
    with pytest.raises(RuntimeError), transaction() as session:
        session.get_one(Post, article.id).title = "Other"
        session.flush()
        raise RuntimeError
    assert dump_index() == before


def test_a_session_in_a_shell_keeps_the_index_right(article: Post) -> None:
    """A commit without `transaction` indexes what the session has written."""
    db.session.get_one(Post, article.id).title = "Last dark"
    db.session.commit()
    assert found("dark") == ["Last dark"]
    assert_is_right()


def write_sql(statement: str) -> None:
    """Write as psql or the sqlite3 shell does."""
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.exec_driver_sql(statement)


SQL = {
    "UPDATE post SET title = 'Last dark'": ("dark", "light"),
    "UPDATE post SET body_text = 'Tides', summary = ''": ("tides", "lanterns"),
    "UPDATE author SET name = 'Bo Lind'": ("lind", "reed"),
    "UPDATE topic SET name = 'Ships'": ("ships", "harbours"),
    "DELETE FROM post_author": ("lanterns", "reed"),
    "DELETE FROM topic": ("lanterns", "harbours"),
    "UPDATE post SET language = 'de'": ("boats", "boating "),
    "UPDATE post SET status = 'draft'": ("", "lanterns"),
    "DELETE FROM post": ("", "lanterns"),
}


@pytest.mark.parametrize("statement", SQL)
def test_the_relay_indexes_what_sql_has_changed(
    any_app: Flask, article: Post, now: datetime, statement: str
) -> None:
    """Also names, associations, and posts that are deleted."""
    write_sql(statement)
    assert make_index_hook(any_app)(now) is None
    present, absent = SQL[statement]
    if present:
        assert len(found(present)) == 1
    assert found(absent) == []
    assert_is_right()


@pytest.mark.parametrize(
    "statement",
    ["UPDATE post SET status = 'archived'", "DELETE FROM post"],
)
def test_a_post_that_sql_hides_is_not_found_at_once(article: Post, statement: str) -> None:
    """The trigger hides it in the same transaction, before the relay has run."""
    write_sql(statement)
    assert found("lanterns") == []
    assert search_posts("lanterns").count == 0


@pytest.mark.parametrize("statement", SQL)
def test_reindex_finds_by_its_digest_what_no_trigger_has_reported(
    article: Post, statement: str
) -> None:
    """A queue that was emptied by hand, or triggers that were missing, lose nothing."""
    write_sql(statement)
    write_sql("DELETE FROM search_queue")
    actions.reindex(actor=SYSTEM)
    present, absent = SQL[statement]
    if present:
        assert len(found(present)) == 1
    assert found(absent) == []
    assert_is_right()


def test_reindex_changes_nothing_twice_and_reports_its_progress(any_app: Flask) -> None:
    """It works in batches, writes only what differs, and counts it."""
    with transaction():
        for number in range(BATCH + 3):
            content.post(f"n{number}", words="A lantern.")
    write_sql("UPDATE post SET body_text = 'A bell' WHERE slug = 'n7'")
    write_sql("DELETE FROM search_queue")
    calls: list[tuple[int, int]] = []
    first = actions.reindex(actor=SYSTEM, progress=lambda *numbers: calls.append(numbers))
    index = dump_index()
    second = actions.reindex(actor=SYSTEM)
    count = BATCH + 3
    assert (first.changed, first.unchanged) == (1, count - 1)
    assert (second.changed, second.unchanged) == (0, count)
    assert calls == [(BATCH, count), (count, count)]
    assert dump_index() == index


def test_the_command_says_how_many_posts_it_indexed(any_app: Flask, article: Post) -> None:
    """`flask content reindex`, and with --rebuild after the tables were changed by hand."""
    write_sql("DELETE FROM search_term")
    run = any_app.test_cli_runner().invoke
    assert run(args=["content", "reindex"]).output == "0 posts indexed, 1 unchanged.\n"
    assert run(args=["content", "reindex", "--rebuild"]).output == (
        "1 posts indexed, 0 unchanged.\n"
    )
    assert found("lanterns") == ["First light"]


def test_a_release_with_another_analysis_indexes_the_posts_again(
    any_app: Flask, article: Post, now: datetime
) -> None:
    """The first call of the relay's hook in a process finds them by the version in the digest."""
    index = dump_index()
    write_sql("UPDATE search_post SET digest = '0-1.0.0-abc'")
    make_index_hook(any_app)(now)
    assert dump_index() == index


def test_writers_at_once_leave_the_index_right(any_app: Flask, now: datetime) -> None:
    """A renamed author and a new title of the same post are both in the index afterwards."""
    author = actions.save_author(AuthorDraft(name="Ada"), now=now, actor=SYSTEM).id
    posts = []
    for number in range(3):
        draft = Draft(title=f"Post {number}", body_markdown="x", author_ids=(author,))
        post = actions.create(draft, now=now, actor=SYSTEM)
        posts.append(actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM))
    versions = [(post.id, post.version) for post in posts]
    db.session.remove()

    def write(number: int) -> None:
        if number == 3:
            actions.save_author(AuthorDraft(name="Bo"), now=now, actor=SYSTEM, author_id=author)
            return
        post_id, version = versions[number]
        draft = Draft(title=f"New {number}", body_markdown="y", author_ids=(author,))
        actions.revise(post_id, draft, expected_version=version, now=now, actor=SYSTEM)

    barrier = Barrier(4)

    def write_at_once(number: int) -> None:
        with any_app.app_context():
            barrier.wait()
            write(number)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write_at_once, range(4)))
    assert len(found("bo new")) == 3
    assert_is_right()
