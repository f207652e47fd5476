"""Pelican: `pelicanconf.py`, overruled by `publishconf.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import values as read
from .files import Files
from .hugo import author_name
from .model import PermalinkRule, SiteFacts, SourceConfiguration, Tool


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Pelican."""
    return files.exists("pelicanconf.py")


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the literal settings of Pelican."""
    values = files.read("pelicanconf.py")
    if files.exists("publishconf.py"):
        values |= files.read("publishconf.py")
    language = read.text(values, "DEFAULT_LANG") or "en"
    content = read.text(values, "PATH") or _guess_content(files)
    static = read.texts(values.get("STATIC_PATHS")) or ("images",)
    return SourceConfiguration(
        root=files.root,
        tool=Tool.PELICAN,
        content_folders=read.folders([content]),
        static_folders=read.existing(
            files.root, [content, *(f"{content}/{name}" for name in static)]
        ),
        base_url=read.text(values, "SITEURL"),
        time_zone=read.time_zone(read.text(values, "TIMEZONE")),
        default_language=language,
        languages=tuple(dict.fromkeys((language, *read.table(values, "I18N_SUBSITES")))),
        permalinks=tuple(_permalinks(values)),
        site=_site(values, language),
        values=values,
    )


def _guess_content(files: Files) -> str:
    """Use `content`, the folder of Pelican's quickstart, when PATH is not a literal."""
    return "content" if (files.root / "content").is_dir() else "."


def _permalinks(values: dict[str, Any]) -> Iterator[PermalinkRule]:
    for scope in ("ARTICLE", "PAGE", "ARTICLE_LANG", "PAGE_LANG", "DRAFT"):
        pattern = read.text(values, f"{scope}_URL", f"{scope}_SAVE_AS")
        if pattern:
            yield PermalinkRule(pattern=pattern, scope=scope.lower())


def _site(values: dict[str, Any], language: str) -> SiteFacts:
    return SiteFacts(
        title=read.text(values, "SITENAME"),
        tagline=read.text(values, "SITESUBTITLE", "SITETAG"),
        description=read.text(values, "SITEDESCRIPTION", "SITESUBTITLE"),
        language=language,
        author=author_name(values.get("AUTHOR")),
        menu=pairs(values.get("MENUITEMS")),
    )


def pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """Return the pairs of texts in a list of tuples."""
    if not isinstance(value, list | tuple):
        return ()
    two = [item for item in value if isinstance(item, list | tuple) and len(item) >= 2]  # noqa: PLR2004 - a pair
    return tuple(
        (str(item[0]), str(item[1]))
        for item in two
        if all(isinstance(part, str) for part in item[:2])
    )
