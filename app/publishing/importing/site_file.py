"""The file `site.toml`: what the whole site is called, who writes, what about, and the menu."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, SiteDraft, TopicDraft
from app.publishing.editing.rendering import find_typography
from app.publishing.errors import PublishingError
from app.publishing.models import Author, Post, Site, Topic
from app.publishing.permissions import SYSTEM

from . import source_folder
from .names import NameIndex
from .report import Report

NAME = PurePosixPath("site.toml")
MOST = 1024 * 1024

TEXT_SETTINGS = ("emoji", "smart_punctuation")
"""The settings that apply when a post is rendered."""

_RENDER = (
    "the settings of text have changed; run `flask content render`, which renders the posts again"
)
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_PLACE = re.compile(r"\(at [^()]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """What the file says; empty where it says nothing."""

    site: SiteDraft | None = None
    authors: tuple[AuthorDraft, ...] = ()
    topics: tuple[TopicDraft, ...] = ()
    menu: tuple[str, ...] | None = None
    redirects: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    """The Markdown that replaces a tag of another tool, by the tag's name (`[shortcodes]`)."""


def load(root: Path, report: Report) -> SiteFile:
    """Read the file, if there is one; a broken one is noted as skipped."""
    if not (root / NAME).exists():
        return SiteFile()
    text = ""
    try:
        text = source_folder.read_file(root, NAME, most=MOST).decode()
        return parse_site_file(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        reason = _PLACE.sub("", str(error)).strip()
        report.skip(NAME, line, f"the TOML is broken: {reason}")
    except UnicodeDecodeError:
        report.skip(NAME, None, "is not UTF-8; save it as UTF-8")
    except (source_folder.SourceError, ValueError) as error:
        report.skip(NAME, None, str(error))
    return SiteFile()


def parse_site_file(values: Mapping[str, Any]) -> SiteFile:
    """What the values of the file mean; raises a `ValueError` that names what is wrong."""
    site = None
    if "title" in values:
        names = ("title", "tagline", "description", "language", "slugs")
        texts = {name: _text(values, name) for name in names if name in values}
        settings: dict[str, Any] = {name: _switch(values, name) for name in TEXT_SETTINGS}
        site = SiteDraft(**(settings | texts))
    menu = values.get("menu")
    redirects = _text_table(values, "redirects")
    return SiteFile(
        site=site,
        authors=tuple(_author(one) for one in _tables(values, "authors")),
        topics=tuple(_topic(one) for one in _tables(values, "topics")),
        menu=None if menu is None else tuple(_texts(menu, "menu")),
        redirects=redirects,
        templates=_text_table(values, "shortcodes"),
    )


def _text_table(values: Mapping[str, Any], name: str) -> dict[str, str]:
    table = values.get(name, {})
    if not isinstance(table, dict):
        raise ValueError(f"{name}: write a table of texts below a line [{name}]")  # noqa: TRY004 - a person wrote it
    return {key: _text(table, key) for key in table}


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name}: a text is expected here, not {value!r}")  # noqa: TRY004 - a person wrote it
    return value


def _switch(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{name}: true or false is expected here, not {value!r}")  # noqa: TRY004 - a person wrote it
    return value


def _texts(values: Any, name: str) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name}: a list of texts is expected here")
    return values


def _tables(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    tables = values.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise ValueError(f"{name}: write each one below a line [[{name}]]")
    return tables


def _author(values: dict[str, Any]) -> AuthorDraft:
    name = _text(values, "name")
    slug = _text(values, "slug")
    bio = _text(values, "bio")
    return AuthorDraft(name=name, slug=slug, bio_markdown=bio, url=_text(values, "url"))


def _topic(values: dict[str, Any]) -> TopicDraft:
    name = _text(values, "name")
    slug = _text(values, "slug")
    return TopicDraft(name=name, slug=slug, description=_text(values, "description"))


def save_people(publication: SiteFile, report: Report, *, now: datetime) -> None:
    """Save the site's settings, its authors and its topics; the file wins over what is there."""
    if publication.site is not None:
        _try(report, _save_site, publication.site, report)
    claimed = {author.slug for author in publication.authors}
    for author in publication.authors:
        _try(report, _save_author, author, claimed, now)
    claimed = {topic.slug for topic in publication.topics}
    for topic in publication.topics:
        _try(report, _save_topic, topic, claimed, now)


def save_menu(publication: SiteFile, report: Report, *, now: datetime) -> None:
    """Arrange the menu and add the redirects, when every post is there."""
    if publication.menu is not None:
        _try(report, partial(actions.arrange_menu, actor=SYSTEM), publication.menu)
    for old, new in publication.redirects.items():
        _try(report, _redirect, old, new, now)


def _try(report: Report, verb: Callable[..., Any], *what: Any) -> None:
    try:
        verb(*what)
    except PublishingError as error:
        report.skip(NAME, None, str(error))


def _save_site(draft: SiteDraft, report: Report) -> None:
    before = find_typography(db.session(), None)
    version = db.session.scalar(sa.select(Site.version))
    actions.save_site(draft, expected_version=version, actor=SYSTEM)
    after = find_typography(db.session(), None)
    has_posts = db.session.scalar(sa.select(Post.id).limit(1)) is not None
    if has_posts and before.rules != after.rules:
        report.warn(NAME, None, _RENDER)


def _save_author(draft: AuthorDraft, claimed: set[str], now: datetime) -> None:
    authors = NameIndex.load(db.session(), Author)
    row = authors.find_draft(draft.name, draft.slug, claimed)
    slug = draft.slug or (row.slug if row else authors.free_slug(draft.name))
    actions.save_author(
        replace(draft, slug=slug), now=now, actor=SYSTEM, author_id=row.id if row else None
    )


def _save_topic(draft: TopicDraft, claimed: set[str], now: datetime) -> None:
    topics = NameIndex.load(db.session(), Topic)
    row = topics.find_draft(draft.name, draft.slug, claimed)
    slug = draft.slug or (row.slug if row else topics.free_slug(draft.name))
    actions.save_topic(
        replace(draft, slug=slug), now=now, actor=SYSTEM, topic_id=row.id if row else None
    )


def _redirect(old: str, new: str, now: datetime) -> None:
    actions.add_redirect(old, target=new, now=now, actor=SYSTEM)
