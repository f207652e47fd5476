"""The instants of a post: when it comes out, and that it is never changed before that."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.errors import Invalid
from app.publishing.models import Post, Redirect, Status
from app.publishing.permissions import SYSTEM

DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("due", [timedelta(0), -TICK])
def test_a_post_is_scheduled_only_for_the_future(
    article: Post, now: datetime, due: timedelta
) -> None:
    """The present instant is past."""
    with pytest.raises(Invalid, match="past"):
        actions.schedule(article.id, now + due, expected_version=1, now=now, actor=SYSTEM)
    post = actions.schedule(article.id, now + TICK, expected_version=1, now=now, actor=SYSTEM)
    assert (post.status, post.published_at) == (Status.SCHEDULED, now + TICK)


def test_a_scheduled_post_comes_out_at_its_instant(article: Post, now: datetime) -> None:
    """Not a microsecond earlier; drafts never do."""
    due = now + DAY
    actions.schedule(article.id, due, expected_version=1, now=now, actor=SYSTEM)
    actions.create(actions.Draft(title="A draft", published_at=now - DAY), now=now, actor=SYSTEM)
    assert actions.publish_due(due - TICK, actor=SYSTEM) == []
    assert actions.publish_due(due, actor=SYSTEM) == [article.id]
    post = db.session.get_one(Post, article.id)
    assert (post.status, post.published_at, post.updated_at) == (Status.PUBLISHED, due, due)
    assert actions.publish_due(due + DAY, actor=SYSTEM) == []


def test_scheduled_posts_come_out_in_the_order_of_their_instants(app: Flask, now: datetime) -> None:
    """Posts of one instant follow their ids."""
    ids = [
        actions.create(actions.Draft(title=f"Post {n}"), now=now, actor=SYSTEM).id for n in range(3)
    ]
    for post_id, days in zip(ids, (2, 1, 1), strict=True):
        actions.schedule(post_id, now + days * DAY, expected_version=1, now=now, actor=SYSTEM)
    assert actions.publish_due(now + 2 * DAY, actor=SYSTEM) == [ids[1], ids[2], ids[0]]


def test_a_scheduled_post_replaces_the_redirect_at_its_address(
    article: Post, now: datetime
) -> None:
    """Otherwise an old redirect would hide the post when it comes out."""
    later = actions.create(actions.Draft(title="Later", slug="later"), now=now, actor=SYSTEM)
    actions.schedule(later.id, now + DAY, expected_version=1, now=now, actor=SYSTEM)
    db.session.add(Redirect(source="/articles/later", post_id=article.id, created_at=now))
    db.session.commit()
    actions.publish_due(now + DAY, actor=SYSTEM)
    assert db.session.scalars(db.select(Redirect.source)).all() == []


def test_a_post_dated_into_the_past_keeps_its_date(app: Flask, now: datetime) -> None:
    """The instant of publishing counts as past; a later date becomes that instant."""
    for date, published_at in ((now - DAY, now - DAY), (now, now), (now + TICK, now), (None, now)):
        draft = actions.Draft(title=f"Dated {date}", published_at=date)
        post = actions.create(draft, now=now - 2 * DAY, actor=SYSTEM)
        post = actions.publish(post.id, expected_version=1, now=now, actor=SYSTEM)
        assert post.published_at == published_at
        assert post.updated_at == published_at


def test_a_change_is_never_dated_before_the_publication(app: Flask, now: datetime) -> None:
    """Saving the same draft again changes nothing; a later date moves both instants."""
    draft = actions.Draft(
        title="Dated", body_markdown="x", published_at=now - DAY, updated_at=now - 3 * DAY
    )
    post = actions.create(draft, now=now, actor=SYSTEM)
    post = actions.publish(post.id, expected_version=1, now=now, actor=SYSTEM)
    version = post.version
    assert (post.published_at, post.updated_at) == (now - DAY, now - DAY)
    post = actions.revise(post.id, draft, expected_version=version, now=now, actor=SYSTEM)
    assert (post.published_at, post.updated_at, post.version) == (now - DAY, now - DAY, version)
    moved = actions.Draft(title="Dated", body_markdown="x", published_at=now)
    post = actions.revise(post.id, moved, expected_version=version, now=now, actor=SYSTEM)
    assert (post.published_at, post.updated_at) == (now, now)


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SCHEDULED, Status.PUBLISHED])
def test_a_revision_may_be_dated_now_only_if_the_post_is_not_scheduled(
    article: Post, now: datetime, status: Status
) -> None:
    """A scheduled post needs a later instant, and a public post must not have one."""
    if status is Status.SCHEDULED:
        actions.schedule(article.id, now + DAY, expected_version=1, now=now, actor=SYSTEM)
    if status is Status.PUBLISHED:
        actions.publish(article.id, expected_version=1, now=now - DAY, actor=SYSTEM)
    version = article.version
    for date in (now, now + TICK):
        draft = actions.Draft(title=article.title, body_markdown="x", published_at=date)
        refused = status is (Status.SCHEDULED if date == now else Status.PUBLISHED)
        if refused:
            with pytest.raises(Invalid, match="future"):
                actions.revise(article.id, draft, expected_version=version, now=now, actor=SYSTEM)
        else:
            post = actions.revise(
                article.id, draft, expected_version=version, now=now, actor=SYSTEM
            )
            version = post.version
            assert post.published_at == date
