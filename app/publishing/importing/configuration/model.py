"""What the configuration of a publishing tool says, in one shape for all tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from app.publishing.importing.report import Remark


class Tool(StrEnum):
    """A publishing tool whose folders can be imported."""

    HUGO = "Hugo"
    JEKYLL = "Jekyll"
    ZOLA = "Zola"
    PELICAN = "Pelican"
    HEXO = "Hexo"
    NIKOLA = "Nikola"
    DOCUSAURUS = "Docusaurus"
    ASTRO = "Astro"
    ELEVENTY = "Eleventy"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermalinkRule:
    """The pattern of the addresses of one part of a site.

    `scope` is the tool's own name of that part: a section of Hugo, a collection of Jekyll,
    `article` or `page` of Pelican; it is empty for the whole site.
    """

    pattern: str
    scope: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What the configuration says about the site itself; `menu` holds names with addresses."""

    title: str = ""
    tagline: str = ""
    description: str = ""
    language: str = ""
    author: str = ""
    menu: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfiguration:
    """The configuration of the old site; folders and files are relative to `root`.

    `tool` is None when no tool was recognised. `time_zone` is None when none is set. `values` are
    the values as written, with keys in lower case for Hugo, and with dotted keys for JavaScript.
    `languages` are the names that paths use. `language_tags` has the tag of a name, in lower case,
    that is none itself. `language_folders` are content folders of one language each.
    `language_pattern` places `{path}`, `{lang}` and `{ext}` in the path of a translation (Nikola).
    """

    root: Path
    tool: Tool | None = None
    content_folders: tuple[PurePosixPath, ...] = (PurePosixPath(),)
    static_folders: tuple[PurePosixPath, ...] = ()
    base_url: str = ""
    time_zone: tzinfo | None = None
    default_language: str = ""
    languages: tuple[str, ...] = ()
    language_tags: Mapping[str, str] = field(default_factory=dict)
    language_folders: tuple[tuple[PurePosixPath, str], ...] = ()
    language_pattern: str = ""
    permalinks: tuple[PermalinkRule, ...] = ()
    site: SiteFacts = field(default_factory=SiteFacts)
    values: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[PurePosixPath, ...] = ()
    remarks: tuple[Remark, ...] = ()

    @property
    def prefix(self) -> str:
        """The path below which the old site stood, without a slash at its end."""
        try:
            return urlsplit(self.base_url).path.rstrip("/")
        except ValueError:
            return ""

    def permalink(self, scope: str = "") -> str:
        """Return the pattern for a part of the site, or an empty text."""
        return next((rule.pattern for rule in self.permalinks if rule.scope == scope), "")
