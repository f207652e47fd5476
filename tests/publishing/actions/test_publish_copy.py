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
from app.publishing.actions import AuthorDraft, CopyFields, Draft, Release, Timing, TopicDraft
from app.publishing.actions.publish_copy import OpenForkError, OutdatedCopyError
from app.publishing.dry_run import pages_touched_by
from app.publishing.editing.working_copies import StaleCopyError
from app.publishing.errors import Conflict, Forbidden, Invalid, Missing
from app.publishing.models import (
    Author,
    Kind,
    Ownership,
    Post,
    PreviewLink,
    Publication,
    Redirect,
    Revision,
    Role,
    Status,
    Topic,
    WorkingCopy,
    WorkingCopyStep,
)
from app.publishing.permissions import SYSTEM, Actor
from tests.publishing.actions.people import hire

START = CopyFields(title="First light", body_markdown="The *first* text.")
PUBLISH = Release(timing=Timing.NOW)
SAVE = Release(timing=Timing.LATER)


@pytest.fixture
def ada(any_app: Flask) -> Actor:
    """An editor."""
    return hire("Ada")


def begin(ada: Actor, now: datetime, fields: CopyFields = START, kind: Kind = Kind.ARTICLE) -> int:
    """Begin a new post; the id of its copy, at version 1."""
    return actions.create_copy(kind, fields, now=now, actor=ada).id


def published(ada: Actor, now: datetime, kind: Kind = Kind.ARTICLE) -> Post:
    """A post that was published from a copy."""
    copy_id = begin(ada, now, kind=kind)
    publication = actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    return db.session.get_one(Post, publication.post_id)


def edit(post: Post, ada: Actor, now: datetime, **changed: Any) -> tuple[int, int]:
    """Change fields in the copy of a post; the copy's id and version."""
    copy = actions.open_copy(post.id, now=now, actor=ada)
    fields = replace(CopyFields.from_json(copy.fields), **changed)
    saved = actions.save_copy(copy.id, fields, version=copy.version, now=now, actor=ada)
    return copy.id, saved.version


def counts(*models: type[Any]) -> list[int]:
    """How many rows each table has."""
    db.session.rollback()
    return [db.session.scalar(sa.select(sa.func.count()).select_from(m)) or 0 for m in models]


def test_a_new_post_is_published_from_its_copy(ada: Actor, now: datetime) -> None:
    """The post, its revision and its owner are there; the copy and its steps are gone."""
    copy_id = begin(ada, now)
    publication = actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    post = db.session.get_one(Post, publication.post_id)
    assert (post.status, post.slug, post.published_at) == (Status.PUBLISHED, "first-light", now)
    assert post.body_html == "<p>The <em>first</em> text.</p>\n"
    assert db.session.get_one(Ownership, post.id).user_id == ada.user_id
    assert (publication.action, publication.copy_id) == ("publish", copy_id)
    assert counts(WorkingCopy, WorkingCopyStep, Revision) == [0, 0, 1]


def test_publish_pressed_twice_changes_nothing_more(ada: Actor, now: datetime) -> None:
    """The second request finds the copy gone, and the record of the first."""
    copy_id = begin(ada, now)
    first = actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada).id
    with pytest.raises(Missing, match="published or discarded"):
        actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    found = db.session.scalars(sa.select(Publication.id).where(Publication.copy_id == copy_id))
    assert found.all() == [first]
    assert counts(Post) == [1]


def test_a_saved_draft_keeps_its_copy(ada: Actor, now: datetime) -> None:
    """The writer goes on in the same editor; the saved post is the base of what follows."""
    copy_id = begin(ada, now)
    publication = actions.publish_copy(copy_id, SAVE, version=1, now=now, actor=ada)
    copy = db.session.get_one(WorkingCopy, copy_id)
    assert (copy.post_id, copy.base_revision, copy.version) == (publication.post_id, 1, 1)
    assert copy.base_fields == copy.fields
    again = replace(START, body_markdown="More.")
    actions.save_copy(copy_id, again, version=1, now=now, actor=ada)
    actions.publish_copy(copy_id, SAVE, version=2, now=now, actor=ada)
    post = db.session.get_one(Post, publication.post_id, populate_existing=True)
    assert (post.status, post.body_markdown) == (Status.DRAFT, "More.")
    assert counts(WorkingCopy, Post, Revision) == [1, 1, 2]


