"""The folder that is imported: its posts in a stable order, and the images they mean.

Only reads, and never outside the folder; what cannot be read is named and passed over.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, tzinfo
from hashlib import sha256
from itertools import islice
from pathlib import Path, PurePosixPath

from . import dates, frontmatter, html_posts, post_meta, source_urls
from .addresses import find_addresses
from .configuration import SourceConfiguration, Tool
from .export_statuses import ExportStatuses
from .file_access import SourceError, read_file, resolve_root
from .file_kinds import find_reasons, find_skip_reason, is_passed_over, is_project_file
from .file_language import FileLanguage, LanguageFinder
from .inheritance import Inheritance, Inherited
from .publication.decision import is_held_back
from .publication.state import Reason

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

_MARKDOWN = frozenset({".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown"})
_HTML_START = 8192
_OTHER_TEXTS = frozenset(
    {".adoc", ".asciidoc", ".ipynb", ".mdx", ".org", ".qmd", ".rmd", ".rst", ".textile"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a folder may hold: bytes in a text, bytes in an image, files, folders in folders."""

    text_bytes: int = 1024 * 1024
    image_bytes: int = 20 * 1024 * 1024
    files: int = 50_000
    depth: int = 20


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
    def name(self) -> str:
        """The name of the file, or of its folder for `index.md`, without a language."""
        return source_urls.own_name(self.name_path)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A file that is not imported, and why; `line` counts from 1."""

    path: PurePosixPath
    line: int | None
    reason: str


def scan(
    root: Path, limits: Limits | None = None, rules: Rules | None = None
) -> Iterator[SourcePost | Skipped]:
    """Read every post below `root`, sorted by path; raises `SourceError` for any other file.

    With a configuration, paths are relative to the root of its site, which may lie above `root`.
    """
    rules = rules or Rules(limits=limits or Limits())
    home, start = _roots(root, rules)
    for path in _walk(home, start, rules, [rules.limits.files]):
        if isinstance(path, Skipped):
            yield path
        elif path.suffix.lower() not in _MARKDOWN | _OTHER_TEXTS and not _is_html_post(
            home, path, rules
        ):
            continue
        elif reason := _outside(rules.configuration, path):
            yield Skipped(path=path, line=None, reason=reason)
        elif path.suffix.lower() in _OTHER_TEXTS:
            yield Skipped(path=path, line=None, reason=f"{path.suffix} is not Markdown")
        else:
            yield _read_post(home, path, rules)


def _is_html_post(home: Path, path: PurePosixPath, rules: Rules) -> bool:
    """Tell whether a file in HTML is a post: by its place, and by metadata at its top."""
    if path.suffix.lower() not in html_posts.SUFFIXES:
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
    return _read_post(resolve_root(root), path, rules or Rules(limits=limits or Limits()))


def _walk(
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
        yield from _walk(home, path, rules, remaining)
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
    if real.is_dir() or path.suffix.lower() in _MARKDOWN | html_posts.SUFFIXES:
        return f"is a symbolic link to {real.relative_to(home)}, which is read there"
    return None


def _order(entry: os.DirEntry[str]) -> tuple[str, ...]:
    return (entry.name.casefold(), entry.name)


def _read_post(home: Path, path: PurePosixPath, rules: Rules) -> SourcePost | Skipped:
    if skip_reason := rules.find_skip_reason(path):
        return Skipped(path=path, line=None, reason=skip_reason)
    try:
        data = read_file(home, path, most=rules.limits.text_bytes)
        text = data.decode("utf-8-sig")
        return _build_source_post(path, text, sha256(data).hexdigest(), rules)
    except SourceError as error:
        return Skipped(path=path, line=None, reason=str(error))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        return Skipped(path=path, line=line, reason=f"{wrong}; save it as UTF-8")
    except frontmatter.FrontMatterError as error:
        return Skipped(path=path, line=error.line, reason=error.reason)


def _build_source_post(
    path: PurePosixPath, text: str, digest: str, rules: Rules
) -> SourcePost | Skipped:
    is_html = path.suffix.lower() in html_posts.SUFFIXES
    document = html_posts.split(text) if is_html else frontmatter.split(text)
    is_post = _needs_no_front_matter(path, rules.tool) and not is_project_file(path)
    if document.kind == "none" and not is_post:
        reason = "has no front matter; put a title between two lines of --- at its top"
        return Skipped(path=path, line=1, reason=reason)
    template = next((k for k, v in document.values.items() if _is_template(k, v)), None)
    if template is not None:
        reason = f"is a template: its {template} holds {{{{ or {{%"
        return Skipped(path=path, line=document.line_of(template), reason=reason)
    inherited = rules.inheritance.find(path) if rules.inheritance else Inherited()
    zone = (rules.configuration and rules.configuration.time_zone) or UTC
    complete_document = inherited.complete(document)
    language = rules.find_language(path)
    meta = post_meta.read_meta(complete_document, language.path, zone)
    meta = replace(meta, remarks=(*meta.remarks, *language.remarks))
    if not document.body.strip() and not meta.title:
        reason = "has no title, and no text below its front matter"
        return Skipped(path=path, line=document.offset, reason=reason)
    slug = meta.slug or dates.without_date(source_urls.own_name(language.path))
    reasons = (*inherited.reasons, *rules.find_reasons(path, slug))
    if meta.date is None and not is_held_back(meta.publication, reasons):
        meta = replace(meta, kind="page")  # an article without a date has no place
    post = _source_post(path, meta, complete_document, digest, rules, language)
    return replace(post, document=document, reasons=reasons)


def _needs_no_front_matter(path: PurePosixPath, tool: Tool | None) -> bool:
    """Whether the tool publishes a file without front matter at this place."""
    return "_posts" in path.parts or tool in {Tool.HUGO, Tool.HEXO, Tool.ELEVENTY}


def _is_template(key: str, value: object) -> bool:
    return key.lower() in {"title", "date"} and any(mark in str(value) for mark in ("{{", "{%"))


def _source_post(
    path: PurePosixPath,
    meta: post_meta.Meta,
    document: frontmatter.Document,
    digest: str,
    rules: Rules,
    language: FileLanguage,
) -> SourcePost:
    title = meta.title or _title(document, language.path)
    configuration = rules.configuration or SourceConfiguration(root=Path())
    addresses = find_addresses(
        configuration,
        document,
        meta,
        path,
        title=title,
        permalink=rules.permalink,
        language=language,
    )
    return SourcePost(
        path=path,
        title=title,
        meta=meta,
        document=document,
        source_url=addresses.main,
        aliases=addresses.aliases,
        siblings=addresses.siblings,
        digest=digest,
        tool=configuration.tool,
        zone=configuration.time_zone or UTC,
        body_digest=sha256((document.body.strip() or digest).encode()).hexdigest(),
        earlier_url=addresses.earlier,
        name_path=language.path,
        language=meta.language or language.tag,
        language_name=language.name or meta.language or "",
    )


def _title(document: frontmatter.Document, path: PurePosixPath) -> str:
    """Take the title from a first `# heading`, else from the file's name."""
    first = next((line for line in document.body.split("\n") if line.strip()), "")
    if first.startswith("# "):
        return first[2:].strip().rstrip("#").strip() or path.stem
    words = dates.without_date(source_urls.own_name(path)).replace("-", " ")
    return " ".join(words.replace("_", " ").split()).capitalize() or path.stem
