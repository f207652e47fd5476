"""A file of the folder as a post that can be imported, or as one that is left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import PurePosixPath

from app.publishing.paths import MAX_LENGTH, normal

from . import frontmatter, post_meta, source_urls
from .configuration import Tool
from .publication.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePost:
    """A post of the folder, ready to be imported; `path` is relative to the site's root.

    `source_url` and `aliases` are the absolute paths at which the old site served it, `siblings`
    are paths at which it may have served it too. `digest` is the SHA-256 of the file, and
    `body_digest` that of the text below its front matter. `earlier_url` is the path that earlier
    versions of the importer recorded. `name_path` is the path without a suffix of the language,
    `language` is its tag if the file or its path state one, and `language_name` its name there.
    """

    path: PurePosixPath
    title: str
    meta: post_meta.Meta
    document: frontmatter.Document
    source_url: str
    aliases: tuple[str, ...]
    digest: str
    name_path: PurePosixPath
    reasons: tuple[Reason, ...] = ()
    tool: Tool | None = None
    zone: tzinfo = UTC
    siblings: tuple[str, ...] = ()
    body_digest: str = ""
    earlier_url: str = ""
    language: str | None = None
    language_name: str = ""

    @property
    def has_usable_url(self) -> bool:
        """Whether the old address is short enough to be stored."""
        try:
            normal(self.source_url)
        except ValueError:
            return len(self.source_url) <= MAX_LENGTH
        return True

    @property
    def name(self) -> str:
        """The name of the file, or of its folder for `index.md`, without a language."""
        return source_urls.own_name(self.name_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is not imported, and why; `line` counts from 1."""

    path: PurePosixPath
    line: int | None
    reason: str