def test_the_post_belongs_to_the_writer_who_began_it(ada: Actor, now: datetime) -> None:
    """Also if an editor publishes it."""
    eve = hire("Eve", Role.WRITER)
    copy_id = begin(eve, now)
    with pytest.raises(Forbidden):
        actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=eve)
    assert counts(Post, WorkingCopy) == [0, 1]
    publication = actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    assert db.session.get_one(Ownership, publication.post_id).user_id == eve.user_id


def test_a_writer_saves_a_draft_but_publishes_nothing(ada: Actor, now: datetime) -> None:
    """Nor schedules; nothing of a refused attempt is written."""
    eve = hire("Eve", Role.WRITER)
    copy_id = begin(eve, now)
    actions.publish_copy(copy_id, SAVE, version=1, now=now, actor=eve)
    actions.save_copy(copy_id, CopyFields(title="New"), version=1, now=now, actor=eve)
    due = Release(timing=Timing.AT, due=now + timedelta(days=1))
    for release in (PUBLISH, due):
        with pytest.raises(Forbidden):
            actions.publish_copy(copy_id, release, version=2, now=now, actor=eve)
    assert counts(Post, Revision, Publication, WorkingCopy) == [1, 1, 1, 1]
    assert db.session.scalars(sa.select(Post.title)).one() == "First light"


def test_a_scheduled_post_goes_out_with_its_saved_text(ada: Actor, now: datetime) -> None:
    """Later changes of the copy are not part of it, and are still there afterwards."""
    due = now + timedelta(hours=2)
    copy_id = begin(ada, now)
    release = Release(timing=Timing.AT, due=due)
    publication = actions.publish_copy(copy_id, release, version=1, now=now, actor=ada)
    post = db.session.get_one(Post, publication.post_id)
    assert (post.status, post.published_at) == (Status.SCHEDULED, due)
    copy_id, version = edit(post, ada, now, body_markdown="Too late.")
    assert actions.publish_due(due, actor=SYSTEM) == [post.id]
    post = db.session.get_one(Post, post.id, populate_existing=True)
    assert post.body_markdown == "The *first* text."
    actions.publish_copy(copy_id, PUBLISH, version=version, now=due, actor=ada)
    post = db.session.get_one(Post, post.id, populate_existing=True)
    assert (post.body_markdown, post.published_at) == ("Too late.", due)


def test_a_change_of_the_version_alone_is_no_conflict(ada: Actor, now: datetime) -> None:
    """The menu was arranged meanwhile: the copy is published, and the page keeps its place."""
    post = published(ada, now, Kind.PAGE)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    actions.arrange_menu([post.slug], actor=SYSTEM)
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    post = db.session.get_one(Post, post.id, populate_existing=True)
    assert (post.menu_position, post.body_markdown) == (1, "New.")


def test_a_newer_revision_is_a_conflict(ada: Actor, now: datetime) -> None:
    """Such as that of an import: nothing is written until the copy is rebased."""
    post = published(ada, now)
    copy_id, version = edit(post, ada, now, summary="In short.")
    draft = Draft(title="First light", body_markdown="Imported.")
    actions.revise(post.id, draft, expected_version=post.version, now=now, actor=SYSTEM)
    with pytest.raises(OutdatedCopyError):
        actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    assert db.session.scalars(sa.select(Post.body_markdown)).one() == "Imported."
    actions.rebase_copy(copy_id, version=version, now=now, actor=ada)
    actions.publish_copy(copy_id, PUBLISH, version=version + 1, now=now, actor=ada)
    row = db.session.execute(sa.select(Post.body_markdown, Post.summary)).one()
    assert tuple(row) == ("Imported.", "In short.")


