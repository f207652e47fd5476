"""Permissions: the table, its decisions, and that every action asks for one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.config import ROOT
from app.extensions import db
from app.publishing import actions
from app.publishing.actions import (
    AuthorDraft,
    CopyFields,
    Draft,
    Release,
    SiteDraft,
    Timing,
    TopicDraft,
)
from app.publishing.errors import Forbidden, Missing
from app.publishing.models import (
    Fork,
    Kind,
    Ownership,
    Post,
    PreviewLink,
    Revision,
    Role,
    Topic,
    User,
    WorkingCopy,
)
from app.publishing.permissions import (
    PERMISSIONS,
    SYSTEM,
    Actor,
    Decision,
    Scope,
    Subject,
    Verb,
    decide,
    format_table,
)
from app.publishing.transaction import transaction

from .conftest import NOW

LATER = NOW + timedelta(days=1)
ME, OTHER = 1, 2

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000"
    "00907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)

SUBJECTS = {
    "none": None,
    "own draft": Subject(owner_id=ME),
    "own public post": Subject(owner_id=ME, is_public=True),
    "other's draft": Subject(owner_id=OTHER),
    "other's public post": Subject(owner_id=OTHER, is_public=True),
    "imported draft": Subject(owner_id=None),
    "imported public post": Subject(owner_id=None, is_public=True),
}


def make_user(role: Role, *, active: bool = True, email: str = "") -> Actor:
    """Create a user; return the actor of this user."""
    with transaction() as session:
        user = User(
            email=email or f"{role}@example.com",
            name=role.title(),
            role=role,
            active=active,
            created_at=NOW,
        )
        session.add(user)
        session.flush()
        return Actor(user_id=user.id, role=role, name=user.name)


def make_post(actor: Actor, title: str = "A post", kind: Kind = Kind.ARTICLE) -> Post:
    """Create a draft that the actor owns."""
    return actions.create(
        Draft(title=title, body_markdown="Text.", kind=kind), now=NOW, actor=actor
    )


def test_the_table_answers_for_each_role_and_verb() -> None:
    """A verb that is added without a decision for each role is an error."""
    assert set(PERMISSIONS) == set(Role)
    assert all(set(verbs) == set(Verb) for verbs in PERMISSIONS.values())


@pytest.mark.parametrize(("verb", "subject"), list(product(Verb, SUBJECTS)))
def test_a_higher_role_may_do_what_a_lower_role_may(verb: Verb, subject: str) -> None:
    """An editor is never refused what a writer may do, nor an owner what an editor may do."""
    allowed = [
        decide(role, ME, verb, SUBJECTS[subject]) is Decision.ALLOWED
        for role in (Role.WRITER, Role.EDITOR, Role.OWNER)
    ]
    assert allowed == sorted(allowed)


@pytest.mark.parametrize(
    ("verb", "subject", "decision"),
    [
        (Verb.CREATE_POST, "none", Decision.ALLOWED),
        (Verb.LIST_POSTS, "own draft", Decision.ALLOWED),
        (Verb.LIST_POSTS, "other's draft", Decision.INVISIBLE),
        (Verb.LIST_POSTS, "other's public post", Decision.ALLOWED),
        (Verb.LIST_POSTS, "imported draft", Decision.INVISIBLE),
        (Verb.LIST_POSTS, "imported public post", Decision.ALLOWED),
        (Verb.EDIT_COPY, "own draft", Decision.ALLOWED),
        (Verb.EDIT_COPY, "own public post", Decision.ALLOWED),
        (Verb.EDIT_COPY, "other's draft", Decision.INVISIBLE),
        (Verb.EDIT_COPY, "other's public post", Decision.INVISIBLE),
        (Verb.EDIT_COPY, "imported public post", Decision.INVISIBLE),
        (Verb.SAVE_DRAFT, "own draft", Decision.ALLOWED),
        (Verb.SAVE_DRAFT, "other's draft", Decision.INVISIBLE),
        (Verb.PUBLISH, "own draft", Decision.FORBIDDEN),
        (Verb.PUBLISH, "own public post", Decision.FORBIDDEN),
        (Verb.PUBLISH, "other's draft", Decision.INVISIBLE),
        (Verb.PUBLISH, "other's public post", Decision.FORBIDDEN),
        (Verb.CREATE_TOPIC, "none", Decision.ALLOWED),
        (Verb.EDIT_TOPICS, "none", Decision.FORBIDDEN),
        (Verb.MANAGE_USERS, "none", Decision.FORBIDDEN),
    ],
)
def test_a_writer_is_refused_by_403_or_404(verb: Verb, subject: str, decision: Decision) -> None:
    """What a writer may not see does not exist; what it may see but not do is forbidden."""
    assert decide(Role.WRITER, ME, verb, SUBJECTS[subject]) is decision


@pytest.mark.parametrize("verb", Verb)
def test_only_system_publishes_what_is_due(verb: Verb) -> None:
    """An owner may do everything except the work of the relay."""
    is_all = PERMISSIONS[Role.OWNER][verb] is Scope.ALL
    assert is_all is (verb is not Verb.RUN_JOBS)


ACTIONS = [name for name in actions.__all__ if inspect.isfunction(getattr(actions, name))]


@pytest.mark.parametrize("name", ACTIONS)
def test_each_action_requires_an_actor(name: str) -> None:
    """`actor` is a keyword without a default, so that no caller can forget it."""
    parameter = inspect.signature(getattr(actions, name)).parameters["actor"]
    assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
    assert parameter.default is inspect.Parameter.empty


def test_an_actor_without_a_user_can_only_be_system() -> None:
    """A view that forgets the user's id does not get the rights of SYSTEM."""
    with pytest.raises(ValueError, match="SYSTEM"):
        Actor(user_id=None, role=Role.WRITER, name="Ada")


