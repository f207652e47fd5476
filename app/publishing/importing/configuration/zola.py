"""Zola: `zola.toml`, or a `config.toml` with `base_url`."""

from __future__ import annotations

from typing import Any

from . import values as read
from .files import Files
from .hugo import author_name
from .model import SiteFacts, SourceConfiguration, Tool


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Zola."""
    if files.exists("zola.toml"):
        return True
    return files.exists("config.toml") and "base_url" in Files(root=files.root).read("config.toml")


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the configuration of Zola."""
    values = files.read("zola.toml" if files.exists("zola.toml") else "config.toml")
    language = read.text(values, "default_language") or "en"
    others = read.table(values, "languages")
    return SourceConfiguration(
        root=files.root,
        tool=Tool.ZOLA,
        content_folders=read.folders(["content"]),
        static_folders=read.existing(files.root, ["static"]),
        base_url=read.text(values, "base_url"),
        default_language=language,
        languages=tuple(dict.fromkeys((language, *others))),
        site=_site(values, language),
        values=values,
    )


def _site(values: dict[str, Any], language: str) -> SiteFacts:
    extra = read.table(values, "extra")
    menus = (extra.get(key) for key in ("menu", "nav", "main_menu", "menu_items", "navbar_items"))
    entries = next((entry for entry in menus if isinstance(entry, list)), None)
    return SiteFacts(
        title=read.text(values, "title"),
        tagline=read.text(extra, "tagline", "subtitle", "slogan"),
        description=read.text(values, "description"),
        language=language,
        author=author_name(values.get("author") or extra.get("author")),
        menu=read.menu(entries, ("name", "title", "text"), ("url", "path", "link", "href")),
    )
