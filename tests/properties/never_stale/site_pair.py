"""A site with its edge, an app that makes each page fresh, and the time of the newsroom.

Further processes may write as well: each has settings of its own over the same database and store.

The newsroom's clock is given and stands in the past; the edge has the real one, in which a walk
takes seconds, so that no page leaves the edge because its time is up.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache, FileSystemLoader
from sqlalchemy import event

from app import create_app, i18n
from app.edge.flask.deploy import release
from app.extensions import db
from app.i18n.catalogues import FOLDER
from app.publishing import actions, setting_checks
from app.publishing.models import Kind
from app.publishing.permissions import SYSTEM
from app.publishing.queries import archive, articles, exports, search
from app.site import errors, feeds, home, llms, translation
from tests.conftest import let_go
from tests.live.programs import PACKED

from .databases import Database
from .fresh_renders import Fresh
from .urls import ARTICLES, AUTHORS, PAGES, TOPICS

EPOCH = datetime(2020, 12, 30, tzinfo=UTC)
"""Soon it is another year, with an archive of its own."""


SITE = actions.SiteDraft(title="Site", posts_per_page=3)


def short_lists(patch: pytest.MonkeyPatch) -> None:
    """Let few articles do what many do otherwise: fill lists, pages, feeds and sitemaps."""
    for module, name, size in (
        (archive, "PAGE_SIZE", 3),
        (setting_checks, "MIN_PER_PAGE", 1),
        (archive, "YEAR_SIZE", 5),
        (exports, "SITEMAP_SIZE", 4),
        (exports, "PART_SIZE", 4),
        (articles, "RELATED", 2),
        (errors, "NEWEST", 2),
        (feeds, "SIZE", 2),
        (llms, "SIZE", 2),
        (home, "SIZE", 3),
        (search, "PAGE_SIZE", 2),
        (home, "TOPICS", 2),
    ):
        assert hasattr(module, name)
        patch.setattr(module, name, size)


class Newsroom:
    """Apps over one database and one folder of templates: the site, a plain one, and `others`.

    `writer` is the process that writes and delivers in this step.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        others: Sequence[Mapping[str, Any]] = (),
        **settings: Any,
    ) -> None:
        self.folder = folder
        self.database = database
        self.now = EPOCH
        self.templates = folder / "templates"
        self.translations = folder / "translations"
        self.edition = 0
        self.site = self._app(**{"EDGE_GATEWAY": True, **settings})
        self._original = Path(self.site.root_path).parent / "templates"
        plain = self._app(EDGE_GATEWAY=False, SITE_URL=self.site.config["SITE_URL"])
        plain.extensions["edge"].tracker = None
        self.writers = (self.site, *(self._app(**other) for other in others))
        self.writer = self.site
        self.apps = (*self.writers, plain)
        self.fresh = Fresh(plain, self.site)
        self._templates_anew()
        self._set_up()
        self.began = self.now
        self._disconnect()
        database.keep()

    def _app(self, **settings: Any) -> Flask:
        own: dict[str, object] = {
            "INSTANCE": str(self.folder),
            "SECRET_KEY": "x",
            "EDGE_BUILD": str(PACKED),
        }
        own |= {"DATABASE_URL": self.database.url, "TESTING": True}
        app = create_app({**own, "EDGE_RELAY": False, "EDGE_REFILL": False, **settings})
        app.jinja_env.loader = FileSystemLoader(self.templates)
        app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(self.folder))
        with app.app_context():
            if db.engine.dialect.name == "sqlite":
                event.listen(db.engine, "connect", _without_care)
            db.engine.dispose()
        return app

    def _set_up(self) -> None:
        """Who writes, and about what; the walk does the rest."""
        with self.site.app_context():
            for slug in AUTHORS[:2]:
                actions.save_author(
                    actions.AuthorDraft(name=slug.title()), now=self.now, actor=SYSTEM
                )
            for slug in TOPICS[:2]:
                actions.save_topic(
                    actions.TopicDraft(name=slug.title()), now=self.now, actor=SYSTEM
                )
            actions.save_site(SITE, expected_version=None, actor=SYSTEM)
            for number, slug in enumerate((*ARTICLES[:5], *PAGES[:2])):
                self._publish_one(slug, number)
            release(self.site)

    def _publish_one(self, slug: str, number: int) -> None:
        self.now += timedelta(hours=9)
        draft = actions.Draft(
            title=slug.title(),
            slug=slug,
            kind=Kind.PAGE if slug in PAGES else Kind.ARTICLE,
            body_markdown="Rain" * number,
            author_ids=(1 + number % 2,),
            topic_ids=(1, 2)[number % 2 :],
        )
        post = actions.create(draft, now=self.now, actor=SYSTEM)
        actions.publish(post.id, expected_version=post.version, now=self.now, actor=SYSTEM)

    def _disconnect(self) -> None:
        for app in self.apps:
            with app.app_context():
                db.session.remove()
                db.engine.dispose()

    def _templates_anew(self) -> None:
        shutil.rmtree(self.templates, ignore_errors=True)
        shutil.copytree(self._original, self.templates)
        shutil.rmtree(self.translations, ignore_errors=True)
        shutil.copytree(FOLDER, self.translations)
        self._as_started()

    def begin(self) -> None:
        """Put everything back to where each walk begins; nothing is kept at the edge."""
        self._disconnect()
        self.database.put_back()
        self.now = self.began
        self.writer = self.site
        if self.edition:
            self.edition = 0
            self._templates_anew()
        self.fresh.forget()
        edge = self.site.extensions["edge"]
        edge.worker.catch_up()

    def close(self) -> None:
        """Let go of the files."""
        for app in self.apps:
            let_go(app)
            if (embedded := app.extensions["edge"].embedded_gateway) is not None:
                embedded.store.close()

    def choose_writer(self, dice: Random) -> None:
        """Let one of the processes write in the step to come."""
        if len(self.writers) > 1:
            self.writer = dice.choice(self.writers)

    def deliver(self) -> None:
        """Let the writing process deliver what it owes; without a gateway, the site's own does."""
        for app in dict.fromkeys((self.writer, self._with_gateway())):
            relay = app.extensions["edge"].worker.relay
            relay.flush(datetime.now(UTC))
        for delivery in self.writer.extensions["edge"].worker.relay.deliveries:
            delivery.drain(datetime.now(UTC))

    def _with_gateway(self) -> Flask:
        """The process that the gateway's purges of this step are up to."""
        own = self.writer.extensions["edge"].embedded_gateway
        return self.site if own is None else self.writer

    def deploy(self, template: str, edit: Callable[[str], str]) -> None:
        """Edit a template and release it."""
        self.edition += 1
        self._release(self.templates / template, edit)

    def deploy_catalogue(self, language: str, edit: Callable[[str], str]) -> None:
        """Edit the words of a language and release them."""
        self.edition += 1
        self._release(self.translations / f"{language}.po", edit)

    def _release(self, file: Path, edit: Callable[[str], str]) -> None:
        file.write_text(edit(file.read_text("utf-8")), "utf-8")
        self._as_started()
        with self.site.app_context():
            release(self.site)

    def _as_started(self) -> None:
        """Let both be processes that were started just now."""
        for app in self.apps:
            assert app.jinja_env.cache is not None
            app.jinja_env.cache.clear()
            translation.use_catalogues(app, i18n.Catalogues(self.translations))
        vars(self.site.extensions["edge"].tracker.parts).pop(
            "build_id", None
        )  # its code is the same
        self.fresh.forget()

    def relay(self) -> None:
        """One turn of the relay: it publishes what is due, and finds what others wrote."""
        self.writer.extensions["edge"].worker.relay.run_once(self.now)

    def pass_time(self, span: timedelta) -> None:
        """Let the newsroom's clock go on."""
        self.now += span


def _without_care(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")  # no crash is tried here
