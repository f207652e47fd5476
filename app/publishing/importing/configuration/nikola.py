"""Nikola: `conf.py` with POSTS or BLOG_TITLE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import values as read
from .files import Files
from .hugo import author_name
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool
from .pelican import pairs

_KEYS = frozenset({"BLOG_TITLE", "POSTS", "PAGES", "BLOG_AUTHOR"})


def matches(files: Files) -> bool:
    """Tell whether the folder has a `conf.py` of Nikola; Sphinx uses the same name."""
    return files.exists("conf.py") and bool(_KEYS & Files(root=files.root).read("conf.py").keys())


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the literal settings of Nikola."""
    values = files.read("conf.py")
    language = read.text(values, "DEFAULT_LANG") or "en"
    static = [*read.table(values, "FILES_FOLDERS"), "files", "images"]
    return SourceConfiguration(
        root=files.root,
        tool=Tool.NIKOLA,
        content_folders=read.folders(
            dict.fromkeys([folder for folder, _ in _folders(values)] or ["posts", "pages"])
        ),
        static_folders=read.existing(files.root, static),
        base_url=read.text(values, "SITE_URL", "BASE_URL"),
        time_zone=read.time_zone(read.text(values, "TIMEZONE")),
        default_language=language,
        languages=tuple(dict.fromkeys((language, *read.table(values, "TRANSLATIONS")))),
        language_pattern=read.text(values, "TRANSLATIONS_PATTERN"),
        permalinks=tuple(
            PermalinkRule(pattern=target, scope=folder) for folder, target in _folders(values)
        ),
        site=_site(values, language),
        values=values,
    )


def _folders(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return each folder of POSTS and PAGES with the folder it is published in."""
    for name, default in (("POSTS", "posts"), ("PAGES", "pages")):
        rules = pairs(values.get(name)) or ((f"{default}/*.md", default),)
        for wildcard, target in dict.fromkeys(rules):
            yield wildcard.partition("*")[0].strip("/"), target.strip("/")


def _site(values: dict[str, Any], language: str) -> SiteFacts:
    links = read.table(values, "NAVIGATION_LINKS").get(language)
    turned = tuple((name, url) for url, name in pairs(links))
    return SiteFacts(
        title=read.text(values, "BLOG_TITLE"),
        tagline=read.text(values, "BLOG_TAGLINE"),
        description=read.text(values, "BLOG_DESCRIPTION"),
        language=language,
        author=author_name(values.get("BLOG_AUTHOR")),
        menu=turned,
    )
