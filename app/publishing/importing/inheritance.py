"""Front matter that a post inherits from its folders and its site; its own keys override it.

Only reads files of the site, each at most once. A value that can't be understood holds the posts
of its folder back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from . import frontmatter
from .configuration import SourceConfiguration, Tool
from .configuration.javascript import read_literals
from .publication.rules import truth_of
from .publication.state import Reason, State

ReadText = Callable[[PurePosixPath], str | None]
"""Returns the text of a file of the site, or None if there is no such file that can be read."""

INDEX_NAMES = ("_index.md", "_index.markdown", "_index.html")
_TARGET_KEYS = frozenset({"path", "kind", "lang", "environment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """The values that a post inherits, the nearest ones on top, and reasons of its folders."""

    values: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()

    def complete(self, document: frontmatter.Document) -> frontmatter.Document:
        """Return the document with the inherited values that its own keys do not override."""
        own = {key.strip().lower() for key in document.values}
        below = {key: v for key, v in self.values.items() if key.strip().lower() not in own}
        return replace(document, values={**below, **document.values})


class InheritanceError(ValueError):
    """A cascade that can't be understood."""


@dataclass(slots=True, kw_only=True)
class Inheritance:
    """Finds inherited values; paths are relative to the root of the site."""

    configuration: SourceConfiguration
    read_text: ReadText
    index_names: Callable[[PurePosixPath], Iterable[str]] = lambda _folder: INDEX_NAMES
    _sections: dict[PurePosixPath, list[Mapping[str, Any]] | None] = field(default_factory=dict)

    def find(self, path: PurePosixPath) -> Inherited:
        """Return what the post at `path` inherits."""
        tool, values = self.configuration.tool, self.configuration.values
        if tool is Tool.JEKYLL:
            return Inherited(values=_jekyll_defaults(values.get("defaults"), path))
        if tool is Tool.PELICAN:
            defaults = values.get("DEFAULT_METADATA")
            return Inherited(values=defaults if isinstance(defaults, Mapping) else {})
        if tool is Tool.HUGO:
            return self._hugo_cascades(path)
        if tool is Tool.ZOLA:
            return self._zola_sections(path)
        if tool is Tool.ELEVENTY:
            return self._eleventy_data(path)
        return Inherited()

    def find_skip_reason(self, path: PurePosixPath) -> str | None:
        """Say that the configuration excludes a file; None where it does not."""
        tool = self.configuration.tool
        key = {Tool.JEKYLL: "exclude", Tool.HEXO: "skip_render"}.get(tool) if tool else None
        patterns = self.configuration.values.get(key) if key else None
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if isinstance(pattern, str) and _is_below(path, pattern):
                return f"is excluded by {key} of {tool}"
        return None

    def _indexes(self, folder: PurePosixPath) -> list[Mapping[str, Any]]:
        """Return the front matter of a folder's index in each language.

        Raises InheritanceError if one is broken.
        """
        if folder not in self._sections:
            texts = (self.read_text(folder / name) for name in self.index_names(folder))
            try:
                self._sections[folder] = [_values_of(text) for text in texts if text]
            except frontmatter.FrontMatterError:
                self._sections[folder] = None
        indexes = self._sections[folder]
        if indexes is None:
            raise InheritanceError(f"the front matter of {folder}/_index is broken")
        return indexes

    def _hugo_cascades(self, path: PurePosixPath) -> Inherited:
        values_below: dict[str, Any] = {}
        try:
            for values in _cascade_values(self.configuration.values.get("cascade"), path):
                values_below |= values
            for folder in reversed(path.parents):
                for index in self._indexes(folder):
                    for values in _cascade_values(index.get("cascade"), path):
                        values_below |= values
        except InheritanceError as error:
            sentence = f"is a draft, because of its folder: {error}"
            reason = Reason(key="cascade", state=State.DRAFT, sentence=sentence)
            return Inherited(values=values_below, reasons=(reason,))
        return Inherited(values=values_below)

    def _zola_sections(self, path: PurePosixPath) -> Inherited:
        for folder in path.parents:
            try:
                drafts = [index.get("draft", False) for index in self._indexes(folder)]
                is_draft = any(truth_of(draft) is not False for draft in drafts)
            except InheritanceError:
                is_draft = True
            if is_draft:
                sentence = f"is a draft, because the section {folder} is one"
                reason = Reason(key="folder", state=State.DRAFT, sentence=sentence)
                return Inherited(reasons=(reason,))
        return Inherited()

    def _eleventy_data(self, path: PurePosixPath) -> Inherited:
        values_below: dict[str, Any] = {}
        for folder in reversed(path.parents):
            values_below |= self._data_files(folder / folder.name) if folder.name else {}
        return Inherited(values=values_below | self._data_files(path.with_suffix("")))

    def _data_files(self, stem: PurePosixPath) -> dict[str, Any]:
        """Read the data files of a folder or a file; of JavaScript only the literals."""
        values_below: dict[str, Any] = {}
        for suffix in (".json", ".11tydata.json"):
            values_below |= self._json(stem.with_name(f"{stem.name}{suffix}"))
        for suffix in (".11tydata.js", ".11tydata.cjs", ".11tydata.mjs"):
            text = self.read_text(stem.with_name(f"{stem.name}{suffix}"))
            literals = read_literals(text) if text else {}
            values_below |= {path[0]: value for path, value in literals.items() if len(path) == 1}
        return values_below

    def _json(self, path: PurePosixPath) -> dict[str, Any]:
        text = self.read_text(path)
        try:
            values = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            return {"draft": f"{path} is broken"}
        return values if isinstance(values, dict) else {}


