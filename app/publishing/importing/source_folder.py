"""The folder that is imported: its posts in a stable order, and the images they mean.

Only reads, and never outside the folder; what cannot be read is named and passed over.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path, PurePosixPath

from . import dates, frontmatter, post_meta, source_urls
from .file_kinds import find_reasons, find_skip_reason, is_passed_over
from .publication.decision import is_held_back
from .publication.state import Reason

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown"})
_OTHER_TEXTS = frozenset(
    {".adoc", ".asciidoc", ".ipynb", ".mdx", ".org", ".qmd", ".rmd", ".rst", ".textile"}
)
_IMAGE_FOLDERS = ("", "static", "assets", "public", "content")


class SourceError(ValueError):
    """A folder that cannot be imported at all, or a file that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a folder may hold: bytes in a text, bytes in an image, files, folders in folders."""

    text_bytes: int = 1024 * 1024
    image_bytes: int = 20 * 1024 * 1024
    files: int = 50_000
    depth: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePost:
    """A post of the folder, ready to be imported; `path` is relative to the folder.

    `source_url` and `aliases` are the absolute paths at which the old site served it; `digest` is
    the SHA-256 of the file.
    """

    path: PurePosixPath
    title: str
    meta: post_meta.Meta
    document: frontmatter.Document
    source_url: str
    aliases: tuple[str, ...]
    digest: str
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is not imported, and why; `line` counts from 1."""

    path: PurePosixPath
    line: int | None
    reason: str


def scan(root: Path, limits: Limits | None = None) -> Iterator[SourcePost | Skipped]:
    """Read every post below `root`, sorted by path; raises `SourceError` for any other file."""
    limits = limits or Limits()
    home = _home(root)
    for path in _walk(home, PurePosixPath(), limits, [limits.files]):
        if isinstance(path, Skipped):
            yield path
        elif path.suffix.lower() in _OTHER_TEXTS:
            yield Skipped(path=path, line=None, reason=f"{path.suffix} is not Markdown")
        elif path.suffix.lower() in _MARKDOWN:
            yield _read_post(home, path, limits)


def read_post(
    root: Path, path: PurePosixPath, limits: Limits | None = None
) -> SourcePost | Skipped:
    """Read one post that `scan` has found."""
    return _read_post(_home(root), path, limits or Limits())


def locate(root: Path, post: PurePosixPath, reference: str) -> PurePosixPath | None:
    """Find the file that an image reference of `post` means; None when the folder has none.

    Looks beside the post, then from the folder's top and in `static`, `assets`, `public`.
    """
    path_part = reference.split("#", 1)[0].split("?", 1)[0]
    beside = (
        []
        if path_part.startswith("/")
        else [source_urls.inside(f"{post.parent.as_posix()}/{path_part}")]
    )
    home = _home(root)
    tops = [source_urls.inside(f"{folder}/{path_part}") for folder in _IMAGE_FOLDERS]
    for candidate in (*beside, *tops):
        if candidate and _is_own_file(home, candidate):
            return candidate
    return None


def read_file(root: Path, path: PurePosixPath, *, most: int) -> bytes:
    """Read a regular file of the folder, of `most` bytes; raises `SourceError` for any other."""
    home = _home(root)
    try:
        real = (home / path).resolve(strict=True)
        if not real.is_relative_to(home):
            raise SourceError("leads out of the folder")
        return _read_regular(real, most)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _home(root: Path) -> Path:
    try:
        home = root.resolve(strict=True)
    except (OSError, RuntimeError):
        raise SourceError(f"{root} does not exist; name a folder of Markdown files") from None
    if not home.is_dir():
        raise SourceError(f"{root} is not a folder; name a folder of Markdown files")
    if not os.access(home, os.R_OK | os.X_OK):
        raise SourceError(f"{root} may not be read; give yourself the right to read it")
    return home


