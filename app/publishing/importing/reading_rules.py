"""How a folder is read: its limits, the configuration of its tool, and the rules of places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .configuration import SourceConfiguration, Tool
from .export_statuses import ExportStatuses
from .file_kinds import find_reasons, find_skip_reason
from .file_language import FileLanguage, LanguageFinder
from .inheritance import Inheritance
from .publication.state import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a folder may hold: bytes in a text, bytes in an image, files, folders in folders."""

    text_bytes: int = 1024 * 1024
    image_bytes: int = 20 * 1024 * 1024
    files: int = 50_000
    depth: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a folder is read: its limits, the old site's configuration, and `--permalink`."""

    limits: Limits = field(default_factory=Limits)
    configuration: SourceConfiguration | None = None
    permalink: str = ""
    inheritance: Inheritance | None = None
    statuses: ExportStatuses | None = None
    languages: LanguageFinder | None = None
    index_folders: dict[PurePosixPath, bool] = field(default_factory=dict)
    """Whether a folder has an `index.*` file, for the folders that were looked at."""

    @property
    def tool(self) -> Tool | None:
        """The tool that wrote the folder, if it is known."""
        return self.configuration.tool if self.configuration else None

    def find_skip_reason(self, path: PurePosixPath) -> str | None:
        """Say why a file is no post, by its name or by the configuration; None for a post."""
        excluded = self.inheritance.find_skip_reason(path) if self.inheritance else None
        return excluded or find_skip_reason(path, self.tool)

    def find_language(self, path: PurePosixPath) -> FileLanguage:
        """Return the language that the path of a file states."""
        return self.languages.find(path) if self.languages else FileLanguage(path=path)

    def find_suffix(self, path: PurePosixPath) -> str:
        """Return the suffix of a file's format in lower case: `.md` of `post.md.fr` (Nikola)."""
        has_pattern = self.configuration is not None and self.configuration.language_pattern
        return (self.find_language(path).path if has_pattern else path).suffix.lower()

    def _is_in_bundle(self, path: PurePosixPath) -> bool:
        """Whether a file is a resource of a leaf bundle: beside or below another index file."""
        if self.configuration is None or self.tool is not Tool.HUGO:
            return False
        is_index = path.name.startswith("index.")
        folders = path.parents[1:] if is_index else path.parents
        content = self.configuration.content_folders
        below = [folder for folder in folders if any(top in folder.parents for top in content)]
        return any(self._has_index(self.configuration.root, folder) for folder in below)

    def _has_index(self, root: Path, folder: PurePosixPath) -> bool:
        if folder not in self.index_folders:
            self.index_folders[folder] = any((root / folder).glob("index.*"))
        return self.index_folders[folder]

    def find_reasons(self, path: PurePosixPath, slug: str) -> Iterator[Reason]:
        """Yield the reasons for which the place of a file, or an export, holds it back."""
        yield from find_reasons(path, self.tool, in_bundle=self._is_in_bundle(path))
        reason = self.statuses.find_reason(slug) if self.statuses else None
        if reason is not None:
            yield reason
