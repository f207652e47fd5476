"""The folder that is imported: its posts in a stable order.

Only reads, and never outside the folder; what cannot be read is named and passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from . import html_posts
from .configuration import SourceConfiguration
from .file_access import SourceError, read_file, resolve_root
from .folder_walk import MARKDOWN, walk
from .post_reader import read_file_as_post
from .reading_rules import Limits, Rules
from .source_post import Skipped, SourcePost

__all__ = [
    "Limits",
    "Rules",
    "Skipped",
    "SourceError",
    "SourcePost",
    "read_file",
    "read_post",
    "scan",
]

_HTML_START = 8192
_OTHER_TEXTS = frozenset(
    {".adoc", ".asciidoc", ".ipynb", ".mdx", ".org", ".qmd", ".rmd", ".rst", ".textile"}
)


def scan(
    root: Path, limits: Limits | None = None, rules: Rules | None = None
) -> Iterator[SourcePost | Skipped]:
    """Read every post below `root`, sorted by path; raises `SourceError` for any other file.

    With a configuration, paths are relative to the root of its site, which may lie above `root`.
    """
    rules = rules or Rules(limits=limits or Limits())
    home, start = _roots(root, rules)
    for path in walk(home, start, rules, [rules.limits.files]):
        if isinstance(path, Skipped):
            yield path
            continue
        suffix = rules.find_suffix(path)
        if suffix not in MARKDOWN | _OTHER_TEXTS and not _is_html_post(home, path, rules):
            continue
        if reason := _outside(rules.configuration, path):
            yield Skipped(path=path, line=None, reason=reason)
        elif suffix in _OTHER_TEXTS:
            yield Skipped(path=path, line=None, reason=f"{suffix} is not Markdown")
        else:
            yield read_file_as_post(home, path, rules)


def _is_html_post(home: Path, path: PurePosixPath, rules: Rules) -> bool:
    """Tell whether a file in HTML is a post: by its place, and by metadata at its top."""
    if rules.find_suffix(path) not in html_posts.SUFFIXES:
        return False
    if not html_posts.is_post_folder(path, rules.tool):
        return False
    try:
        data = read_file(home, path, most=rules.limits.text_bytes)
    except SourceError:
        return False
    return html_posts.has_metadata(data[:_HTML_START].decode("utf-8", "replace"), rules.tool)


def _roots(root: Path, rules: Rules) -> tuple[Path, PurePosixPath]:
    """Return the root of the site, and the folder that is read below it."""
    folder = resolve_root(root)
    if rules.configuration is None or not folder.is_relative_to(rules.configuration.root):
        return folder, PurePosixPath()
    home = rules.configuration.root
    return home, PurePosixPath(folder.relative_to(home).as_posix())


def _outside(configuration: SourceConfiguration | None, path: PurePosixPath) -> str:
    """Say that a file lies outside the content folders of its tool, or return an empty text."""
    if configuration is None or configuration.tool is None:
        return ""
    folders = configuration.content_folders
    if not folders or any(folder in path.parents for folder in folders):
        return ""
    names = ", ".join(map(str, folders))
    return f"lies outside the content folders of {configuration.tool} ({names})"


def read_post(
    root: Path,
    path: PurePosixPath,
    limits: Limits | None = None,
    rules: Rules | None = None,
) -> SourcePost | Skipped:
    """Read one post that `scan` has found; `root` is the root of its site."""
    return read_file_as_post(resolve_root(root), path, rules or Rules(limits=limits or Limits()))