def save_post(post: Post, actor: Actor, **changes: Any) -> Post:
    """Save the text of the post with these changes."""
    draft = Draft(**{"title": post.title, "body_markdown": "New.", "kind": post.kind, **changes})
    return actions.revise(post.id, draft, expected_version=post.version, now=NOW, actor=actor)


Step = Callable[[Post, Actor], object]

POST_STEPS: dict[str, Step] = {
    "publish": lambda post, actor: actions.publish(
        post.id, expected_version=post.version, now=NOW, actor=actor
    ),
    "unpublish": lambda post, actor: actions.unpublish(
        post.id, expected_version=post.version, now=NOW, actor=actor
    ),
    "archive": lambda post, actor: actions.archive(
        post.id, expected_version=post.version, now=NOW, actor=actor
    ),
    "schedule": lambda post, actor: actions.schedule(
        post.id, LATER, expected_version=post.version, now=NOW, actor=actor
    ),
    "revise": save_post,
    "rename": lambda post, actor: actions.rename(
        post.id, "other", expected_version=post.version, now=NOW, actor=actor
    ),
    "change_post": lambda post, actor: actions.change_post(
        post.id, "archive", expected_version=post.version, now=NOW, actor=actor
    ),
    "move_post": lambda post, actor: actions.move_post(
        post.id, "other", expected_version=post.version, now=NOW, actor=actor
    ),
}
"""The actions on a post."""


def publish_what_is_due(actor: Actor) -> object:
    """Schedule a post and publish it a day later."""
    post = make_post(SYSTEM, "Due")
    actions.schedule(post.id, LATER, expected_version=post.version, now=NOW, actor=SYSTEM)
    return actions.publish_due(LATER, actor=actor)


def make_copy(actor: Actor) -> WorkingCopy:
    """Create a draft with a working copy, a fork and a preview link that the actor owns."""
    fields = CopyFields(title="The secret", body_markdown="Text.")
    copy = actions.create_copy(Kind.ARTICLE, fields, now=NOW, actor=actor)
    actions.publish_copy(copy.id, Release(timing=Timing.LATER), version=1, now=NOW, actor=actor)
    actions.save_copy(copy.id, CopyFields(title="Fork"), version=9, now=NOW, actor=actor)
    actions.create_preview_link(copy.id, now=NOW, actor=actor)
    return copy


def delete_a_redirect(actor: Actor) -> None:
    """Add a redirect and delete it as the actor."""
    redirect = actions.add_redirect("/older", target="/archive", now=NOW, actor=SYSTEM)
    actions.delete_redirect(redirect.id, actor=actor)


