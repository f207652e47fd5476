"""Old addresses of posts: redirects after every sequence of actions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.errors import Conflict, Invalid
from app.publishing.importing.folder import import_folder
from app.publishing.models import Kind, Post, Redirect, Status
from app.publishing.permissions import SYSTEM
from app.publishing.queries import redirects as query
from tests.depth import examples

DAY = timedelta(days=1)
SLUGS = ("a", "b", "c", "d")
POSTS = 3
STEPS = 60

Verb = Callable[..., Post]


def version(post: Post, now: datetime) -> dict[str, Any]:
    """The keywords that each verb takes."""
    return {"expected_version": post.version, "now": now}


def redirects() -> dict[str, int | str | None]:
    """The source of each redirect with where it leads."""
    return {
        row.source: row.post_id or row.target for row in db.session.scalars(sa.select(Redirect))
    }


def publish(post: Post, now: datetime) -> Post:
    """Publish a post."""
    return actions.publish(post.id, **version(post, now), actor=SYSTEM)


def unpublish(post: Post, now: datetime) -> Post:
    """Take a post back."""
    return actions.unpublish(post.id, **version(post, now), actor=SYSTEM)


def schedule(post: Post, now: datetime) -> Post:
    """Schedule a post for tomorrow."""
    return actions.schedule(post.id, now + DAY, **version(post, now), actor=SYSTEM)


def archive(post: Post, now: datetime) -> Post:
    """Archive a post."""
    return actions.archive(post.id, **version(post, now), actor=SYSTEM)


def date_tomorrow(post: Post, now: datetime) -> Post:
    """Revise a post so that it is dated tomorrow."""
    draft = Draft(title=post.title, published_at=now + DAY)
    return actions.revise(post.id, draft, **version(post, now), actor=SYSTEM)


def rename(post: Post, slug: str, now: datetime) -> Post:
    """Rename a post."""
    return actions.rename(post.id, slug, **version(post, now), actor=SYSTEM)


def revise_slug(post: Post, slug: str, now: datetime) -> Post:
    """Give a post another slug together with its text."""
    draft = Draft(title=post.title, slug=slug, body_markdown="more")
    return actions.revise(post.id, draft, **version(post, now), actor=SYSTEM)


BEFORE_A_RENAME: dict[str, tuple[Verb, ...]] = {
    "nothing": (),
    "unpublish": (unpublish,),
    "archive": (archive,),
    "unpublish, schedule": (unpublish, schedule),
    "archive, unpublish, schedule": (archive, unpublish, schedule),
    "unpublish, schedule, unpublish": (unpublish, schedule, unpublish),
    "unpublish, schedule, archive": (unpublish, schedule, archive),
    "unpublish, date tomorrow": (unpublish, date_tomorrow),
    "archive, date tomorrow": (archive, date_tomorrow),
    "unpublish, date tomorrow, archive, unpublish": (unpublish, date_tomorrow, archive, unpublish),
}


@pytest.mark.parametrize("verbs", BEFORE_A_RENAME.values(), ids=BEFORE_A_RENAME)
@pytest.mark.parametrize("move", [rename, revise_slug])
def test_a_post_that_was_public_leaves_a_redirect(
    article: Post, now: datetime, verbs: tuple[Verb, ...], move: Callable[..., Post]
) -> None:
    """Whatever was done between its publication and its rename."""
    post = publish(article, now)
    for verb in verbs:
        post = verb(post, now)
    post = move(post, "dawn", now)
    assert redirects() == {"/articles/first-light": post.id}
    if post.status is not Status.PUBLISHED:
        publish(post, now)
    assert query.target("/articles/first-light") == "/articles/dawn"


def test_a_post_that_became_public_by_schedule_leaves_a_redirect(
    article: Post, now: datetime
) -> None:
    """The relay published it, and nobody else did."""
    post = schedule(article, now)
    actions.publish_due(now + DAY, actor=SYSTEM)
    post = schedule(unpublish(post, now + DAY), now + DAY)
    rename(post, "dawn", now + DAY)
    assert redirects() == {"/articles/first-light": article.id}


@pytest.mark.parametrize("verbs", [(), (schedule,), (archive,), (schedule, unpublish)])
def test_a_post_that_was_never_public_leaves_none(
    article: Post, now: datetime, verbs: tuple[Verb, ...]
) -> None:
    """A plan is no publication."""
    for verb in verbs:
        article = verb(article, now)
    rename(rename(article, "dawn", now), "dusk", now)
    assert redirects() == {}


def test_an_address_at_which_a_post_was_never_public_is_not_redirected(
    article: Post, now: datetime
) -> None:
    """Two renames of a post that was taken back leave one redirect."""
    post = schedule(unpublish(publish(article, now), now), now)
    post = rename(rename(post, "dawn", now), "dusk", now)
    assert redirects() == {"/articles/first-light": post.id}


def test_a_draft_at_an_old_address_takes_nothing_away(article: Post, now: datetime) -> None:
    """The redirect of the other post stays until the draft is public, moves there or leaves."""
    post = rename(publish(article, now), "dawn", now)
    other = rename(actions.create(Draft(title="x"), now=now, actor=SYSTEM), "first-light", now)
    assert redirects() == {"/articles/first-light": post.id}
    rename(other, "y", now)
    assert redirects() == {"/articles/first-light": post.id}


@pytest.mark.parametrize("verb", [unpublish, archive])
def test_an_address_returns_when_the_post_that_took_it_is_taken_back(
    article: Post, now: datetime, verb: Verb
) -> None:
    """The first post was public there too."""
    post = rename(publish(article, now), "dawn", now)
    other = publish(
        actions.create(Draft(title="x", slug="first-light"), now=now, actor=SYSTEM), now
    )
    assert redirects() == {}
    verb(other, now)
    assert redirects() == {"/articles/first-light": post.id}


def test_an_alias_returns_as_well(article: Post, now: datetime) -> None:
    """An address that a post had on another site is one of its old addresses."""
    publish(article, now)
    actions.add_redirect("/articles/x", post_id=article.id, now=now, actor=SYSTEM)
    other = publish(actions.create(Draft(title="x"), now=now, actor=SYSTEM), now)
    assert redirects() == {}
    unpublish(other, now)
    assert redirects() == {"/articles/x": article.id}


def test_an_address_of_two_posts_leads_to_one_that_is_public(article: Post, now: datetime) -> None:
    """To the latest first, and to the earlier one while the latest is taken back."""
    first = rename(publish(article, now), "dawn", now)
    second = publish(
        actions.create(Draft(title="x", slug="first-light"), now=now, actor=SYSTEM), now + DAY
    )
    second = rename(second, "dusk", now + DAY)
    assert redirects() == {"/articles/first-light": second.id}
    second = unpublish(second, now + DAY)
    assert redirects() == {"/articles/first-light": first.id}
    unpublish(first, now + DAY)
    publish(second, now + DAY)
    assert redirects() == {"/articles/first-light": second.id}


def test_an_import_with_another_slug_leaves_a_redirect(
    app: Flask, tmp_path: Path, now: datetime
) -> None:
    """Also when the file was a draft for tomorrow meanwhile."""
    file = tmp_path / "content" / "post.md"
    file.parent.mkdir()
    for facts in ("slug: a", f"slug: a\ndate: {(now + DAY).isoformat()}", "slug: b", "slug: c"):
        path = "path: /old/post/"
        file.write_text(f"---\ntitle: A post\n{path}\n{facts}\n---\nText of {facts}.\n")
        import_folder(file.parent, now=now, kind=Kind.ARTICLE)
    assert query.target("/articles/a") == query.target("/articles/b") == "/articles/c"


class Walk:
    """Random actions on a few posts whose slugs come from one small set."""

    def __init__(self, seed: int, folder: Path, now: datetime) -> None:
        self.random = Random(seed)
        self.folder = folder
        self.now = now
        self.log: list[str] = []
        self.public_at: dict[int, set[str]] = {}

    def step(self) -> None:
        """Do one action; one that is refused counts too."""
        verbs = (
            *(self.create, self.import_file, self.add_redirect, self.publish_due),
            *(4 * (self.status, self.move)),
        )
        verb = self.random.choice(verbs)
        try:
            verb()
        except (Conflict, Invalid) as error:
            self.log.append(f"refused: {error}")
        self.now += timedelta(hours=self.random.choice((0, 1, 13)))

    def note(self, *words: object) -> None:
        """Write down what is about to be done."""
        self.log.append(" ".join(map(str, words)))

    def post(self) -> Post | None:
        """Choose a post."""
        posts = db.session.scalars(sa.select(Post).order_by(Post.id)).all()
        return self.random.choice(posts) if posts else None

    def date(self) -> datetime | None:
        """Choose no date, one in the past, or one to come."""
        return self.random.choice((None, self.now - DAY, self.now + DAY))

    def create(self) -> None:
        """Begin a draft."""
        slug, date = self.random.choice(SLUGS), self.date()
        if db.session.scalars(sa.select(sa.func.count(Post.id))).one() < POSTS:
            self.note("create", slug, date)
            actions.create(
                Draft(title="x", slug=slug, published_at=date), now=self.now, actor=SYSTEM
            )

    def status(self) -> None:
        """Change the status of a post."""
        verb = self.random.choice((publish, publish, unpublish, schedule, archive))
        if (post := self.post()) is not None:
            self.note(verb.__name__, post.id, post.path)
            verb(post, self.now)

    def move(self) -> None:
        """Rename a post, alone or with its text and date."""
        if (post := self.post()) is None:
            return
        slug, date = self.random.choice(SLUGS), self.date()
        self.note("move", post.id, post.path, slug, date)
        if self.random.random() < 0.5:
            rename(post, slug, self.now)
        else:
            draft = Draft(title="x", slug=slug, kind=post.kind, published_at=date)
            actions.revise(post.id, draft, **version(post, self.now), actor=SYSTEM)

    def publish_due(self) -> None:
        """Let a day pass."""
        self.now += DAY
        self.note("publish_due")
        actions.publish_due(self.now, actor=SYSTEM)

    def add_redirect(self) -> None:
        """Lead some address to some post."""
        source = f"/articles/{self.random.choice(SLUGS)}"
        if (post := self.post()) is not None:
            self.note("add_redirect", source, post.id)
            actions.add_redirect(source, post_id=post.id, now=self.now, actor=SYSTEM)

    def import_file(self) -> None:
        """Import a file, with what it says by now."""
        name, slug = "imported", self.random.choice(SLUGS)
        draft, date = self.random.random() < 0.3, self.date()
        self.note("import", name, slug, draft, date)
        lines = ["---", f"title: {name}", f"url: /from/{name}/", f"slug: {slug}"]
        lines += [f"draft: {str(draft).lower()}", *([f"date: {date.isoformat()}"] if date else [])]
        (self.folder / f"{name}.md").write_text("\n".join((*lines, "---", str(len(self.log)))))
        import_folder(self.folder, now=self.now, kind=Kind.ARTICLE)

    def check(self) -> None:
        """Demand that each address of a public post, old or new, leads to a public post."""
        public = list(db.session.scalars(sa.select(Post).where(Post.status == Status.PUBLISHED)))
        paths = {post.path for post in public}
        for post in public:
            self.public_at.setdefault(post.id, set()).add(post.path)
            for path in self.public_at[post.id] - paths:
                story = "\n".join((f"{path} of post {post.id} is dead:", *self.log))
                assert query.target(path) in paths, story


@pytest.mark.parametrize("seed", range(examples(12)))
def test_no_sequence_of_actions_kills_an_old_address(
    any_app: Flask, tmp_path: Path, now: datetime, seed: int
) -> None:
    """Creations, status changes, renames, revisions, imports, redirects and due dates at random."""
    folder = tmp_path / "content"
    folder.mkdir()
    walk = Walk(seed, folder, now)
    for _ in range(STEPS):
        walk.step()
        walk.check()
    public = db.session.scalars(sa.select(Post.id).where(Post.status == Status.PUBLISHED)).all()
    db.session.remove()
    client = any_app.test_client()
    for path in sorted(set().union(*(walk.public_at[post_id] for post_id in public))):
        assert client.get(path, follow_redirects=True).status_code == 200, path
