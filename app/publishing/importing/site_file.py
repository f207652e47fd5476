"""The file `site.toml`: what the whole site is called, who writes, what about, and the menu."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, TopicDraft
from app.publishing.actions.add_media import add_site_image
from app.publishing.actions.change_site import find_faults
from app.publishing.editing.rendering import find_typography
from app.publishing.editing.site_values import read_value
from app.publishing.errors import Invalid, PublishingError
from app.publishing.images import MAX_BYTES
from app.publishing.models import Author, Post, Topic
from app.publishing.permissions import SYSTEM
from app.publishing.site_settings import BY_NAME, SETTINGS, Kind, nearest_name

from . import source_folder
from .names import NameIndex
from .report import Report

NAME = PurePosixPath("site.toml")
MOST = 1024 * 1024

_RENDER = (
    "the settings of text have changed; run `flask content render`, which renders the posts again"
)
_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_PLACE = re.compile(r"\(at [^()]*\)")


_TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("authors", ("name", "slug", "bio", "url")),
    ("topics", ("name", "slug", "description")),
)
KEYS = (*(setting.name for setting in SETTINGS), "authors", "topics", "redirects", "shortcodes")
"""The keys that the file may have at its top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """What the file says; empty where it says nothing."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    """The settings of the site that the file gives, by their names; others stay as they are."""
    authors: tuple[AuthorDraft, ...] = ()
    topics: tuple[TopicDraft, ...] = ()
    menu: tuple[str, ...] | None = None
    redirects: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    """The Markdown that replaces a tag of another tool, by the tag's name (`[shortcodes]`)."""


def load(root: Path, report: Report) -> SiteFile:
    """Read the file, if there is one; a broken one is noted as skipped, an unknown key named."""
    if not (root / NAME).exists():
        return SiteFile()
    text = ""
    try:
        text = source_folder.read_file(root, NAME, most=MOST).decode()
        values = tomllib.loads(text)
        _warn_of_unknown_keys(values, text, report)
        return parse_site_file(values)
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


def _warn_of_unknown_keys(values: Mapping[str, Any], text: str, report: Report) -> None:
    """Name each key that has no meaning here, with the name that a person may have meant."""
    groups: list[tuple[str, Mapping[str, Any], tuple[str, ...]]] = [("", values, KEYS)]
    for name, names in _TABLES:
        tables = values.get(name)
        listed = tables if isinstance(tables, list) else []
        place = f" of [[{name}]]"
        groups.extend((place, table, names) for table in listed if isinstance(table, dict))
    for place, table, known_keys in groups:
        for key in table:
            if key not in known_keys:
                sentence = (
                    f"the key {key!r}{place} is not known and was passed over; the nearest name "
                    f"is {nearest_name(key, known_keys)!r}"
                )
                report.warn(NAME, _line_of(key, text), sentence)


def _line_of(key: str, text: str) -> int | None:
    """Return the line of a key, if it is written at the beginning of one."""
    match = re.search(rf"""^[ \t]*\[*["']?{re.escape(key)}["']?[ \t]*[\]=.]""", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else None


def parse_site_file(values: Mapping[str, Any]) -> SiteFile:
    """What the values of the file mean; raises a `ValueError` that names what is wrong."""
    settings = {
        setting.name: read_value(setting.name, values[setting.name])
        for setting in SETTINGS
        if setting.name in values
    }
    menu = settings.pop("menu", None)
    return SiteFile(
        settings=settings,
        authors=tuple(_author(one) for one in _tables(values, "authors")),
        topics=tuple(_topic(one) for one in _tables(values, "topics")),
        menu=None if menu is None else tuple(menu),
        redirects=_text_table(values, "redirects"),
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


def save_people(
    publication: SiteFile, report: Report, *, now: datetime, root: Path | None = None
) -> None:
    """Save the site's settings, its authors and its topics; the file wins over what is there.

    Images of the settings are files below `root`.
    """
    if publication.settings:
        _try(report, _save_site, publication.settings, report, root, now)
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


def _save_site(
    settings: Mapping[str, Any], report: Report, root: Path | None, now: datetime
) -> None:
    """Save the settings that can be saved, and name the others."""
    before = find_typography(db.session(), None)
    columns = dict(_to_columns(settings, report, root, now))
    for column, error in find_faults(columns).items():
        report.skip(NAME, None, str(error))
        del columns[column]
    if columns:
        actions.change_site(columns, actor=SYSTEM)
    after = find_typography(db.session(), None)
    has_posts = db.session.scalar(sa.select(Post.id).limit(1)) is not None
    if has_posts and before.rules != after.rules:
        report.warn(NAME, None, _RENDER)


def _to_columns(
    settings: Mapping[str, Any], report: Report, root: Path | None, now: datetime
) -> Iterator[tuple[str, Any]]:
    """Yield the columns of the settings; an image that can't be used is named."""
    for name, value in settings.items():
        setting = BY_NAME[name]
        if setting.kind is not Kind.IMAGE:
            yield setting.column, value
            continue
        try:
            yield setting.column, _image(name, value, root, now)
        except PublishingError as error:
            report.skip(NAME, None, str(error))
        except source_folder.SourceError as error:
            label = name.replace("_", " ")
            report.skip(NAME, None, f"The {label} {value!r} can't be used: {error}")


def _image(name: str, value: str, root: Path | None, now: datetime) -> int | None:
    """Store the image that a setting names, and return its row; None for an empty name."""
    if not value:
        return None
    if root is None:
        raise Invalid(name, f"{name}: there is no folder in which {value!r} could be found")
    content = source_folder.read_file(root, PurePosixPath(value), most=MAX_BYTES)
    return add_site_image(name, content, PurePosixPath(value).name, now=now, actor=SYSTEM)


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