def only(column: Any) -> Any:
    """The value of a column whose table has one row."""
    return db.session.scalars(sa.select(column)).one()


COPY_STEPS: dict[str, Callable[[WorkingCopy, Actor], object]] = {
    "open_copy": lambda copy, actor: actions.open_copy(copy.post_id or 0, now=NOW, actor=actor),
    "save_copy": lambda copy, actor: actions.save_copy(
        copy.id, CopyFields(title="New"), version=1, now=NOW, actor=actor
    ),
    "rebase_copy": lambda copy, actor: actions.rebase_copy(
        copy.id, version=1, now=NOW, actor=actor
    ),
    "restore_revision": lambda copy, actor: actions.restore_revision(
        copy.post_id or 0, 1, now=NOW, actor=actor
    ),
    "request_review": lambda copy, actor: actions.request_review(copy.id, ready=True, actor=actor),
    "record_presence": lambda copy, actor: actions.record_presence(
        copy.id, "tab", unsaved=True, now=NOW, actor=actor
    ),
    "forget_presence": lambda copy, actor: actions.forget_presence(copy.id, "tab", actor=actor),
    "create_preview_link": lambda copy, actor: actions.create_preview_link(
        copy.id, now=NOW, actor=actor
    ),
    "revoke_preview_link": lambda _copy, actor: actions.revoke_preview_link(
        only(PreviewLink.id), now=NOW, actor=actor
    ),
    "resolve_fork": lambda copy, actor: actions.resolve_fork(
        copy.id, only(Fork.id), CopyFields(title="New"), version=1, now=NOW, actor=actor
    ),
    "discard_fork": lambda copy, actor: actions.discard_fork(copy.id, only(Fork.id), actor=actor),
    "discard_copy": lambda copy, actor: actions.discard_copy(copy.id, version=1, actor=actor),
    "publish_copy": lambda copy, actor: [
        actions.discard_fork(copy.id, only(Fork.id), actor=actor),
        actions.publish_copy(copy.id, Release(timing=Timing.NOW), version=1, now=NOW, actor=actor),
    ],
}
"""The actions on a working copy."""


def merge_two_topics(actor: Actor) -> object:
    """Merge a topic into another one."""
    ids = [
        actions.save_topic(TopicDraft(name=name), now=NOW, actor=SYSTEM).id
        for name in ("Rain", "Fog")
    ]
    return actions.merge_topics(ids[0], into_id=ids[1], now=NOW, actor=actor)


SITE_STEPS: dict[str, Callable[[Actor], object]] = {
    "create": make_post,
    "create_copy": lambda actor: actions.create_copy(Kind.ARTICLE, now=NOW, actor=actor),
    "add_redirect": lambda actor: actions.add_redirect(
        "/old", target="/archive", now=NOW, actor=actor
    ),
    "delete_redirect": delete_a_redirect,
    "add_post_redirects": lambda actor: actions.add_post_redirects([], now=NOW, actor=actor),
    "change_site": lambda actor: actions.change_site({"title": "Site"}, actor=actor),
    "arrange_menu": lambda actor: actions.arrange_menu([], actor=actor),
    "save_author": lambda actor: actions.save_author(AuthorDraft(name="Ada"), now=NOW, actor=actor),
    "save_topic": lambda actor: actions.save_topic(TopicDraft(name="Sea"), now=NOW, actor=actor),
    "merge_topics": merge_two_topics,
    "save_site": lambda actor: actions.save_site(
        SiteDraft(title="Site"), expected_version=None, actor=actor
    ),
    "publish_site": lambda actor: actions.publish_site(
        SiteDraft(title="Site"), expected_version=None, now=NOW, actor=actor
    ),
    "render_again": lambda actor: actions.render_again(actor=actor),
    "publish_due": publish_what_is_due,
    "index_queue": lambda actor: actions.index_queue(actor=actor),
    "queue_outdated": lambda actor: actions.queue_outdated(actor=actor),
    "reindex": lambda actor: actions.reindex(actor=actor),
    "add_file": lambda actor: actions.add_file(b"%PDF-1.4\n%%EOF\n", "a.pdf", now=NOW, actor=actor),
    "add_media": lambda actor: actions.add_media(PICTURE, "a.png", now=NOW, actor=actor),
}
"""The other actions."""

