"""The site's own texts, language, time zone and menu, from the configuration of the old tool.

They are taken while the site bears its default values, never over values that a person has set.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import SiteDraft
from app.publishing.actions.change_site import current_columns
from app.publishing.actions.save_site import checked
from app.publishing.errors import Invalid, PublishingError
from app.publishing.models import Kind, Post, Site
from app.publishing.permissions import SYSTEM

from .author_names import split_link
from .configuration import SiteFacts, SourceConfiguration, Tool
from .plan import Entry
from .post import Job
from .post_meta import MAX_NAME
from .report import Report
from .site_file import SiteFile

DEFAULTS = SiteDraft(title="Broadsheet")
_SAMPLE_FILE = Path(__file__).resolve().parent.parent / "samples" / "site.toml"
_FIELDS = ("title", "tagline", "description", "language")
_NO_LANGUAGES = frozenset({"default", ""})


def has_default_title() -> bool:
    """Tell whether the site still has the default title."""
    title = db.session.scalar(sa.select(Site.title))
    return title is None or title == DEFAULTS.title


def save_facts(job: Job, publication: SiteFile) -> tuple[str, ...]:
    """Save what the configuration says about the site; return a text for each fact that was taken.

    A `site.toml` that names the site wins, and so does a site that has a name.
    """
    configuration = job.folder.configuration
    if configuration is None or "title" in publication.settings or not has_default_title():
        return ()
    facts = dict(_usable_facts(configuration, job.report))
    current = current_columns(db.session.get(Site, 1))
    changes: dict[str, Any] = {
        name: text
        for name, text in facts.items()
        if name not in publication.settings
        and current[name] in _default_values(name)
        and current[name] != text
    }
    if changes and not job.dry_run:
        actions.change_site(changes, actor=SYSTEM)
    db.session.rollback()
    return tuple(f"{name} “{text[:80]}”" for name, text in changes.items())


def _usable_facts(configuration: SourceConfiguration, report: Report) -> Iterator[tuple[str, str]]:
    """Yield each fact that the site accepts; another one is named."""
    zone = getattr(configuration.time_zone, "key", "")
    for name, text in (*_facts(configuration.site), *([("time_zone", zone)] if zone else [])):
        try:
            change: dict[str, Any] = {name: text}
            checked(replace(DEFAULTS, **change))
        except Invalid as error:
            sentence = f"the site's {name} was not taken: {error}"
            report.warn(_place(configuration), None, sentence)
        else:
            yield name, text


def _facts(site: SiteFacts) -> Iterator[tuple[str, str]]:
    language = site.language.replace("_", "-").partition(".")[0]
    texts = (site.title, site.tagline, site.description, language)
    for name, text in zip(_FIELDS, texts, strict=True):
        is_template = "{{" in text or "{%" in text
        if text and not is_template and not (name == "language" and text in _NO_LANGUAGES):
            yield name, text


@lru_cache(maxsize=1)
def _sample_values() -> Mapping[str, object]:
    return tomllib.loads(_SAMPLE_FILE.read_text())


def _default_values(name: str) -> set[str]:
    """Return the values of a field that no person chose: the default, and that of the samples."""
    return {getattr(DEFAULTS, name), str(_sample_values().get(name, ""))}


def has_menu() -> bool:
    """Tell whether a page has a place in the menu."""
    statement = sa.select(Post.id).where(Post.menu_position.is_not(None)).limit(1)
    return db.session.scalar(statement) is not None


def save_menu(job: Job) -> str:
    """List the pages of the old menu; return a text about it, empty if it has none of our pages.

    Pages whose own files ask for a place stay in the menu, behind the others.
    """
    slugs = list(dict.fromkeys(_menu_slugs(job)))
    if not slugs:
        return ""
    if not job.dry_run:
        statement = sa.select(Post.slug).where(
            Post.kind == Kind.PAGE, Post.menu_position.is_not(None)
        )
        own = db.session.scalars(statement.order_by(Post.menu_position, Post.slug)).all()
        exist = set(db.session.scalars(sa.select(Post.slug).where(Post.kind == Kind.PAGE)))
        slugs = [slug for slug in dict.fromkeys((*slugs, *own)) if slug in exist]
        try:
            actions.arrange_menu(slugs, actor=SYSTEM)
        except PublishingError:
            return ""
    db.session.rollback()
    return f"menu {', '.join(slugs)}"


def _menu_slugs(job: Job) -> Iterator[str]:
    configuration = job.folder.configuration
    for _name, url in configuration.site.menu if configuration else ():
        entry = _entry_at(job, url)
        if entry is not None and entry.kind is Kind.PAGE:
            yield entry.slug
    if configuration is None or configuration.tool is not Tool.PELICAN:
        return
    if configuration.values.get("DISPLAY_PAGES_ON_MENU", True):
        entries = job.folder.plan.entries.values()
        yield from sorted(entry.slug for entry in entries if entry.kind is Kind.PAGE)


def _entry_at(job: Job, url: str) -> Entry | None:
    """Return the page of a menu entry: an address, or a file as Jekyll's `header_pages` has it."""
    plan, base = job.folder.plan, job.folder.base_url
    try:
        parts = urlsplit(url.removeprefix(base) if base else url)
    except ValueError:
        return None
    if parts.netloc or parts.scheme:
        return None
    for top in (PurePosixPath(), *job.folder.tops):
        for suffix in ("", ".md"):
            path = top / f"{parts.path.strip('/')}{suffix}"
            if entry := plan.entries.get(path):
                return entry
    return plan.at(f"/{parts.path}")


def _place(configuration: SourceConfiguration) -> PurePosixPath:
    return next(iter(configuration.files), PurePosixPath())


def default_author(configuration: SourceConfiguration | None) -> str:
    """Return the name of the author whom the configuration gives every post without one."""
    if configuration is None or not configuration.files:
        return ""
    return split_link(configuration.site.author).name[:MAX_NAME]


def report_facts(job: Job, texts: tuple[str, ...]) -> None:
    """Say in one remark what was taken."""
    configuration = job.folder.configuration
    if texts and configuration is not None:
        verb = "would take" if job.dry_run else "has taken"
        sentence = f"the site {verb} from here: {', '.join(texts)}"
        job.report.warn(_place(configuration), None, sentence)