def test_a_fact_that_both_have_changed_is_a_conflict(ada: Actor, now: datetime) -> None:
    """A change of the authors makes no revision of its own in an import."""
    post = published(ada, now)
    ids = [actions.save_author(AuthorDraft(name=n), now=now, actor=SYSTEM).id for n in ("a", "b")]
    copy_id, version = edit(post, ada, now, author_ids=(ids[0],), body_markdown="New.")
    draft = Draft(title="First light", body_markdown=START.body_markdown, author_ids=(ids[1],))
    db.session.refresh(post)
    actions.revise(post.id, draft, expected_version=post.version, now=now, actor=SYSTEM)
    with pytest.raises(OutdatedCopyError, match="author_ids"):
        actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)


def test_a_copy_with_a_fork_is_not_published(ada: Actor, now: datetime) -> None:
    """The text of the fork would be lost with the copy."""
    copy_id = begin(ada, now)
    saved = actions.save_copy(copy_id, CopyFields(title="x"), version=9, now=now, actor=ada)
    with pytest.raises(OpenForkError, match="1 text could not be merged"):
        actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    assert saved.fork_id is not None
    actions.discard_fork(copy_id, saved.fork_id, actor=ada)
    actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)


def test_a_text_that_nobody_has_seen_is_not_published(ada: Actor, now: datetime) -> None:
    """Another editor saved the copy after the button was shown."""
    copy_id = begin(ada, now)
    actions.save_copy(copy_id, CopyFields(title="New"), version=1, now=now, actor=ada)
    with pytest.raises(StaleCopyError):
        actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    assert counts(Post) == [0]


INVALID: dict[str, tuple[CopyFields, str]] = {
    "no title": (replace(START, title=""), "title"),
    "a bad slug": (replace(START, slug="Not a slug"), "slug"),
    "a place in the menu": (replace(START, menu_position=3), "menu_position"),
}


@pytest.mark.parametrize(("fields", "name"), INVALID.values(), ids=INVALID)
def test_a_field_that_can_not_be_published_is_named(
    ada: Actor, now: datetime, fields: CopyFields, name: str
) -> None:
    """The copy stays, and nothing else is written."""
    copy_id = begin(ada, now, fields)
    with pytest.raises(Invalid) as raised:
        actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    assert raised.value.field == name
    assert counts(Post, WorkingCopy, Publication) == [0, 1, 0]


def test_an_error_after_the_text_was_saved_keeps_nothing(ada: Actor, now: datetime) -> None:
    """The time of the schedule is past by the time of the request."""
    post = published(ada, now)
    actions.unpublish(post.id, expected_version=post.version, now=now, actor=ada)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    release = Release(timing=Timing.AT, due=now)
    with pytest.raises(Invalid, match="past"):
        actions.publish_copy(copy_id, release, version=version, now=now, actor=ada)
    assert counts(WorkingCopy, Revision, Publication) == [1, 1, 1]
    assert db.session.scalars(sa.select(Post.body_markdown)).one() == START.body_markdown


def test_a_public_post_is_neither_saved_nor_scheduled_in_silence(ada: Actor, now: datetime) -> None:
    """To save it is to publish it, and that is another button."""
    post = published(ada, now)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    for release in (SAVE, Release(timing=Timing.AT, due=now + timedelta(days=1))):
        with pytest.raises(Conflict, match="public"):
            actions.publish_copy(copy_id, release, version=version, now=now, actor=ada)
    assert counts(Revision) == [1]


@pytest.mark.parametrize("new_date", [False, True])
def test_an_update_keeps_the_date_or_takes_a_new_one(
    ada: Actor, now: datetime, *, new_date: bool
) -> None:
    """As its editor says."""
    post = published(ada, now)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    later = now + timedelta(days=3)
    release = Release(timing=Timing.NOW, new_date=new_date)
    publication = actions.publish_copy(copy_id, release, version=version, now=later, actor=ada)
    post = db.session.get_one(Post, post.id, populate_existing=True)
    assert publication.action == "update"
    assert (post.published_at, post.updated_at) == (later if new_date else now, later)


def test_a_change_of_other_fields_makes_a_revision(ada: Actor, now: datetime) -> None:
    """So that a restore has the authors of that time."""
    post = published(ada, now)
    author = actions.save_author(AuthorDraft(name="a"), now=now, actor=SYSTEM).id
    copy_id, version = edit(post, ada, now, author_ids=(author,))
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    facts = db.session.scalars(sa.select(Revision.facts).order_by(Revision.number)).all()
    assert [(fact or {})["author_ids"] for fact in facts] == [[], [author]]
    copy_id, version = edit(post, ada, now)
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    assert counts(Revision) == [2]


