"""Astro: the literals of `astro.config.*` and of `src/consts.*`."""

from __future__ import annotations

from . import values as read
from .files import Files
from .model import SiteFacts, SourceConfiguration, Tool

_SUFFIXES = ("mjs", "js", "ts", "mts", "cjs", "cts")
_NAMES = tuple(f"astro.config.{suffix}" for suffix in _SUFFIXES)
_CONSTANTS = tuple(
    f"src/{stem}.{suffix}" for stem in ("consts", "config") for suffix in ("ts", "js", "mjs")
)


def matches(files: Files) -> bool:
    """Tell whether the folder has a configuration of Astro."""
    return files.first(_NAMES) is not None


def read_configuration(files: Files) -> SourceConfiguration:
    """Read the literals of the configuration of Astro, and of the starter's constants."""
    values = files.read(files.first(_NAMES) or _NAMES[0])
    constants = files.first(_CONSTANTS)
    named = files.read(constants) if constants else {}
    language = read.text(values, "i18n.defaultLocale") or "en"
    return SourceConfiguration(
        root=files.root,
        tool=Tool.ASTRO,
        content_folders=read.folders(["src/content", "src/pages"]),
        static_folders=read.existing(files.root, ["public", "src"]),
        base_url=read.join_url(read.text(values, "site"), read.text(values, "base")),
        default_language=language,
        languages=read.texts(values.get("i18n.locales")) or (language,),
        site=SiteFacts(
            title=read.text(named, "SITE_TITLE", "SITE.title"),
            tagline=read.text(named, "SITE_TAGLINE", "SITE.tagline"),
            description=read.text(named, "SITE_DESCRIPTION", "SITE.description"),
            language=language,
        ),
        values=values | {f"consts.{key}": value for key, value in named.items()},
    )
