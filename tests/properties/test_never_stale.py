"""The promise that everything else serves: after a commit no page in the gateway is old.

Random content, random sequences of writes through every door, every page warm in the gateway.
After each write, whatever the gateway still holds equals a fresh render of the same URL.
`STEPS=5000 pytest tests/properties` tries harder than the default run.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app import create_app
from app.extensions import db
from app.publishing import actions
from app.publishing.errors import PublishingError
from app.publishing.models import Kind, Post, Site
from tests.conftest import PACKED, let_go

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = int(os.environ.get("STEPS", "75"))
LENGTH = 15
PRECISION = 0.75
"""Of the pages that random writes purge, so many at least must have changed: few steps vary much."""

slugs = st.sampled_from(["ash", "birch", "cedar", "elm"])
words = st.sampled_from(["Rain", "Wind", "Snow *soft*", "Sun\n\n## A heading\n\nText"])
picks = st.integers(0, 3)

STATEMENTS = (
    "UPDATE post SET title = title || '!' WHERE status = 'published'",
    "UPDATE post SET status = 'archived' WHERE slug = 'ash'",
    "UPDATE post SET published_at = NULL WHERE status = 'draft'",
    "DELETE FROM post_topic WHERE topic_id = 1",
    "DELETE FROM post_author WHERE author_id = 2",
    "DELETE FROM redirect",
    "UPDATE topic SET description = 'About ' || name",
    "UPDATE site SET tagline = tagline || '.'",
    "DELETE FROM post WHERE slug = 'cedar'",
    "UPDATE post SET body_html = body_html || '<p>raw</p>' WHERE slug = 'elm'",
)

FIXED = (
    "/",
    "/archive",
    "/archive/2025",
    "/archive/2026",
    "/archive/pages/1",
    "/archive/pages/2",
    "/authors",
    "/authors/ada",
    "/authors/ada/feed.xml",
    "/authors/bo",
    "/topics",
    "/topics/maps",
    "/topics/maps/pages/1",
    "/topics/maps/feed.json",
    "/topics/ships",
    "/feed.xml",
    "/feed.json",
    "/sitemap.xml",
    "/api/posts",
    "/api/summary",
    "/api/topics",
    "/downloads/posts.csv",
    "/search?q=rain",
    "/old/place",
)


def paths() -> list[str]:
    """Every address that matters, those that name nothing yet included."""
    named = [f"/articles/{slug}" for slug in ("ash", "birch", "cedar", "elm")]
    return [*FIXED, *named, "/ash", "/elm", "/api/posts/ash", "/api/posts/elm"]


class NeverStale(RuleBasedStateMachine):
    """Writers at work on a site whose every page is in the gateway."""

    database: ClassVar[Callable[[Path], str]]
    changed: ClassVar[int] = 0
    purged: ClassVar[int] = 0
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="never-stale-"))
        self.now = EPOCH
        url = type(self).database(self.folder)
        self.site = self._app(url, EDGE_GATEWAY=True)
        self.fresh = self._app(url, EDGE_GATEWAY=False)
        self.fresh.extensions["edge"].tracker = None
        self.held: dict[str, tuple[int, str, bytes]] = {}

    def _app(self, url: str, **more: Any) -> Flask:
        own = {"INSTANCE": str(self.folder), "SECRET_KEY": "x", "EDGE_RELAY": False}
        return create_app(
            {**own, "EDGE_BUILD": str(PACKED), "TESTING": True, "DATABASE_URL": url, **more},
        )

    @initialize()
    def publish_something(self) -> None:
        """Two authors, two topics, an article and a page; everything is asked for once."""
        with self.site.app_context():
            for name in ("Ada", "Bo"):
                actions.save_author(actions.AuthorDraft(name=name), now=self.now)
            for name in ("Maps", "Ships"):
                actions.save_topic(actions.TopicDraft(name=name), now=self.now)
            actions.save_site(actions.SiteDraft(title="Site"), expected_version=None)
            for kind, slug in ((Kind.ARTICLE, "ash"), (Kind.PAGE, "elm")):
                made = actions.create(self._draft(slug, "Rain", kind=kind), now=self.now)
                actions.publish(made.id, expected_version=made.version, now=self.now)
        self._settle()
        self.held = {path: self._ask(self.site, path)[0] for path in paths()}

    def _settle(self) -> None:
        """Let what was written reach the edge; the gateway has heard of it by then."""

    def _draft(self, slug: str, text: str, *, kind: Kind = Kind.ARTICLE, n: int = 0) -> Any:
        return actions.Draft(
            title=f"{slug} {text.split(maxsplit=1)[0]}",
            body_markdown=text,
            kind=kind,
            slug=slug,
            author_ids=(1 + n % 2,),
            topic_ids=(1, 2)[: n % 3],
        )

    def _ask(self, app: Flask, path: str) -> tuple[tuple[int, str, bytes], bool]:
        answer = app.test_client().get(path)
        hit = "; hit" in answer.headers.get("Cache-Status", "")
        return (answer.status_code, answer.headers.get("Location", ""), answer.data), hit

    def _do(self, write: Callable[[], object]) -> None:
        """Carry a write out, if the site's rules allow it; then look at every page."""
        self.now += timedelta(hours=7)
        with self.site.app_context():
            try:
                write()
            except (PublishingError, sa.exc.IntegrityError):
                db.session.rollback()
            db.session.remove()
        self._look()

    def _look(self) -> None:
        self._settle()
        type(self).steps += 1
        for path in paths():
            fresh, _ = self._ask(self.fresh, path)
            shown, hit = self._ask(self.site, path)
            assert shown == fresh, f"{path} is {'old' if hit else 'other'}: {shown} for {fresh}"
            if not path.startswith("/search"):  # its order weighs every word of every post
                type(self).purged += not hit
                type(self).changed += fresh != self.held[path]
            assert not hit or fresh == self.held[path]
            self.held[path] = fresh

    def _post(self, pick: int) -> Post:
        found = db.session.scalars(sa.select(Post).order_by(Post.id)).all()
        return found[pick % len(found)]

    @rule(slug=slugs, text=words, n=picks)
    def create(self, slug: str, text: str, n: int) -> None:
        """A draft changes nothing that readers see."""
        self._do(lambda: actions.create(self._draft(slug, text, n=n), now=self.now))

    @rule(pick=picks, text=words, n=picks)
    def revise(self, pick: int, text: str, n: int) -> None:
        """Text, authors and topics of a post."""

        def write() -> None:
            post = self._post(pick)
            draft = self._draft(post.slug, text, kind=post.kind, n=n)
            actions.revise(post.id, draft, expected_version=post.version, now=self.now)

        self._do(write)

    @rule(pick=picks, verb=st.sampled_from(["publish", "unpublish", "archive"]))
    def move(self, pick: int, verb: str) -> None:
        """A post comes out, or goes."""

        def write() -> None:
            post = self._post(pick)
            getattr(actions, verb)(post.id, expected_version=post.version, now=self.now)

        self._do(write)

    @rule(pick=picks, hours=st.integers(1, 30))
    def schedule(self, pick: int, hours: int) -> None:
        """A post waits for its time."""

        def write() -> None:
            post, due = self._post(pick), self.now + timedelta(hours=hours)
            actions.schedule(post.id, due, expected_version=post.version, now=self.now)

        self._do(write)

    @rule()
    def time_passes(self) -> None:
        """What is due comes out."""
        self._do(lambda: actions.publish_due(self.now))

    @rule(pick=picks, slug=slugs)
    def rename(self, pick: int, slug: str) -> None:
        """A post moves, and leaves a redirect."""

        def write() -> None:
            post = self._post(pick)
            actions.rename(post.id, slug, expected_version=post.version, now=self.now)

        self._do(write)

    @rule(pick=picks, name=st.sampled_from(["Ada", "Bo", "Cy"]))
    def author(self, pick: int, name: str) -> None:
        """An author gets another name under the same address."""
        slug = ("ada", "bo")[pick % 2]
        draft = actions.AuthorDraft(name=name, slug=slug)
        self._do(lambda: actions.save_author(draft, now=self.now, author_id=1 + pick % 2))

    @rule(pick=picks, name=st.sampled_from(["Maps", "Ships", "Tides"]))
    def topic(self, pick: int, name: str) -> None:
        """A topic gets another name under the same address."""
        slug = ("maps", "ships")[pick % 2]
        draft = actions.TopicDraft(name=name, slug=slug)
        self._do(lambda: actions.save_topic(draft, now=self.now, topic_id=1 + pick % 2))

    @rule(title=st.sampled_from(["Site", "Other"]))
    def settings_of_the_site(self, title: str) -> None:
        """Every page shows the site's title."""

        def write() -> None:
            found = db.session.get(Site, 1)
            assert found is not None
            actions.save_site(actions.SiteDraft(title=title), expected_version=found.version)

        self._do(write)

    @rule(pick=picks)
    def redirect(self, pick: int) -> None:
        """An old address leads to a post."""

        def write() -> None:
            actions.add_redirect("/old/place", now=self.now, post_id=self._post(pick).id)

        self._do(write)

    @rule(statement=st.sampled_from(STATEMENTS))
    def raw(self, statement: str) -> None:
        """Somebody writes SQL by hand."""

        def write() -> None:
            with db.engine.begin() as connection:
                connection.exec_driver_sql(statement)

        self._do(write)

    def teardown(self) -> None:
        """Let go of the files."""
        for app in (self.site, self.fresh):
            let_go(app)
        if (embedded := self.site.extensions["edge"].embedded) is not None:
            embedded.store.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def prove(database: Callable[[Path], str], *, steps: int) -> None:
    """Run the machine over one database; report how precise the purges were."""
    machine = type("NeverStaleHere", (NeverStale,), {"database": staticmethod(database)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(1, steps // LENGTH), stateful_step_count=LENGTH, deadline=None
        ),
    )
    ratio = machine.changed / max(machine.purged, 1)
    said = f"{machine.steps} writes changed {machine.changed} pages and purged {machine.purged}"
    print(f"{said}: {ratio:.2f}")  # noqa: T201 - the precision is a result
    assert machine.changed > PRECISION * machine.purged or not machine.purged


@pytest.mark.timeout(1200)
def test_no_page_is_stale_over_sqlite(migrated: Path) -> None:
    """After every write each page in the gateway equals its fresh render."""

    def database(folder: Path) -> str:
        shutil.copy(migrated, folder / "broadsheet.db")
        return f"sqlite:///{folder / 'broadsheet.db'}"

    prove(database, steps=STEPS)
