"""What the references of a text mean: a file of the folder, or a post at its new address.

Looks at the folder, never at the database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from app.publishing.files import TYPES, suffix_of

from . import references, source_urls
from .configuration import SourceConfiguration
from .file_finder import FileFinder, FoundFile
from .plan import Entry, Plan
from .post_finder import PostFinder
from .source_folder import SourcePost

_IMAGES = frozenset({".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"})
_FILES = frozenset(f".{suffix}" for suffix in TYPES)
_TEXTS = frozenset({"", "htm", "html", "markdown", "md", "mdown", "mdx", "mkd", "mkdn", "mkdown"})
"""Suffixes of links that may mean a post, so that a file of this kind is not named."""

_PELICAN = re.compile(r"(?:\{|%7B|\|)(?:filename|static|attach)(?:\}|%7D|\|)", re.IGNORECASE)


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
    files: FileFinder = field(init=False)

    def __post_init__(self) -> None:
        """Make the finder of files below this root."""
        files = FileFinder(home=self.root.resolve(), tops=self.tops)
        object.__setattr__(self, "files", files)

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
    """What each target in a text means; `lines` tells where in the file it stands first.

    `remarks` has a sentence for each target about which there is something to say. `remote` has the
    URL here of each image that was fetched from another site.
    """

    images: dict[str, PurePosixPath] = field(default_factory=dict)
    files: dict[str, PurePosixPath] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    dead_links: list[str] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    remote: dict[str, str] = field(default_factory=dict)


def translate(folder: Folder, entry: Entry, post: SourcePost) -> Translation:
    """Find the meaning of every target in the text, and of the cover."""
    meaning = Translation()
    at_home = entry.source == entry.address  # written for this site: its links say what they mean
    cover = post.meta.image
    if cover:
        meaning.lines[cover] = _line_of_cover(post, cover)
        if (file := _image(folder, post, cover)) is not None:
            _take(meaning.images, cover, file, meaning)
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


def _take(
    into: dict[str, PurePosixPath], target: str, file: FoundFile, meaning: Translation
) -> None:
    into[target] = file.path
    if file.is_other_case:
        sentence = f"{target} means the file {file.path}: only upper and lower case differ"
        meaning.remarks[target] = sentence


def _note(folder: Folder, post: SourcePost, target: str, meaning: Translation) -> None:
    local = _local(folder, target)
    if local is None:
        return
    if (image := _image(folder, post, target)) is not None:
        _take(meaning.images, target, image, meaning)
    elif (file := _linked_file(folder, post, local)) is not None:
        _take(meaning.files, target, file, meaning)
    elif (address := _link(folder, post, local)) is not None:
        meaning.links[target] = address
    elif _is_dead(folder, post, local):
        meaning.dead_links.append(target)
    elif reason := _refusal(folder, post, local):
        meaning.remarks[target] = f"the link {target} is not changed: {reason}"


def _local(folder: Folder, target: str) -> str | None:
    """The target as the old site's own pages would spell it; None for other sites."""
    base = folder.base_url
    if base and target.lower().startswith(f"{base.lower()}/"):
        return target[len(base) :]
    if match := _PELICAN.match(target):
        return target[match.end() :]
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        return None
    if folder.prefix and target.startswith(f"{folder.prefix}/"):
        return target[len(folder.prefix) :]
    return target


def _image(folder: Folder, post: SourcePost, target: str) -> FoundFile | None:
    local = _local(folder, target)
    if local is None or not _has_suffix(local, _IMAGES):
        return None
    return folder.files.find(local, post.path.parent) or _beside_other(folder, post, local)


def _linked_file(folder: Folder, post: SourcePost, local: str) -> FoundFile | None:
    """Return the file of a kind that posts carry, such as a PDF."""
    if not _has_suffix(local, _FILES):
        return None
    file = folder.files.find(local, post.path.parent) or _beside_other(folder, post, local)
    return file if file and _is_public(folder, file.path) else None


def _has_suffix(local: str, suffixes: frozenset[str]) -> bool:
    """Tell whether a reference, or its path alone, ends with one of these suffixes."""
    names = (unquote(local), unquote(urlsplit(local).path))
    return any(PurePosixPath(name).suffix.lower() in suffixes for name in names)


def _refusal(folder: Folder, post: SourcePost, local: str) -> str:
    """Say why an existing file is not carried; empty for a target that is no file."""
    suffix = suffix_of(unquote(urlsplit(local).path))
    if suffix in _TEXTS or f".{suffix}" in _IMAGES:
        return ""
    if folder.files.find(local, post.path.parent) is None:
        return ""
    if suffix in TYPES:
        return "the old site did not publish this file"
    return f"files of the kind .{suffix} are not carried"


def _is_public(folder: Folder, path: PurePosixPath) -> bool:
    """Tell whether the old site may have published a file: no configuration, no hidden folder."""
    if folder.configuration and str(path) in map(str, folder.configuration.files):
        return False
    private = (part[0] in "._" and part not in {"_posts", "_drafts"} for part in path.parts)
    return not any(private)


def _beside_other(folder: Folder, post: SourcePost, local: str) -> FoundFile | None:
    """The file that lies beside another post, named by that post's address."""
    link = source_urls.target(local, name=post.path, base=post.source_url)
    if link is None or link.url is None:
        return None
    page, _, name = link.url.rpartition("/")
    other = folder.plan.at(page)
    return None if other is None else folder.files.find(name, other.path.parent)


def _link(folder: Folder, post: SourcePost, local: str) -> str | None:
    link = source_urls.target(local, name=post.path, base=post.source_url)
    if link is None:
        return None
    other = _entry_of_file(folder, post, link.file) if link.file else None
    if link.url is not None:
        other = folder.plan.at(link.url)
    if link.url in {"/", "/index.php"}:
        other = folder.plan.at(local)  # as `/?p=20`
    if other is None:
        return None
    return f"{other.address}#{link.fragment}" if link.fragment else other.address


def _entry_of_file(folder: Folder, post: SourcePost, file: PurePosixPath) -> Entry | None:
    """The post of a file that is named from the root of the site or from a content folder.

    From `post.fa.md`, a link to `other.md` means `other.fa.md` if there is one.
    """
    files = [file]
    if post.name_path != post.path:
        files.insert(0, file.with_name(f"{file.stem}.{post.language_name}{file.suffix}"))
    candidates = (*files, *(top / each for each in files for top in folder.tops))
    entries = (folder.plan.of_file(path) for path in candidates)
    entry = next((entry for entry in entries if entry is not None), None)
    if entry is None and (existing := folder.files.find(f"/{file}", PurePosixPath())):
        return folder.plan.of_file(existing.path)
    return entry


def _is_dead(folder: Folder, post: SourcePost, local: str) -> bool:
    """Tell whether a link within the old site leads to no post, and to no file of the folder."""
    link = source_urls.target(local, name=post.path, base=post.source_url)
    if link is None or (link.url is not None and not link.url.strip("/")):
        return False  # another site, or the home page
    path = unquote(urlsplit(local).path)
    if PurePosixPath(path).suffix.lower() in _IMAGES or "{{" in local or "{%" in local:
        return False  # a missing image and a template have remarks of their own
    return folder.files.find(local, post.path.parent) is None
