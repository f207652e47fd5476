"""Walk through a folder in a stable order, without leaving it; files are named, not read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from . import html_posts
from .file_kinds import is_passed_over
from .reading_rules import Limits, Rules
from .source_post import Skipped

MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown"})
"""The suffixes of posts in Markdown."""


def walk(
    home: Path, folder: PurePosixPath, rules: Rules, remaining: list[int]
) -> Iterator[PurePosixPath | Skipped]:
    """Give the regular files below a folder in order; `left` counts down over the whole walk."""
    try:
        entries = sorted(os.scandir(home / folder), key=_order)
    except OSError as error:
        yield Skipped(path=folder, line=None, reason=f"cannot be read: {error.strerror}")
        return
    for entry in entries:
        path = folder / entry.name
        remaining[0] -= 1
        if remaining[0] == -1:
            reason = f"the folder has more than {rules.limits.files} files; the rest is left out"
            yield Skipped(path=path, line=None, reason=reason)
        if remaining[0] < 0:
            return
        yield from _step(home, entry, path, rules, remaining)


def _step(
    home: Path, entry: os.DirEntry[str], path: PurePosixPath, rules: Rules, remaining: list[int]
) -> Iterator[PurePosixPath | Skipped]:
    if entry.name.startswith("."):
        return
    if entry.is_dir(follow_symlinks=False) and is_passed_over(path, rules.tool):
        if count := _count_texts(home / path):
            sentence = f"is a folder without posts: {count} files are passed over"
            yield Skipped(path=path, line=None, reason=sentence)
        return
    reason = _refusal(home, entry, path, rules.limits)
    if reason:
        yield Skipped(path=path, line=None, reason=reason)
    elif entry.is_dir(follow_symlinks=False):
        yield from walk(home, path, rules, remaining)
    elif entry.is_file(follow_symlinks=False):
        yield path


def _count_texts(folder: Path) -> int:
    """Count the Markdown files of a folder that is not read, up to some thousand."""
    walk = (name for _, _, names in os.walk(folder) for name in names)
    return sum(PurePosixPath(name).suffix.lower() in MARKDOWN for name in islice(walk, 10_000))


def _refusal(
    home: Path, entry: os.DirEntry[str], path: PurePosixPath, limits: Limits
) -> str | None:
    """Say why an entry is not followed; None for folders and for files of any regular kind."""
    if not path.name.isprintable():
        return "has a name that is not printable text"
    if entry.is_symlink():
        return _link_refusal(home, path)
    if entry.is_dir(follow_symlinks=False):
        deep = len(path.parts) > limits.depth
        return f"lies more than {limits.depth} folders deep" if deep else None
    if path.suffix.lower() in MARKDOWN and not entry.is_file(follow_symlinks=False):
        return "is not a regular file"
    return None


def _link_refusal(home: Path, path: PurePosixPath) -> str | None:
    try:
        real = (home / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link to nothing"
    if not real.is_relative_to(home):
        return "is a symbolic link out of the folder"
    if real.is_dir() or path.suffix.lower() in MARKDOWN | html_posts.SUFFIXES:
        return f"is a symbolic link to {real.relative_to(home)}, which is read there"
    return None


def _order(entry: os.DirEntry[str]) -> tuple[str, ...]:
    return (entry.name.casefold(), entry.name)
