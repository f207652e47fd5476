"""What the references of a text mean: a file of the folder, or a post at its new address.

Looks at the folder, never at the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from . import references, source_folder, source_urls
from .configuration import SourceConfiguration
from .plan import Entry, Plan
from .post_finder import PostFinder
from .source_folder import SourcePost

_IMAGES = frozenset({".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder that is imported, the plan of its posts, and where the old site stood.

    `templates` maps unknown tags to Markdown.
    """

    root: Path
    plan: Plan
    base_url: str = ""
    configuration: SourceConfiguration | None = None
    templates: Mapping[str, str] = field(default_factory=dict)
    finder: PostFinder | None = None
    drafts_for_unknown_tags: bool = False

    @property
    def tops(self) -> tuple[PurePosixPath, ...]:
        """The folders from which absolute references to files are resolved."""
        configuration = self.configuration
        if configuration is None:
            return ()
        return (*configuration.static_folders, *configuration.content_folders)

    @property
    def prefix(self) -> str:
        """The path below which the old site stood."""
        return urlsplit(self.base_url).path.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What each target in a text means; `lines` tells where in the file it stands first."""

    images: dict[str, PurePosixPath] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    dead_links: list[str] = field(default_factory=list)


def translate(folder: Folder, entry: Entry, post: SourcePost) -> Translation:
    """Find the meaning of every target in the text, and of the cover."""
    meaning = Translation()
    at_home = entry.source == entry.address  # written for this site: its links say what they mean
    cover = post.meta.image
    if cover:
        meaning.lines[cover] = _line_of_cover(post, cover)
        if (file := _image(folder, post, cover)) is not None:
            meaning.images[cover] = file
    for reference in references.find(post.document.body):
        target = reference.target
        if target in meaning.lines:
            continue
        meaning.lines[target] = post.document.line_in_file(reference.line)
        _note(folder, post, target, meaning)
        if at_home and target.startswith("/"):
            meaning.links.pop(target, None)
            if target in meaning.dead_links:
                meaning.dead_links.remove(target)
    return meaning


def _line_of_cover(post: SourcePost, cover: str) -> int:
    lines = post.document.source.split("\n")
    return next((number for number, line in enumerate(lines, 1) if cover in line), 1)


def _note(folder: Folder, post: SourcePost, target: str, meaning: Translation) -> None:
    local = _local(folder, target)
    if local is None:
        return
    if (file := _image(folder, post, target)) is not None:
        meaning.images[target] = file
    elif (address := _link(folder, post, local)) is not None:
        meaning.links[target] = address
    elif _is_dead(folder, post, local):
        meaning.dead_links.append(target)


def _local(folder: Folder, target: str) -> str | None:
    """The target as the old site's own pages would spell it; None for other sites."""
    base = folder.base_url
    if base and target.lower().startswith(f"{base.lower()}/"):
        return target[len(base) :]
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None
    if folder.prefix and target.startswith(f"{folder.prefix}/"):
        return target[len(folder.prefix) :]
    return target


def _image(folder: Folder, post: SourcePost, target: str) -> PurePosixPath | None:
    local = _local(folder, target)
    if local is None:
        return None
    path = unquote(urlsplit(local).path)
    if PurePosixPath(path).suffix.lower() not in _IMAGES:
        return None
    located = source_folder.locate(folder.root, post.path, path, folder.tops)
    return located or _beside_other(folder, post, path)


def _beside_other(folder: Folder, post: SourcePost, path: str) -> PurePosixPath | None:
    """The image that lies beside another post, named by that post's address."""
    link = source_urls.target(path, name=post.path, base=post.source_url)
    if link is None or link.url is None:
        return None
    page, _, name = link.url.rpartition("/")
    other = folder.plan.at(page)
    return None if other is None else source_folder.locate(folder.root, other.path, name)


def _link(folder: Folder, post: SourcePost, local: str) -> str | None:
    link = source_urls.target(local, name=post.path, base=post.source_url)
    if link is None:
        return None
    other = _entry_of_file(folder, link.file) if link.file else None
    if link.url is not None:
        other = folder.plan.at(link.url)
    if other is None:
        return None
    return f"{other.address}#{link.fragment}" if link.fragment else other.address


def _entry_of_file(folder: Folder, file: PurePosixPath) -> Entry | None:
    """The post of a file that is named from the root of the site or from a content folder."""
    candidates = (file, *(top / file for top in folder.tops))
    entries = (folder.plan.entries.get(path) for path in candidates)
    return next((entry for entry in entries if entry is not None), None)


def _is_dead(folder: Folder, post: SourcePost, local: str) -> bool:
    """Tell whether a link within the old site leads to no post, and to no file of the folder."""
    link = source_urls.target(local, name=post.path, base=post.source_url)
    if link is None or (link.url is not None and not link.url.strip("/")):
        return False  # another site, or the home page
    path = unquote(urlsplit(local).path)
    if PurePosixPath(path).suffix.lower() in _IMAGES or "{{" in local or "{%" in local:
        return False  # a missing image and a template have remarks of their own
    return source_folder.locate(folder.root, post.path, path, folder.tops) is None
