"""A site with something on every kind of page, and the addresses of all of them."""

from __future__ import annotations

import shutil
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from app.private_paths import is_private
from app.publishing.looks.look import Look
from app.publishing.looks.stylesheet import accent_styles, styles_digest
from app.publishing.models import (
    Attachment,
    Author,
    Kind,
    Media,
    MediaFile,
    Post,
    Redirect,
    Site,
    Status,
    Topic,
    post_author,
    post_topic,
)
from app.publishing.transaction import transaction
from tests.conftest import once, open_app

BEGAN = datetime(2025, 1, 2, 3, 4, tzinfo=UTC)
ARTICLES = 60
"""Enough for several numbered pages of every list."""

FINGERPRINT = "0123456789abcdef0123"
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""
ACCENT = "#8a1c5b"
LOOK = Look(title="A site", accent=ACCENT)
EXAMPLES: dict[str, object] = {
    "fingerprint": FINGERPRINT,
    "name": "a.png",
    "filename": "css/site.css",
    "number": 1,
}
"""What stands for each variable part of an address, where nothing of BY_RULE fits better."""

BY_RULE: dict[str, Mapping[str, object]] = {
    "/articles/": {"slug": "article-1"},
    "/api/posts/": {"slug": "article-1"},
    "/api/pages/": {"slug": "about"},
    "/authors/": {"slug": "ada"},
    "/topics/": {"slug": "ink"},
    "/archive/<year": {"number": BEGAN.year},
    "/<slug": {"slug": "about"},
    "/theme/<string(length=16):digest>.css": {"digest": styles_digest(accent_styles(ACCENT, ""))},
    "/theme/<string(length=16):digest>/icon": {"digest": LOOK.icon_digest, "size": 180},
    "/theme/<string(length=16):digest>/social": {"digest": LOOK.social_digest},
}

UNKNOWN = ("/no/such/page", "/no-such-page", "/articles/none", "/api/none", "/static/none.css")
"""Addresses at which nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A rule of the app, and one address that it answers."""

    rule: str
    path: str


def addresses(app: Flask) -> list[Address]:
    """One address for each public rule that answers GET; an unknown argument is an error."""
    with app.test_request_context():
        return [
            Address(rule=rule.rule, path=app.url_for(rule.endpoint, **_arguments(rule)))
            for rule in app.url_map.iter_rules()
            if "GET" in (rule.methods or ()) and not rule.build_only and not is_private(rule.rule)
        ]


def _arguments(rule: Rule) -> dict[str, Any]:
    examples = dict(EXAMPLES)
    for start, more in BY_RULE.items():
        if rule.rule.startswith(start):
            examples |= more
    missing = rule.arguments - examples.keys()
    assert not missing, f"{rule.rule}: say in EXAMPLES what stands for {missing}"
    return {name: examples[name] for name in rule.arguments}


def fill(session: Session) -> None:
    """Write a site: articles of an author under a topic, a page, a picture, a redirect."""
    session.add_all(
        [
            Site(
                title=LOOK.title,
                accent=ACCENT,
                security_contact="https://example.com/security",
                security_expires="2030-01-01",
            ),
            Author(slug="ada", name="Ada"),
            Topic(slug="ink", name="Ink"),
        ]
    )
    media = Media(
        digest="0" * 64, name="a.png", content_type="image/png", width=1, height=1, created_at=BEGAN
    )
    session.add(media)
    session.add(Redirect(source="/old", target="/about", created_at=BEGAN))
    session.flush()
    file = {"width": 1, "height": 1, "size": 3, "original": True, "content": PIXEL}
    arguments = {"fingerprint": FINGERPRINT, "name": "a.png", "content_type": "image/png"}
    session.add(MediaFile(media_id=media.id, **arguments, **file))
    linked = {"digest": "0" * 64, "size": 3, "content": b"png", "created_at": BEGAN}
    session.add(Attachment(**arguments, **linked))
    posts = [post(number) for number in range(1, ARTICLES + 1)]
    session.add_all([*posts, page()])
    session.flush()
    for article in posts:
        link = {"post_id": article.id, "position": 0}
        session.execute(post_author.insert().values(author_id=1, **link))
        session.execute(post_topic.insert().values(topic_id=1, **link))


def post(number: int) -> Post:
    """A published article; a higher number is newer."""
    at = BEGAN + timedelta(days=number)
    return Post(
        kind=Kind.ARTICLE,
        status=Status.PUBLISHED,
        slug=f"article-{number}",
        title=f"Article {number}",
        summary=f"What article {number} says.",
        body_html=f"<p>Article {number}.</p>",
        body_text=f"Article {number}.",
        published_at=at,
        created_at=at,
        updated_at=at,
    )


def page() -> Post:
    """A published page."""
    return Post(
        kind=Kind.PAGE,
        status=Status.PUBLISHED,
        slug="about",
        title="About",
        body_html="<p>About.</p>",
        published_at=BEGAN,
        created_at=BEGAN,
        updated_at=BEGAN,
    )


@pytest.fixture(scope="session")
def filled_file(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database with something on every kind of page, to copy from."""

    def make(folder: Path) -> None:
        shutil.copy(migrated, folder / "broadsheet.db")
        for _ in open_app(folder):
            with transaction() as session:
                fill(session)

    return once(tmp_path_factory, "filled", make) / "broadsheet.db"


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, filled_file: Path) -> Iterator[Flask]:
    """A filled site for all tests of a module, which only read."""
    yield from open_filled(tmp_path_factory.mktemp("walked"), filled_file)


def open_filled(folder: Path, file: Path, **settings: Any) -> Iterator[Flask]:
    """Open a filled site as readers get it: errors are answered, not raised."""
    shutil.copy(file, folder / "broadsheet.db")
    for app in open_app(folder, **settings):
        app.testing = False
        yield app
