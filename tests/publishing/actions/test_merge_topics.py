"""Merging a topic into another one."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import CopyFields, Draft, TopicDraft
from app.publishing.dry_run import pages_touched_by
from app.publishing.errors import Invalid, Missing
from app.publishing.models import Fork, Post, Redirect, Revision, Topic, WorkingCopy, post_topic
from app.publishing.permissions import SYSTEM
from app.publishing.search import sources

from ..conftest import dump_database

NAMES = ("Rain", "Fog", "Wind")


@pytest.fixture
def topics(any_app: Flask, now: datetime) -> list[int]:
    """Return the ids of three topics, on each database."""
    return [actions.save_topic(TopicDraft(name=name), now=now, actor=SYSTEM).id for name in NAMES]


def add_post(title: str, topic_ids: tuple[int, ...], now: datetime) -> int:
    """Publish an article about these topics; return its id."""
    post = actions.create(Draft(title=title, topic_ids=topic_ids), now=now, actor=SYSTEM)
    actions.publish(post.id, expected_version=1, now=now, actor=SYSTEM)
    return post.id


def links() -> dict[int, list[tuple[int, int]]]:
    """Return the position and the topic of each link, by post."""
    rows = db.session.execute(sa.select(post_topic).order_by(post_topic.c.position)).all()
    posts = {row.post_id for row in rows}
    return {one: [(r.position, r.topic_id) for r in rows if r.post_id == one] for one in posts}


def test_posts_move_and_keep_their_order(topics: list[int], now: datetime) -> None:
    """The other topic takes the place of the first; a post with both has it once, without a gap."""
    rain, fog, wind = topics
    alone = add_post("Alone", (wind, rain), now)
    before = add_post("Before", (rain, wind, fog), now)
    after = add_post("After", (fog, rain, wind), now)
    other = add_post("Other", (wind,), now)
    actions.merge_topics(rain, into_id=fog, now=now, actor=SYSTEM)
    assert links() == {
        alone: [(0, wind), (1, fog)],
        before: [(0, fog), (1, wind)],
        after: [(0, fog), (1, wind)],
        other: [(0, wind)],
    }
    assert set(db.session.scalars(sa.select(Topic.name))) == {"Fog", "Wind"}


def test_the_old_address_and_older_ones_redirect(topics: list[int], now: datetime) -> None:
    """In one step each, also from addresses that the topic had before."""
    rain, fog, _ = topics
    actions.save_topic(TopicDraft(name="Rain", slug="wet"), now=now, actor=SYSTEM, topic_id=rain)
    actions.merge_topics(rain, into_id=fog, now=now, actor=SYSTEM)
    redirects = {one.source: one.target for one in db.session.scalars(sa.select(Redirect))}
    assert redirects == {"/topics/rain": "/topics/fog", "/topics/wet": "/topics/fog"}


def test_stored_texts_get_the_other_topic(topics: list[int], now: datetime) -> None:
    """A working copy can be published, a fork resolved and a revision restored afterwards."""
    rain, fog, wind = topics
    post_id = add_post("First", (rain, fog, wind), now)
    copy = actions.open_copy(post_id, now=now, actor=SYSTEM)
    fields = CopyFields(title="New", topic_ids=(wind, rain))
    actions.save_copy(copy.id, fields, version=1, now=now, actor=SYSTEM)
    other = CopyFields(title="Fork", topic_ids=(fog, rain))
    actions.save_copy(copy.id, other, version=99, now=now, actor=SYSTEM)
    actions.merge_topics(rain, into_id=fog, now=now, actor=SYSTEM)
    db.session.rollback()
    copy = db.session.get_one(WorkingCopy, copy.id, populate_existing=True)
    assert copy.base_fields["topic_ids"] == [fog, wind]
    assert copy.fields["topic_ids"] == [wind, fog]
    assert db.session.scalars(sa.select(Fork.fields)).one()["topic_ids"] == [fog]
    facts = db.session.scalars(sa.select(Revision.facts)).all()
    assert [one and one["topic_ids"] for one in facts] == [[fog, wind]]
    actions.discard_fork(copy.id, db.session.scalars(sa.select(Fork.id)).one(), actor=SYSTEM)
    release = actions.Release(timing=actions.Timing.NOW)
    actions.publish_copy(copy.id, release, version=copy.version, now=now, actor=SYSTEM)
    assert [topic for _, topic in links()[post_id]] == [wind, fog]


def test_exactly_the_pages_that_show_the_topics_are_purged(
    any_app: Flask, topics: list[int], now: datetime
) -> None:
    """The pages of both topics, their articles and the lists; articles of other topics stay.

    `/topics/wind` is purged though its bytes stay the same: the dependencies of its list match
    every deleted topic.
    """
    rain, fog, wind = topics
    for title, topic in (("Wet", rain), ("Grey", fog), ("Loud", wind)):
        add_post(title, (topic,), now)
    db.session.remove()
    paths = [f"/topics/{slug}" for slug in ("rain", "fog", "wind")]
    paths += ["/articles/wet", "/articles/loud", "/topics", "/archive", "/authors"]
    before = read_pages(any_app, paths)
    merging = partial(actions.merge_topics, rain, into_id=fog, now=now, actor=SYSTEM)
    urls = {*pages_touched_by(merging).urls}
    assert db.session.get(Topic, rain) is not None
    merging()
    after = read_pages(any_app, paths)
    changed = {path for path in paths if before[path] != after[path]}
    assert {"/topics/rain", "/topics/fog", "/articles/wet", "/topics"} <= changed
    assert urls & {*paths} == changed | {"/topics/wind"}


def read_pages(app: Flask, paths: list[str]) -> dict[str, tuple[int, bytes]]:
    """Return the status and the body of each page."""
    pages = {}
    for path in paths:
        response = app.test_client().get(path)
        pages[path] = (response.status_code, response.data)
        db.session.remove()
    return pages


def test_a_refused_merge_changes_nothing(topics: list[int], now: datetime) -> None:
    """A topic can't be merged into itself, nor into one that is gone."""
    add_post("Wet", (topics[0],), now)
    before = dump_database()
    with pytest.raises(Invalid, match="into itself"):
        actions.merge_topics(topics[0], into_id=topics[0], now=now, actor=SYSTEM)
    for pair in ((topics[0], 99), (99, topics[0])):
        with pytest.raises(Missing):
            actions.merge_topics(pair[0], into_id=pair[1], now=now, actor=SYSTEM)
    assert dump_database() == before


def test_search_finds_moved_posts_by_the_other_topic(topics: list[int], now: datetime) -> None:
    """The index has the name of the topic that the post has now."""
    post_id = add_post("Wet", (topics[0],), now)
    actions.merge_topics(topics[0], into_id=topics[1], now=now, actor=SYSTEM)
    names = {one.post_id: one.names for one in sources.load(db.session(), [post_id])}
    assert names == {post_id: ("Fog",)}
    assert actions.reindex(actor=SYSTEM).changed == 0
    assert db.session.get_one(Post, post_id).version == 2
