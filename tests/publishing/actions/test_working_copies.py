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
from app.publishing.actions import AuthorDraft, CopyFields, Draft, Rebase, SaveOutcome, TopicDraft
from app.publishing.actions.rebase_copy import lock_both
from app.publishing.editing.working_copies import MOST_STEPS, STEPS, StaleCopyError
from app.publishing.errors import Conflict, Forbidden, Invalid, Missing
from app.publishing.models import (
    Fork,
    Kind,
    Post,
    Presence,
    Revision,
    Role,
    WorkingCopy,
    WorkingCopyStep,
)
from app.publishing.permissions import SYSTEM, Actor
from app.publishing.transaction import transaction
from tests.publishing.actions.people import hire

TEXT = "One two three.\n\nFour five six.\n"
START = CopyFields(title="Title", body_markdown=TEXT)


@pytest.fixture
def ada(any_app: Flask) -> Actor:
    """An editor."""
    return hire("Ada")


@pytest.fixture
def bob(any_app: Flask) -> Actor:
    """Another editor."""
    return hire("Bob")


@pytest.fixture
def copy(ada: Actor, now: datetime) -> WorkingCopy:
    """A new post of Ada's, with a text, at version 1."""
    return actions.create_copy(Kind.ARTICLE, START, now=now, actor=ada)


def text_of(copy_id: int) -> str:
    """The text of a copy as the database has it."""
    db.session.rollback()
    fields = db.session.scalars(sa.select(WorkingCopy.fields).where(WorkingCopy.id == copy_id))
    text: str = fields.one()["body_markdown"]
    return text


def change(copy: WorkingCopy, old: str, new: str, **more: Any) -> CopyFields:
    """The fields with which a copy began, with one edit of the text."""
    fields = CopyFields.from_json(copy.base_fields) if copy.post_id else START
    return replace(fields, body_markdown=fields.body_markdown.replace(old, new), **more)


def test_a_save_adopts_the_next_version(copy: WorkingCopy, ada: Actor, now: datetime) -> None:
    """The returned version is the base of the next save."""
    for version in (1, 2, 3):
        fields = CopyFields(title=f"Title {version}")
        saved = actions.save_copy(copy.id, fields, version=version, now=now, actor=ada)
        assert (saved.outcome, saved.version) == (SaveOutcome.SAVED, version + 1)
        assert saved.fields == fields


def test_the_same_fields_are_not_written(copy: WorkingCopy, ada: Actor, now: datetime) -> None:
    """Neither a version nor a step nor a date changes, also if the caller's version is old."""
    fields = change(copy, "two", "2")
    actions.save_copy(copy.id, fields, version=1, now=now, actor=ada)
    later = now + timedelta(hours=1)
    for version in (2, 1, 7):
        saved = actions.save_copy(copy.id, fields, version=version, now=later, actor=ada)
        assert (saved.outcome, saved.version) == (SaveOutcome.UNCHANGED, 2)
    row = db.session.get_one(WorkingCopy, copy.id, populate_existing=True)
    assert row.updated_at == now
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WorkingCopyStep)) == 2