def test_new_topics_and_authors_are_created_with_the_post(ada: Actor, now: datetime) -> None:
    """Not before: a topic is public, a working copy is not."""
    topic = actions.save_topic(TopicDraft(name="Rain"), now=now, actor=SYSTEM).id
    fields = replace(START, topic_ids=(topic,), new_topics=("Snow",), new_authors=("Zoe",))
    copy_id = begin(ada, now, fields)
    assert counts(Topic, Author) == [1, 0]
    actions.publish_copy(copy_id, SAVE, version=1, now=now, actor=ada)
    post = db.session.scalars(sa.select(Post)).one()
    assert [topic.name for topic in post.topics] == ["Rain", "Snow"]
    assert [author.name for author in post.authors] == ["Zoe"]
    copy = db.session.get_one(WorkingCopy, copy_id)
    assert copy.fields["topic_ids"] == [topic.id for topic in post.topics]
    assert copy.fields["new_topics"] == copy.fields["new_authors"] == []
    eve = hire("Eve", Role.WRITER)
    copy_id = begin(eve, now, replace(START, new_authors=("Max",)))
    with pytest.raises(Forbidden, match="authors"):
        actions.publish_copy(copy_id, SAVE, version=1, now=now, actor=eve)


def test_the_slug_follows_the_title_until_it_is_public(ada: Actor, now: datetime) -> None:
    """Then it stays, whatever the title becomes."""
    actions.create(Draft(title="Second light"), now=now, actor=SYSTEM)
    copy_id = begin(ada, now)
    slugs = []
    version = 1
    for title in ("First light", "Second light", "Second light!"):
        fields = replace(START, title=title)
        saved = actions.save_copy(copy_id, fields, version=version, now=now, actor=ada)
        version = saved.version
        post_id = actions.publish_copy(copy_id, SAVE, version=version, now=now, actor=ada).post_id
        slugs.append(db.session.get_one(Post, post_id).slug)
    assert slugs == ["first-light", "second-light-2", "second-light-2"]
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    post = db.session.get_one(Post, post_id)
    copy_id, version = edit(post, ada, now, title="Third light")
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    post = db.session.get_one(Post, post_id, populate_existing=True)
    assert (post.title, post.slug) == ("Third light", "second-light-2")


def test_a_slug_of_the_writer_stays(ada: Actor, now: datetime) -> None:
    """Neither a new title nor a save changes it."""
    copy_id = begin(ada, now, replace(START, slug="mine"))
    post_id = actions.publish_copy(copy_id, SAVE, version=1, now=now, actor=ada).post_id
    fields = replace(START, slug="mine", title="Other")
    actions.save_copy(copy_id, fields, version=1, now=now, actor=ada)
    actions.publish_copy(copy_id, SAVE, version=2, now=now, actor=ada)
    assert db.session.get_one(Post, post_id, populate_existing=True).slug == "mine"


def test_a_renamed_post_keeps_its_new_address(ada: Actor, now: datetime) -> None:
    """A copy from before the rename does not move it back; a slug that it changed does move it."""
    post = published(ada, now)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    renamed = actions.rename(post.id, "moved", expected_version=post.version, now=now, actor=ada)
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    assert db.session.get_one(Post, post.id, populate_existing=True).slug == "moved"
    copy_id, version = edit(renamed, ada, now, slug="again")
    actions.publish_copy(copy_id, PUBLISH, version=version, now=now, actor=ada)
    assert db.session.get_one(Post, post.id, populate_existing=True).slug == "again"
    sources = db.session.scalars(sa.select(Redirect.source).order_by(Redirect.source))
    assert sources.all() == ["/articles/first-light", "/articles/moved"]