def _values_of(text: str) -> Mapping[str, Any]:
    return {key.lower(): value for key, value in frontmatter.split(text).values.items()}


def _jekyll_defaults(defaults: Any, path: PurePosixPath) -> dict[str, Any]:
    """Merge Jekyll's front matter defaults: a longer path wins."""
    matches: list[tuple[int, int, Mapping[str, Any]]] = []
    for entry in defaults if isinstance(defaults, list) else []:
        scope, values = (entry.get("scope"), entry.get("values")) if _is_entry(entry) else ({}, {})
        scope_path = str((scope or {}).get("path") or "").strip("/")
        kind = (scope or {}).get("type")
        if isinstance(values, Mapping) and _is_below(path, scope_path) and _is_kind(path, kind):
            matches.append((len(scope_path), len(matches), values))
    values_below: dict[str, Any] = {}
    for _, _, values in sorted(matches, key=lambda match: match[:2]):
        values_below |= values
    return values_below


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("scope"), Mapping | None)


def _is_kind(path: PurePosixPath, kind: Any) -> bool:
    if kind in {None, ""}:
        return True
    folder = f"_{kind}"
    if kind == "pages":
        return not any(part.startswith("_") for part in path.parts[:-1])
    return folder in path.parts[:-1] or (kind == "posts" and "_drafts" in path.parts)


def _is_below(path: PurePosixPath, pattern: str) -> bool:
    """Whether a path, or a folder above it, matches a pattern with `*`."""
    pattern = pattern.strip("/")
    if not pattern:
        return True
    names = [str(path), *map(str, path.parents)]
    return any(fnmatchcase(name, pattern) for name in names)


def _cascade_values(cascade: Any, path: PurePosixPath) -> Iterator[Mapping[str, Any]]:
    """Yield the values of a cascade that concern a page; raises InheritanceError."""
    if cascade is None:
        return
    for entry in cascade if isinstance(cascade, list) else [cascade]:
        if not isinstance(entry, Mapping):
            raise InheritanceError("its cascade is no table")
        lower_values = {str(key).lower(): value for key, value in entry.items()}
        target = lower_values.pop("target", lower_values.pop("_target", {}))
        if not isinstance(target, Mapping) or not _TARGET_KEYS.issuperset(map(str.lower, target)):
            raise InheritanceError("the target of its cascade is not understood")
        if _is_target({str(key).lower(): value for key, value in target.items()}, path):
            params = lower_values.pop("params", None)
            yield {**lower_values, **(params if isinstance(params, Mapping) else {})}


def _is_target(target: Mapping[str, Any], path: PurePosixPath) -> bool:
    """Whether a page matches; a kind other than `page`, or an environment, may not."""
    kind = str(target.get("kind") or "page").lower()
    if "*" not in kind and "page" not in re.findall("[a-z]+", kind):
        return False
    pattern = str(target.get("path") or "").replace("**", "*").strip("/")
    below = str(path.with_suffix("")).removeprefix("content/").removesuffix("/index")
    return not pattern or fnmatchcase(below, pattern) or fnmatchcase(f"{below}/", pattern)