WRITER_STEPS = {"create", "create_copy", "save_topic", "add_file", "add_media"}
OWNER_STEPS = {"save_site", "publish_site", "change_site", "render_again"}
SYSTEM_STEPS = {"publish_due", "index_queue", "queue_outdated", "reindex"}


def test_the_walk_has_a_step_for_each_action() -> None:
    """A new action without a step fails here, so that its permission is tested."""
    assert set(ACTIONS) == POST_STEPS.keys() | SITE_STEPS.keys() | COPY_STEPS.keys()


@pytest.mark.parametrize(("role", "name"), list(product(Role, SITE_STEPS)))
def test_each_action_enforces_the_role(app: Flask, role: Role, name: str) -> None:
    """The action itself refuses, whatever the view has checked."""
    actor = make_user(role)
    allowed = name not in SYSTEM_STEPS and (
        role is Role.OWNER
        or (role is Role.EDITOR and name not in OWNER_STEPS)
        or name in WRITER_STEPS
    )
    if allowed:
        SITE_STEPS[name](actor)
    else:
        with pytest.raises(Forbidden):
            SITE_STEPS[name](actor)


@pytest.mark.parametrize(("role", "name"), list(product(Role, [*SITE_STEPS, *POST_STEPS])))
def test_a_disabled_account_can_do_nothing(app: Flask, role: Role, name: str) -> None:
    """The state of the account is read in the transaction, not taken from the actor."""
    actor = make_user(role, active=False)
    with pytest.raises(Forbidden, match="disabled"):
        if name in SITE_STEPS:
            SITE_STEPS[name](actor)
        else:
            POST_STEPS[name](make_post(SYSTEM), actor)


def test_the_role_is_read_again_in_the_transaction(app: Flask) -> None:
    """An actor that was made before a demotion has the new role."""
    actor = make_user(Role.EDITOR)
    post = make_post(SYSTEM)
    with transaction() as session:
        session.execute(sa.update(User).values(role=Role.WRITER))
    with pytest.raises(Missing):
        actions.publish(post.id, expected_version=post.version, now=NOW, actor=actor)


@pytest.mark.parametrize("name", POST_STEPS)
@pytest.mark.parametrize("role", [Role.EDITOR, Role.OWNER])
def test_editors_and_owners_change_every_post(app: Flask, role: Role, name: str) -> None:
    """Whose post it is makes no difference to them."""
    post = make_post(make_user(Role.WRITER, email="ada@example.com"))
    POST_STEPS[name](post, make_user(role))


@pytest.mark.parametrize("name", POST_STEPS)
def test_a_writer_saves_and_renames_an_own_draft_alone(app: Flask, name: str) -> None:
    """All other changes are for an editor."""
    writer = make_user(Role.WRITER)
    post = make_post(writer)
    if name in {"revise", "rename", "move_post"}:
        POST_STEPS[name](post, writer)
    else:
        with pytest.raises(Forbidden, match="writer"):
            POST_STEPS[name](post, writer)


@pytest.mark.parametrize("name", POST_STEPS)
def test_another_persons_draft_does_not_exist_for_a_writer(app: Flask, name: str) -> None:
    """The message names neither its title nor its version, even for a wrong version."""
    post = make_post(make_user(Role.WRITER, email="ada@example.com"), "The secret")
    post_id, writer = post.id, make_user(Role.WRITER)
    post.version += 1
    with pytest.raises(Missing) as raised:
        POST_STEPS[name](post, writer)
    assert "secret" not in str(raised.value)
    assert db.session.get_one(Post, post_id).title == "The secret"