def test_a_rename_after_unpublish_and_schedule_leaves_a_redirect(ada: Actor, now: datetime) -> None:
    """Readers have linked to the address, whatever the date of the post is now."""
    post = published(ada, now)
    actions.unpublish(post.id, expected_version=post.version, now=now, actor=ada)
    copy_id, version = edit(post, ada, now, slug="other")
    release = Release(timing=Timing.AT, due=now + timedelta(days=1))
    actions.publish_copy(copy_id, release, version=version, now=now, actor=ada)
    assert db.session.scalars(sa.select(Redirect.source)).all() == ["/articles/first-light"]


def test_a_preview_link_follows_the_text_to_its_post(ada: Actor, now: datetime) -> None:
    """The reviewer's link still works after the post was published."""
    copy_id = begin(ada, now)
    link, token = actions.create_preview_link(copy_id, label="Zoe", now=now, actor=ada)
    assert (len(token), token, link.post_id) == (32, token.lower(), None)
    assert token not in link.token_hash
    link_id = link.id
    post_id = actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada).post_id
    link = db.session.get_one(PreviewLink, link_id, populate_existing=True)
    assert (link.working_copy_id, link.post_id) == (None, post_id)
    later = now + timedelta(minutes=1)
    for at in (later, later + timedelta(days=1)):
        assert actions.revoke_preview_link(link_id, now=at, actor=ada).revoked_at == later


CHANGES: dict[str, tuple[Callable[[Post, Actor, datetime], Publication], Status]] = {
    "unpublish": (
        lambda post, actor, now: actions.change_post(
            post.id, "unpublish", expected_version=post.version, now=now, actor=actor
        ),
        Status.DRAFT,
    ),
    "archive": (
        lambda post, actor, now: actions.change_post(
            post.id, "archive", expected_version=post.version, now=now, actor=actor
        ),
        Status.ARCHIVED,
    ),
    "rename": (
        lambda post, actor, now: actions.move_post(
            post.id, "other", expected_version=post.version, now=now, actor=actor
        ),
        Status.PUBLISHED,
    ),
}


@pytest.mark.parametrize(("change", "status"), CHANGES.values(), ids=CHANGES)
def test_other_changes_leave_the_copy_alone(
    ada: Actor,
    now: datetime,
    change: Callable[[Post, Actor, datetime], Publication],
    status: Status,
) -> None:
    """Each is recorded like a publication; a stale version is a conflict."""
    post = published(ada, now)
    copy_id, version = edit(post, ada, now, body_markdown="New.")
    publication = change(post, ada, now)
    assert publication.post_id == post.id
    assert db.session.get_one(Post, post.id, populate_existing=True).status is status
    copy = db.session.get_one(WorkingCopy, copy_id)
    assert (copy.version, copy.fields["body_markdown"]) == (version, "New.")
    with pytest.raises(Conflict):
        actions.change_post(post.id, "archive", expected_version=1, now=now, actor=ada)


def test_a_dry_run_of_a_publication_writes_nothing(ada: Actor, now: datetime) -> None:
    """The copy, its post and the record are as they were."""
    copy_id = begin(ada, now)
    impact = pages_touched_by(
        lambda: actions.publish_copy(copy_id, PUBLISH, version=1, now=now, actor=ada)
    )
    assert impact.urls == ()
    assert counts(Post, WorkingCopy, Publication) == [0, 1, 0]


def test_a_release_with_a_time_is_a_schedule(now: datetime) -> None:
    """And only that."""
    for contradiction in ({"timing": Timing.AT}, {"timing": Timing.NOW, "due": now}):
        with pytest.raises(ValueError, match="due time"):
            Release(**contradiction)


@pytest.mark.parametrize("has_owner", [True, False])
def test_a_command_saves_a_copy_for_the_user_who_began_it(
    ada: Actor, now: datetime, has_owner: bool
) -> None:
    """SYSTEM owns no post: it is that of the copy's user, or of nobody."""
    copy = actions.create_copy(Kind.ARTICLE, START, now=now, actor=ada if has_owner else SYSTEM)
    actions.publish_copy(copy.id, PUBLISH, version=copy.version, now=now, actor=SYSTEM)
    owners = db.session.scalars(sa.select(Ownership.user_id)).all()
    assert list(owners) == ([ada.user_id] if has_owner else [])