def _walk(
    home: Path, folder: PurePosixPath, limits: Limits, remaining: list[int]
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
            reason = f"the folder has more than {limits.files} files; the rest is left out"
            yield Skipped(path=path, line=None, reason=reason)
        if remaining[0] < 0:
            return
        yield from _step(home, entry, path, limits, remaining)


def _step(
    home: Path, entry: os.DirEntry[str], path: PurePosixPath, limits: Limits, remaining: list[int]
) -> Iterator[PurePosixPath | Skipped]:
    if entry.name.startswith("."):
        return
    if entry.is_dir(follow_symlinks=False) and is_passed_over(path, None):
        if count := _count_texts(home / path):
            reason = f"is a folder without posts: {count} files are passed over"
            yield Skipped(path=path, line=None, reason=reason)
        return
    reason = _refusal(home, entry, path, limits)
    if reason:
        yield Skipped(path=path, line=None, reason=reason)
    elif entry.is_dir(follow_symlinks=False):
        yield from _walk(home, path, limits, remaining)
    elif entry.is_file(follow_symlinks=False):
        yield path


def _count_texts(folder: Path) -> int:
    """Count the Markdown files of a folder that is not read, up to some thousand."""
    walk = (name for _, _, names in os.walk(folder) for name in names)
    return sum(PurePosixPath(name).suffix.lower() in _MARKDOWN for name in islice(walk, 10_000))


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
    if path.suffix.lower() in _MARKDOWN and not entry.is_file(follow_symlinks=False):
        return "is not a regular file"
    return None


def _link_refusal(home: Path, path: PurePosixPath) -> str | None:
    try:
        real = (home / path).resolve(strict=True)
    except (OSError, RuntimeError):
        return "is a symbolic link to nothing"
    if not real.is_relative_to(home):
        return "is a symbolic link out of the folder"
    if real.is_dir() or path.suffix.lower() in _MARKDOWN:
        return f"is a symbolic link to {real.relative_to(home)}, which is read there"
    return None


def _order(entry: os.DirEntry[str]) -> tuple[str, ...]:
    return (entry.name.casefold(), entry.name)


def _read_post(home: Path, path: PurePosixPath, limits: Limits) -> SourcePost | Skipped:
    if skip_reason := find_skip_reason(path, None):
        return Skipped(path=path, line=None, reason=skip_reason)
    try:
        data = read_file(home, path, most=limits.text_bytes)
        text = data.decode("utf-8-sig")
        return _build_source_post(path, text, sha256(data).hexdigest())
    except SourceError as error:
        return Skipped(path=path, line=None, reason=str(error))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        return Skipped(path=path, line=line, reason=f"{wrong}; save it as UTF-8")
    except frontmatter.FrontMatterError as error:
        return Skipped(path=path, line=error.line, reason=error.reason)


def _build_source_post(path: PurePosixPath, text: str, digest: str) -> SourcePost | Skipped:
    document = frontmatter.split(text)
    if document.kind == "none":
        reason = "has no front matter; put a title between two lines of --- at its top"
        return Skipped(path=path, line=1, reason=reason)
    meta = post_meta.read_meta(document, path)
    if not document.body.strip() and not meta.title:
        reason = "has no title, and no text below its front matter"
        return Skipped(path=path, line=document.offset, reason=reason)
    reasons = tuple(find_reasons(path, None, has_index=False))
    if meta.date is None and not is_held_back(meta.publication, reasons):
        meta = replace(meta, kind="page")  # an article without a date has no place
    return SourcePost(
        path=path,
        title=meta.title or _title(document, path),
        meta=meta,
        document=document,
        source_url=source_urls.source_url(document, meta, path),
        aliases=source_urls.alias_urls(document, meta, path),
        digest=digest,
        reasons=reasons,
    )


def _title(document: frontmatter.Document, path: PurePosixPath) -> str:
    """Take the title from a first `# heading`, else from the file's name."""
    first = next((line for line in document.body.split("\n") if line.strip()), "")
    if first.startswith("# "):
        return first[2:].strip().rstrip("#").strip() or path.stem
    words = dates.without_date(source_urls.own_name(path)).replace("-", " ")
    return " ".join(words.replace("_", " ").split()).capitalize() or path.stem


def _is_own_file(home: Path, path: PurePosixPath) -> bool:
    try:
        real = (home / path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return False
    return real.is_relative_to(home) and real.is_file()


def _read_regular(real: Path, most: int) -> bytes:
    """Read without waiting for a FIFO and without trusting the size that a file announces."""
    descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - Path.open takes no descriptor
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceError("is not a regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise SourceError(f"is larger than {most // 1024} KiB")
    return data