@pytest.mark.parametrize("name", POST_STEPS)
def test_a_writer_changes_no_public_post(app: Flask, name: str) -> None:
    """An own post that is public is changed by an editor."""
    writer = make_user(Role.WRITER)
    post = make_post(writer)
    actions.publish(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
    with pytest.raises(Forbidden):
        POST_STEPS[name](post, writer)


@pytest.mark.parametrize(("role", "name"), list(product(Role, COPY_STEPS)))
def test_a_working_copy_is_for_its_owner_and_for_editors(app: Flask, role: Role, name: str) -> None:
    """To another writer it does not exist, and a writer does not publish their own."""
    copy = make_copy(make_user(Role.WRITER, email="ada@example.com"))
    actor = make_user(role)
    if role is not Role.WRITER:
        COPY_STEPS[name](copy, actor)
        return
    with pytest.raises(Missing) as raised:
        COPY_STEPS[name](copy, actor)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", COPY_STEPS)
def test_a_writer_does_everything_with_an_own_copy_except_publish(app: Flask, name: str) -> None:
    """An editor has to look at it first."""
    writer = make_user(Role.WRITER)
    copy = make_copy(writer)
    if name == "publish_copy":
        with pytest.raises(Forbidden, match="writer"):
            COPY_STEPS[name](copy, writer)
    else:
        COPY_STEPS[name](copy, writer)


@pytest.mark.parametrize("name", COPY_STEPS)
def test_a_disabled_writer_does_nothing_with_an_own_copy(app: Flask, name: str) -> None:
    """The state of the account is read in the transaction."""
    writer = make_user(Role.WRITER)
    copy = make_copy(writer)
    with transaction() as session:
        session.execute(sa.update(User).values(active=False))
    with pytest.raises(Forbidden, match="disabled"):
        COPY_STEPS[name](copy, writer)


def test_a_writer_does_not_move_a_draft_that_was_public(app: Flask) -> None:
    """Readers may have the address: neither `rename` nor `revise` changes its slug."""
    writer = make_user(Role.WRITER)
    post = make_post(writer)
    for step in ("publish", "unpublish"):
        POST_STEPS[step](post, SYSTEM)
    with pytest.raises(Forbidden):
        POST_STEPS["rename"](post, writer)
    with pytest.raises(Forbidden):
        save_post(post, writer, slug="other")
    assert save_post(post, writer, slug=post.slug).body_markdown == "New."


def test_pages_are_for_editors(app: Flask) -> None:
    """A writer neither creates a page nor saves one."""
    writer = make_user(Role.WRITER)
    with pytest.raises(Forbidden):
        make_post(writer, kind=Kind.PAGE)
    page = make_post(make_user(Role.EDITOR), kind=Kind.PAGE)
    with transaction() as session:
        session.execute(sa.update(Ownership).values(user_id=writer.user_id))
    for step in POST_STEPS.values():
        with pytest.raises(Forbidden):
            step(page, writer)


def test_a_writer_creates_topics_but_does_not_change_them(app: Flask) -> None:
    """A changed topic changes other people's public pages."""
    writer = make_user(Role.WRITER)
    topic: Topic = actions.save_topic(TopicDraft(name="Sea"), now=NOW, actor=writer)
    with pytest.raises(Forbidden):
        actions.save_topic(TopicDraft(name="Land"), now=NOW, actor=writer, topic_id=topic.id)


def test_a_post_belongs_to_its_creator(app: Flask) -> None:
    """The creator owns it and stands in its first revision; SYSTEM owns nothing."""
    writer = make_user(Role.WRITER)
    own, imported = make_post(writer, "Own"), make_post(SYSTEM, "Imported")
    owners = dict(db.session.execute(sa.select(Ownership.post_id, Ownership.user_id)).all())
    assert owners == {own.id: writer.user_id}
    users = dict(db.session.execute(sa.select(Revision.post_id, Revision.user_id)).all())
    assert users == {own.id: writer.user_id, imported.id: None}


def test_authors_of_a_post_are_not_its_owners(app: Flask) -> None:
    """An editor may name any author without giving or taking rights."""
    post = make_post(make_user(Role.EDITOR))
    writer = make_user(Role.WRITER)
    author = actions.save_author(AuthorDraft(name=writer.name), now=NOW, actor=SYSTEM)
    save_post(post, SYSTEM, author_ids=(author.id,))
    with pytest.raises(Missing):
        save_post(post, writer)


def test_the_documentation_has_the_table() -> None:
    """`docs/studio.md` contains the table as `format_table` writes it."""
    assert format_table() in (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
