"""Front matter that a post inherits from its folders and its site; its own keys override it.

Only reads files of the site, each at most once. A value that can't be understood holds the posts
of its folder back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from . import frontmatter
from .configuration import SourceConfiguration, Tool
from .publication.rules import truth_of
from .publication.state import Reason, State

ReadText = Callable[[PurePosixPath], str | None]
"""Returns the text of a file of the site, or None if there is no such file that can be read."""

_INDEX_NAMES = ("_index.md", "_index.markdown", "_index.html")
_TARGET_KEYS = frozenset({"path", "kind", "lang", "environment"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited:
    """The values that a post inherits, the nearest ones on top, and reasons of its folders."""

    values: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()


class InheritanceError(ValueError):
    """A cascade that can't be understood."""


@dataclass(slots=True, kw_only=True)
class Inheritance:
    """Finds inherited values; paths are relative to the root of the site."""

    configuration: SourceConfiguration
    read_text: ReadText
    _sections: dict[PurePosixPath, Mapping[str, Any] | None] = field(default_factory=dict)

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

    def _section(self, folder: PurePosixPath) -> Mapping[str, Any]:
        """Return the front matter of a folder's index; raises InheritanceError if it is broken."""
        if folder not in self._sections:
            text = next(filter(None, (self.read_text(folder / n) for n in _INDEX_NAMES)), "")
            try:
                self._sections[folder] = frontmatter.split(text).values
            except frontmatter.FrontMatterError:
                self._sections[folder] = None
        section = self._sections[folder]
        if section is None:
            raise InheritanceError(f"the front matter of {folder}/_index is broken")
        return {key.lower(): value for key, value in section.items()}

    def _hugo_cascades(self, path: PurePosixPath) -> Inherited:
        values_below: dict[str, Any] = {}
        try:
            for values in _cascade_values(self.configuration.values.get("cascade"), path):
                values_below |= values
            for folder in reversed(path.parents):
                for values in _cascade_values(self._section(folder).get("cascade"), path):
                    values_below |= values
        except InheritanceError as error:
            sentence = f"is a draft, because of its folder: {error}"
            reason = Reason(key="cascade", state=State.DRAFT, sentence=sentence)
            return Inherited(values=values_below, reasons=(reason,))
        return Inherited(values=values_below)

    def _zola_sections(self, path: PurePosixPath) -> Inherited:
        for folder in path.parents:
            try:
                is_draft = truth_of(self._section(folder).get("draft", False)) is not False
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
            for suffix in (".json", ".11tydata.json"):
                values_below |= self._json(folder / f"{folder.name}{suffix}") if folder.name else {}
        for suffix in (".json", ".11tydata.json"):
            values_below |= self._json(path.with_name(f"{path.stem}{suffix}"))
        return Inherited(values=values_below)

    def _json(self, path: PurePosixPath) -> dict[str, Any]:
        text = self.read_text(path)
        try:
            values = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            return {"draft": f"{path} is broken"}
        return values if isinstance(values, dict) else {}


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
