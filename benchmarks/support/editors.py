"""Editors: what is edited next, through the same actions that an editor's studio calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Post, Topic
from app.publishing.permissions import SYSTEM

from . import content
from .content import Volume
from .readers import Readers, path_of

SHARES = {"body": 60, "title": 15, "publish": 15, "topic": 5, "unpublish": 5}
"""Of a hundred edits, how many are of which kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A published post, as far as an editor has it in mind."""

    id: int
    slug: str
    topics: tuple[int, ...]
    authors: tuple[int, ...]

    @property
    def path(self) -> str:
        """Where readers find it."""
        return path_of(self.slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What was edited: a story or a topic."""

    kind: str
    story: Story | None = None
    topic: int = 0


@dataclass(slots=True)
class Editors:
    """They edit new stories more often than old ones, by the same law by which those are read."""

    app: Flask
    volume: Volume
    readers: Readers
    chance: Random
    stories: list[Story] = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        self.stories = [self._story(n, n) for n in range(self.volume.posts, 0, -1)]

    def edit(self, now: datetime) -> Edit:
        """Do the next edit and say what it was."""
        kind = self.chance.choices([*SHARES], [*SHARES.values()])[0]
        self.count += 1
        with self.app.app_context():
            try:
                return getattr(self, f"_{kind}")(now)  # type: ignore[no-any-return]  # one of the five below
            finally:
                db.session.remove()

    def _story(self, post_id: int, number: int) -> Story:
        return Story(
            id=post_id,
            slug=content.slug(number),
            topics=tuple(content.topics_of(number)),
            authors=tuple(content.authors_of(number)),
        )

    def _any(self) -> Story:
        return self.stories[self.readers.rank(len(self.stories))]

    def _body(self, now: datetime) -> Edit:
        return self._revise("body", now)

    def _title(self, now: datetime) -> Edit:
        return self._revise("title", now)

    def _revise(self, kind: str, now: datetime) -> Edit:
        story = self._any()
        post = self._post(story)
        remark = f"As was noted later, for the {self.count}th time." if kind == "body" else ""
        body = content.body(self.volume.sentences, remark) if remark else post.body_markdown
        draft = actions.Draft(
            title=f"Title number {self.count}" if kind == "title" else post.title,
            body_markdown=body,
            slug=post.slug,
            summary=post.summary,
            author_ids=story.authors,
            topic_ids=story.topics,
            cover_id=post.cover_id,
            cover_alt=post.cover_alt,
        )
        actions.revise(post.id, draft, expected_version=post.version, now=now, actor=SYSTEM)
        return Edit(kind=kind, story=story)

    def _publish(self, now: datetime) -> Edit:
        number = self.volume.posts + self.count
        draft = actions.Draft(
            title=f"Story number {number}",
            body_markdown=content.body(self.volume.sentences),
            slug=content.slug(number),
            summary=f"What happened in story number {number}, in one sentence.",
            author_ids=tuple(content.authors_of(number)),
            topic_ids=tuple(content.topics_of(number)),
        )
        post = actions.create(draft, now=now, actor=SYSTEM)
        actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
        story = self._story(post.id, number)
        self.stories.insert(0, story)
        self.readers.announce(story.path)
        return Edit(kind="publish", story=story)

    def _unpublish(self, now: datetime) -> Edit:
        story = self._any()
        post = self._post(story)
        actions.unpublish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
        self.stories.remove(story)
        return Edit(kind="unpublish", story=story)

    def _topic(self, now: datetime) -> Edit:
        number = self.chance.randint(1, content.TOPICS)
        topic = db.session.get(Topic, number)
        assert topic is not None
        name = f"Topic {number}, edition {self.count}"
        draft = actions.TopicDraft(name=name, slug=topic.slug, description=topic.description)
        actions.save_topic(draft, now=now, topic_id=number, actor=SYSTEM)
        return Edit(kind="topic", topic=number)

    def _post(self, story: Story) -> Post:
        post = db.session.get(Post, story.id)
        assert post is not None
        return post