def test_changes_of_two_editors_are_merged(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """Each had loaded version 1; the second gets the text of both."""
    mine, yours = change(copy, "two", "2"), change(copy, "five", "5", title="New title")
    actions.save_copy(copy.id, mine, version=1, now=now, actor=ada)
    saved = actions.save_copy(copy.id, yours, version=1, now=now, actor=bob)
    assert (saved.outcome, saved.version) == (SaveOutcome.MERGED, 3)
    assert saved.fields.body_markdown == "One 2 three.\n\nFour 5 six.\n"
    assert saved.fields.title == "New title"
    assert text_of(copy.id) == saved.fields.body_markdown


def test_a_text_that_overlaps_is_kept_as_a_fork(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """The copy keeps the first text; the second one is stored whole, with its writer."""
    first, second = change(copy, "two", "2"), change(copy, "two", "zwei", summary="Mine.")
    actions.save_copy(copy.id, first, version=1, now=now, actor=ada)
    saved = actions.save_copy(copy.id, second, version=1, now=now, actor=bob, tab="t")
    assert (saved.outcome, saved.version) == (SaveOutcome.FORKED, 2)
    assert saved.overlaps == ("body_markdown",)
    assert saved.fields == first
    fork = db.session.get_one(Fork, saved.fork_id)
    assert CopyFields.from_json(fork.fields) == second
    assert (fork.user_id, fork.base_version, fork.tab) == (bob.user_id, 1, "t")
    assert text_of(copy.id) == first.body_markdown


def test_a_save_on_an_unknown_version_is_kept_as_a_fork(
    copy: WorkingCopy, ada: Actor, now: datetime
) -> None:
    """Such as one of a copy that a restored backup does not have yet."""
    for version in (0, 9):
        fields = change(copy, "two", f"number {version}")
        saved = actions.save_copy(copy.id, fields, version=version, now=now, actor=ada)
        assert (saved.outcome, saved.overlaps) == (SaveOutcome.FORKED, ())
    texts = [fork.fields["body_markdown"] for fork in db.session.scalars(sa.select(Fork))]
    assert [text.count("number") for text in texts] == [1, 1]


def test_a_tab_that_tries_again_has_one_fork(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """It holds what the tab sent last; another tab of the same writer has its own."""
    actions.save_copy(copy.id, change(copy, "two", "2"), version=1, now=now, actor=ada)
    for tab, word in (("a", "x"), ("a", "y"), ("b", "z"), ("", "w"), ("", "w"), ("", "v")):
        fields = change(copy, "two", word)
        actions.save_copy(copy.id, fields, version=1, now=now, actor=bob, tab=tab)
    forks = db.session.scalars(sa.select(Fork).order_by(Fork.id)).all()
    words = [(fork.tab, fork.fields["body_markdown"].split()[1]) for fork in forks]
    assert words == [("a", "y"), ("b", "z"), ("", "w"), ("", "v")]


def test_a_resolved_fork_becomes_the_text(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """Only on the version that its writer has seen; else the fork stays."""
    actions.save_copy(copy.id, change(copy, "two", "2"), version=1, now=now, actor=ada)
    saved = actions.save_copy(copy.id, change(copy, "two", "3"), version=1, now=now, actor=bob)
    fork_id, both = saved.fork_id, change(copy, "two", "2 and 3")
    assert fork_id is not None
    with pytest.raises(StaleCopyError):
        actions.resolve_fork(copy.id, fork_id, both, version=1, now=now, actor=bob)
    assert db.session.get(Fork, fork_id) is not None
    resolved = actions.resolve_fork(copy.id, fork_id, both, version=2, now=now, actor=bob)
    assert (resolved.version, db.session.get(Fork, fork_id)) == (3, None)
    assert text_of(copy.id) == both.body_markdown
    with pytest.raises(Missing):
        actions.discard_fork(copy.id, fork_id, actor=bob)


def test_a_fork_belongs_to_its_copy(copy: WorkingCopy, ada: Actor, now: datetime) -> None:
    """Nobody discards one through another copy, which they may edit."""
    saved = actions.save_copy(copy.id, CopyFields(title="x"), version=9, now=now, actor=ada)
    other = actions.create_copy(Kind.ARTICLE, now=now, actor=ada)
    assert saved.fork_id is not None
    with pytest.raises(Missing):
        actions.discard_fork(other.id, saved.fork_id, actor=ada)
    actions.discard_fork(copy.id, saved.fork_id, actor=ada)
    assert db.session.scalars(sa.select(Fork)).all() == []


def test_old_steps_are_deleted(copy: WorkingCopy, ada: Actor, now: datetime) -> None:
    """The newest ones stay whatever their age, and those of the last day up to a limit."""
    with db.session.begin_nested():
        db.session.execute(sa.delete(WorkingCopyStep))
        rows = [
            {"working_copy_id": copy.id, "version": n, "fields": {}, "tab": "", "created_at": now}
            for n in range(1, MOST_STEPS + 10)
        ]
        db.session.execute(sa.insert(WorkingCopyStep), rows)
        values = {"version": MOST_STEPS + 9}
        db.session.execute(sa.update(WorkingCopy).values(**values))
    db.session.commit()

    def steps_after_a_save(at: datetime, title: str) -> list[int]:
        db.session.rollback()
        version = db.session.scalars(sa.select(WorkingCopy.version)).one()
        fields = CopyFields(title=title)
        actions.save_copy(copy.id, fields, version=version, now=at, actor=ada)
        numbers = sa.select(WorkingCopyStep.version).order_by(WorkingCopyStep.version)
        return list(db.session.scalars(numbers))

    first = steps_after_a_save(now + timedelta(hours=1), "a")
    assert (len(first), first[-1]) == (MOST_STEPS, MOST_STEPS + 10)
    second = steps_after_a_save(now + timedelta(days=2), "b")
    assert second == list(range(MOST_STEPS + 12 - STEPS, MOST_STEPS + 12))


def test_the_id_of_a_deleted_copy_is_never_given_again(
    copy: WorkingCopy, ada: Actor, now: datetime
) -> None:
    """A tab that was left open can't save into another post."""
    copy_id = copy.id
    actions.discard_copy(copy_id, version=1, actor=ada)
    assert actions.create_copy(Kind.ARTICLE, now=now, actor=ada).id > copy_id
    with pytest.raises(Missing, match="published or discarded"):
        actions.save_copy(copy_id, CopyFields(title="x"), version=1, now=now, actor=ada)


def test_a_copy_that_was_saved_meanwhile_is_not_discarded(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """Its newer text was never seen by the person who discards it."""
    actions.save_copy(copy.id, CopyFields(title="New"), version=1, now=now, actor=bob)
    with pytest.raises(StaleCopyError, match="at version 2, you saw version 1"):
        actions.discard_copy(copy.id, version=1, actor=ada)
    assert actions.discard_copy(copy.id, version=2, actor=ada) is None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(WorkingCopyStep)) == 0


@pytest.fixture
def post(any_app: Flask, now: datetime) -> Post:
    """A published article with everything."""
    author = actions.save_author(AuthorDraft(name="Zoe"), now=now, actor=SYSTEM).id
    topic = actions.save_topic(TopicDraft(name="Rain"), now=now, actor=SYSTEM).id
    draft = Draft(title="Title", body_markdown=TEXT, author_ids=(author,), topic_ids=(topic,))
    post = actions.create(draft, now=now, actor=SYSTEM)
    return actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)


def revise(post: Post, now: datetime, **changed: Any) -> None:
    """Save the post as the importer does."""
    db.session.refresh(post)
    draft = Draft(
        **{
            "title": post.title,
            "body_markdown": post.body_markdown,
            "author_ids": tuple(author.id for author in post.authors),
            "topic_ids": tuple(topic.id for topic in post.topics),
            **changed,
        }
    )
    actions.revise(post.id, draft, expected_version=post.version, now=now, actor=SYSTEM)


def test_a_post_has_one_copy_for_all_its_editors(
    post: Post, ada: Actor, bob: Actor, now: datetime
) -> None:
    """It begins with everything that the post has; a summary that is made of the text is empty."""
    copy = actions.open_copy(post.id, now=now, actor=ada)
    assert actions.open_copy(post.id, now=now, actor=bob).id == copy.id
    fields = CopyFields.from_json(copy.fields)
    assert (fields.title, fields.slug, fields.summary) == ("Title", "title", "")
    assert fields.body_markdown == TEXT.strip()
    assert fields.author_ids == tuple(author.id for author in post.authors)
    assert fields.topic_ids == tuple(topic.id for topic in post.topics)
    assert (copy.base_revision, copy.version) == (1, 1)


def test_a_copy_without_changes_follows_its_post(post: Post, ada: Actor, now: datetime) -> None:
    """Nobody has to merge a text that they have not touched."""
    copy_id = actions.open_copy(post.id, now=now, actor=ada).id
    revise(post, now, body_markdown="Imported.")
    copy = actions.open_copy(post.id, now=now, actor=ada)
    assert (copy.id, copy.fields["body_markdown"], copy.base_revision) == (copy_id, "Imported.", 2)
    assert copy.base_fields == copy.fields


def test_a_copy_with_changes_waits_for_its_writer(post: Post, ada: Actor, now: datetime) -> None:
    """Opening it again changes nothing; a rebase merges the newer text."""
    copy = actions.open_copy(post.id, now=now, actor=ada)
    copy_id = copy.id
    actions.save_copy(copy.id, change(copy, "two", "2"), version=1, now=now, actor=ada)
    revise(post, now, body_markdown=TEXT.replace("five", "5"))
    copy = actions.open_copy(post.id, now=now, actor=ada)
    assert (copy.version, copy.base_revision) == (2, 1)
    merged = actions.rebase_copy(copy_id, version=2, now=now, actor=ada)
    assert merged.overlaps == ()
    assert text_of(copy_id) == "One 2 three.\n\nFour 5 six."
    assert db.session.get_one(WorkingCopy, copy_id).base_revision == 2


def test_a_rebase_with_overlaps_asks_a_person(post: Post, ada: Actor, now: datetime) -> None:
    """Nothing is written until somebody decides; the decision names the revision that they saw."""
    copy = actions.open_copy(post.id, now=now, actor=ada)
    copy_id, mine = copy.id, change(copy, "two", "2")
    actions.save_copy(copy_id, mine, version=1, now=now, actor=ada)
    revise(post, now, body_markdown=TEXT.replace("two", "zwei"))
    merged = actions.rebase_copy(copy_id, version=2, now=now, actor=ada)
    assert merged.overlaps == ("body_markdown",)
    assert text_of(copy_id) == mine.body_markdown
    with pytest.raises(Conflict, match="once more"):
        actions.rebase_copy(copy_id, Rebase(fields=mine, revision=1), version=2, now=now, actor=ada)
    actions.rebase_copy(copy_id, Rebase(fields=mine, revision=2), version=2, now=now, actor=ada)
    copy = db.session.get_one(WorkingCopy, copy_id, populate_existing=True)
    assert (copy.version, copy.base_revision) == (3, 2)
    assert copy.base_fields["body_markdown"].startswith("One zwei")


def test_a_restored_revision_is_whole(post: Post, ada: Actor, now: datetime) -> None:
    """Text, authors and topics come back into the copy; the slug and the public page stay."""
    authors = tuple(author.id for author in post.authors)
    revise(post, now, body_markdown="Second.", author_ids=(), topic_ids=(), slug="moved")
    copy = actions.restore_revision(post.id, 1, now=now, actor=ada)
    fields = CopyFields.from_json(copy.fields)
    assert (fields.body_markdown, fields.author_ids) == (TEXT.strip(), authors)
    assert (fields.slug, fields.summary) == ("moved", "")
    assert db.session.get_one(Post, post.id, populate_existing=True).body_markdown == "Second."
    with pytest.raises(Missing, match="no revision 9"):
        actions.restore_revision(post.id, 9, now=now, actor=ada)


def test_a_restore_loses_no_unpublished_text(post: Post, ada: Actor, now: datetime) -> None:
    """The text of the copy is kept as a fork, and so is nothing if the copy had no changes."""
    revise(post, now, body_markdown="Second.")
    copy = actions.open_copy(post.id, now=now, actor=ada)
    fields = replace(CopyFields.from_json(copy.fields), body_markdown="Third, unpublished.")
    actions.save_copy(copy.id, fields, version=1, now=now, actor=ada)
    actions.restore_revision(post.id, 1, now=now, actor=ada)
    fork = db.session.scalars(sa.select(Fork)).one()
    assert CopyFields.from_json(fork.fields) == fields
    actions.restore_revision(post.id, 1, now=now, actor=ada)
    assert len(db.session.scalars(sa.select(Fork)).all()) == 1


def test_a_restore_leaves_out_what_was_deleted(post: Post, ada: Actor, now: datetime) -> None:
    """A revision may name a topic that has gone."""
    revise(post, now, body_markdown="Second.")
    revision = db.session.scalars(sa.select(Revision).where(Revision.number == 1)).one()
    revision.facts = {**(revision.facts or {}), "topic_ids": [999], "cover_id": 999}
    db.session.commit()
    copy = actions.restore_revision(post.id, 1, now=now, actor=ada)
    assert (copy.fields["topic_ids"], copy.fields["cover_id"]) == ([], None)
    revision = db.session.scalars(sa.select(Revision).where(Revision.number == 1)).one()
    revision.facts = None  # as an older release has written it
    db.session.commit()
    copy = actions.restore_revision(post.id, 1, now=now, actor=ada)
    assert copy.fields["body_markdown"] == TEXT.strip()


def test_tabs_are_remembered_for_a_day(copy: WorkingCopy, ada: Actor, now: datetime) -> None:
    """Each with whether it has unsaved changes; a closed tab is forgotten at once."""
    actions.record_presence(copy.id, "a", unsaved=False, now=now, actor=ada)
    actions.record_presence(copy.id, "a", unsaved=True, now=now, actor=ada)
    actions.record_presence(copy.id, "b", unsaved=False, now=now, actor=ada)
    rows = db.session.execute(sa.select(Presence.tab, Presence.unsaved).order_by(Presence.tab))
    assert [tuple(row) for row in rows] == [("a", True), ("b", False)]
    actions.forget_presence(copy.id, "b", actor=ada)
    later = now + timedelta(days=1, seconds=1)
    actions.record_presence(copy.id, "c", unsaved=False, now=later, actor=ada)
    assert db.session.scalars(sa.select(Presence.tab)).all() == ["c"]


def test_a_writer_edits_only_their_own_copies(any_app: Flask, post: Post, now: datetime) -> None:
    """To others a copy does not exist; an editor may edit it."""
    eve, mallory = hire("Eve", Role.WRITER), hire("Mallory", Role.WRITER)
    copy = actions.create_copy(Kind.ARTICLE, now=now, actor=eve)
    fields = CopyFields(title="x")
    attempts: list[Callable[[], object]] = [
        lambda: actions.save_copy(copy.id, fields, version=1, now=now, actor=mallory),
        lambda: actions.discard_copy(copy.id, version=1, actor=mallory),
        lambda: actions.discard_fork(copy.id, 1, actor=mallory),
        lambda: actions.resolve_fork(copy.id, 1, fields, version=1, now=now, actor=mallory),
        lambda: actions.request_review(copy.id, ready=True, actor=mallory),
        lambda: actions.record_presence(copy.id, "t", unsaved=True, now=now, actor=mallory),
        lambda: actions.create_preview_link(copy.id, now=now, actor=mallory),
        lambda: actions.open_copy(post.id, now=now, actor=mallory),
        lambda: actions.restore_revision(post.id, 1, now=now, actor=mallory),
    ]
    for attempt in attempts:
        with pytest.raises(Missing):
            attempt()
    with pytest.raises(Forbidden):
        actions.create_copy(Kind.PAGE, now=now, actor=mallory)
    assert actions.save_copy(copy.id, fields, version=1, now=now, actor=eve).version == 2
    assert actions.request_review(copy.id, ready=True, actor=eve).ready


def test_a_save_beyond_a_limit_names_the_field(
    copy: WorkingCopy, ada: Actor, now: datetime
) -> None:
    """The copy stays as it is; the browser still has the text."""
    with pytest.raises(Invalid) as raised:
        actions.save_copy(copy.id, CopyFields(title="x" * 400), version=1, now=now, actor=ada)
    assert raised.value.field == "title"
    assert text_of(copy.id) == TEXT


def test_saving_a_copy_changes_no_watched_table(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """Counted in the change log: no save, merge, fork, presence or link writes into it."""
    log = sa.text("SELECT count(*) FROM edge_change")
    before = db.session.scalar(log)
    copy_id = copy.id
    for number in range(3):
        fields = change(copy, "two", f"{number}")
        actions.save_copy(copy_id, fields, version=number + 1, now=now, actor=ada)
    actions.save_copy(copy_id, change(copy, "five", "5"), version=1, now=now, actor=bob)
    actions.save_copy(copy_id, CopyFields(title="x"), version=77, now=now, actor=bob)
    actions.record_presence(copy_id, "t", unsaved=True, now=now, actor=bob)
    actions.create_preview_link(copy_id, now=now, actor=bob)
    actions.request_review(copy_id, ready=True, actor=ada)
    assert db.session.scalar(log) == before


def test_a_merge_that_adds_nothing_writes_nothing(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """The second editor sent the text as it was when loaded: the copy has it and more."""
    actions.save_copy(copy.id, change(copy, "two", "2"), version=1, now=now, actor=ada)
    saved = actions.save_copy(copy.id, START, version=1, now=now, actor=bob)
    assert (saved.outcome, saved.version) == (SaveOutcome.MERGED, 2)
    assert text_of(copy.id) == "One 2 three.\n\nFour five six.\n"


def test_a_fork_that_equals_the_copy_is_resolved_without_a_new_version(
    copy: WorkingCopy, ada: Actor, bob: Actor, now: datetime
) -> None:
    """The writer chose the text that the copy has; the fork is deleted."""
    first, second = change(copy, "two", "2"), change(copy, "two", "zwei")
    actions.save_copy(copy.id, first, version=1, now=now, actor=ada)
    fork_id = actions.save_copy(copy.id, second, version=1, now=now, actor=bob).fork_id
    assert fork_id is not None
    resolved = actions.resolve_fork(copy.id, fork_id, first, version=2, now=now, actor=bob)
    assert resolved.version == 2
    assert db.session.get(Fork, fork_id) is None


def test_a_copy_that_asks_twice_for_a_review_is_written_once(copy: WorkingCopy, ada: Actor) -> None:
    """A second press of the button changes nothing."""
    for _ in range(2):
        assert actions.request_review(copy.id, ready=True, actor=ada).ready
    assert not actions.request_review(copy.id, ready=False, actor=ada).ready


def test_commands_have_no_tabs(copy: WorkingCopy, now: datetime) -> None:
    """SYSTEM is no person whom other editors could meet."""
    actions.record_presence(copy.id, "t", unsaved=True, now=now, actor=SYSTEM)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Presence)) == 0


def test_a_copy_follows_a_revision_with_the_same_text(
    post: Post, ada: Actor, now: datetime
) -> None:
    """A re-import makes a revision without a change; the copy is not outdated by it."""
    copy = actions.open_copy(post.id, now=now, actor=ada)
    fields, before = copy.fields, copy.base_revision
    assert before is not None
    with transaction() as session:
        session.add(
            Revision(
                post_id=post.id,
                number=before + 1,
                title=post.title,
                summary=post.summary,
                body_markdown=fields["body_markdown"],
                created_at=now,
            )
        )
    again = actions.open_copy(post.id, now=now, actor=ada)
    assert again.fields == fields
    assert again.base_revision == before + 1


def test_a_rebase_of_a_copy_that_was_never_saved_names_the_reason(
    copy: WorkingCopy, ada: Actor, now: datetime
) -> None:
    """There is no post whose newer text it could take over; a deleted copy is gone."""
    with pytest.raises(Missing, match="never saved"):
        lock_both(copy.id, ada)
    with pytest.raises(Missing, match="working copy"):
        lock_both(copy.id + 99, ada)
