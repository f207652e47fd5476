from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, Draft, TopicDraft
from app.publishing.errors import Conflict
from app.publishing.models import Post, Redirect, Revision, Status
from app.publishing.permissions import SYSTEM

WRITERS = 4


def at_once(app: Flask, verb: Callable[[int], Any]) -> list[Any]:
    """What `verb` gave or raised, called by several threads at the same moment."""
    barrier = Barrier(WRITERS)

    def call(number: int) -> Any:
        with app.app_context():
            barrier.wait()
            try:
                return verb(number)
            except Conflict as error:
                return error

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(call, range(WRITERS)))


def test_a_post_lives_its_life(any_app: Flask, now: datetime) -> None:
    """From a draft with everything to the archive, with a rename and a schedule between."""
    author = actions.save_author(AuthorDraft(name="Ada \0 Lovelace"), now=now, actor=SYSTEM).id
    topics = [
        actions.save_topic(TopicDraft(name=name), now=now, actor=SYSTEM).id for name in ("b", "a")
    ]
    draft = Draft(title="x\0", body_markdown="\0", author_ids=(author,), topic_ids=tuple(topics))
    post = actions.create(draft, now=now, actor=SYSTEM)
    due = now + timedelta(hours=1)
    post = actions.schedule(post.id, due, expected_version=post.version, now=now, actor=SYSTEM)
    assert actions.publish_due(due, actor=SYSTEM) == [post.id]
    post = actions.rename(post.id, "y", expected_version=post.version, now=due, actor=SYSTEM)
    draft = Draft(title="x", body_markdown="more", topic_ids=(topics[1],))
    post = actions.revise(post.id, draft, expected_version=post.version, now=due, actor=SYSTEM)
    post = actions.archive(post.id, expected_version=post.version, now=due, actor=SYSTEM)
    assert (post.status, post.slug, post.published_at) == (Status.ARCHIVED, "y", due)
    assert ([a.name for a in post.authors], [t.name for t in post.topics]) == ([], ["a"])
    assert db.session.scalars(sa.select(Redirect.source)).all() == ["/articles/x"]
    assert db.session.scalar(sa.select(sa.func.max(Revision.number))) == 2


def test_of_concurrent_edits_one_is_saved_and_the_others_are_told(
    any_app: Flask, now: datetime
) -> None:
    """No text is lost in silence, and no revision number is given twice."""
    post_id = actions.create(Draft(title="x"), now=now, actor=SYSTEM).id
    db.session.remove()

    def edit(number: int) -> Post:
        draft = Draft(title="x", body_markdown=f"by {number}")
        return actions.revise(post_id, draft, expected_version=1, now=now, actor=SYSTEM)

    results = at_once(any_app, edit)
    assert sum(isinstance(result, Conflict) for result in results) == WRITERS - 1
    numbers = db.session.scalars(sa.select(Revision.number).order_by(Revision.number))
    assert numbers.all() == [1, 2]


def test_of_concurrent_posts_one_gets_the_slug(any_app: Flask, now: datetime) -> None:
    """The others get a Conflict, not a database error."""
    db.session.remove()
    results = at_once(
        any_app,
        lambda number: actions.create(Draft(title=f"{number}", slug="x"), now=now, actor=SYSTEM),
    )
    assert sum(isinstance(result, Conflict) for result in results) == WRITERS - 1
    assert db.session.scalar(sa.select(sa.func.count(Post.id))) == 1
