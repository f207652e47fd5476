"""Jekyll: `_config.yml`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import values as read
from .files import Files
from .hugo import author_name
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool

NAMES = ("_config.yml", "_config.yaml", "_config.toml")
HEXO_KEYS = frozenset({"source_dir", "new_post_name"})


def matches(files: Files) -> bool:
    """Tell whether the folder has a `_config.yml` that is not Hexo's."""
    name = files.first(NAMES)
    return name is not None and not HEXO_KEYS & Files(root=files.root).read(name).keys()


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the configuration of Jekyll."""
    values = files.read(files.first(NAMES) or NAMES[0])
    languages = read.texts(values.get("languages"))
    language = read.text(values, "default_lang", "lang", "locale", "language")
    by_folder = {f"_i18n/{name}": name for name in languages}
    translated = read.existing(files.root, by_folder)
    language = language or (languages[0] if translated else "")
    return SourceConfiguration(
        root=files.root,
        tool=Tool.JEKYLL,
        content_folders=(*read.folders([read.text(values, "source") or "."]), *translated),
        static_folders=read.folders([read.text(values, "source") or "."]),
        base_url=read.join_url(read.text(values, "url"), read.text(values, "baseurl")),
        time_zone=read.time_zone(read.text(values, "timezone")),
        default_language=language,
        languages=languages or read.texts(language),
        language_folders=tuple((folder, by_folder[str(folder)]) for folder in translated),
        permalinks=tuple(_permalinks(values)),
        site=_site(files, values, language),
        values=values,
    )


def _permalinks(values: dict[str, Any]) -> Iterator[PermalinkRule]:
    for name, options in read.table(values, "collections").items():
        if isinstance(options, dict) and (pattern := read.text(options, "permalink")):
            yield PermalinkRule(pattern=pattern, scope=name)
    if pattern := read.text(values, "permalink"):
        yield PermalinkRule(pattern=pattern)


def _site(files: Files, values: dict[str, Any], language: str) -> SiteFacts:
    return SiteFacts(
        title=read.text(values, "title", "name"),
        tagline=read.text(values, "tagline", "subtitle"),
        description=read.text(values, "description", "tagline"),
        language=language,
        author=author_name(values.get("author")),
        menu=_menu(files, values),
    )


def _menu(files: Files, values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    pages = read.texts(values.get("header_pages"))
    if pages:
        return tuple((page, page) for page in pages)
    name = files.first(("_data/navigation.yml", "_data/nav.yml", "_data/menu.yml"))
    if name is None:
        return ()
    navigation = files.read(name)
    lists = (navigation.get(key) for key in ("main", "header", "docs", "items", "nav", "menu"))
    entries = next((entry for entry in lists if isinstance(entry, list)), None)
    return read.menu(entries, ("title", "name", "text"), ("url", "link", "href"))
