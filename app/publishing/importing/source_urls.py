"""Addresses: where Hugo, Jekyll or Zola served a post, and what its links and images mean.

Pure: paths and URLs as text; no file is looked at.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from posixpath import normpath
from typing import Literal, TypeAlias
from urllib.parse import unquote, urljoin, urlsplit

from app.publishing.slugs import slugify

from . import dates
from .frontmatter import Document
from .post_meta import Meta

Generator: TypeAlias = Literal["hugo", "jekyll", "zola"]

_ZOLA_ONLY = frozenset({"extra", "in_search_index", "path", "sort_by", "taxonomies", "template"})
_FILE = re.compile(r"\.(?:html?|php|aspx?|xml|txt)$", re.IGNORECASE)
_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a link inside the source means: a file of the folder, or a path of the old site."""

    file: PurePosixPath | None = None
    url: str | None = None
    fragment: str = ""


def generator(document: Document, name: PurePosixPath) -> Generator:
    """Guess the tool that a file was written for."""
    if document.kind == "toml" and _ZOLA_ONLY & document.values.keys():
        return "zola"
    if document.kind == "toml":
        return "zola" if dates.in_name(own_name(name)) else "hugo"
    if "_posts" in name.parts or "_drafts" in name.parts or "permalink" in document.values:
        return "jekyll"
    return "jekyll" if dates.in_name(name.name) else "hugo"


def own_name(name: PurePosixPath) -> str:
    """Give the name of a post: its file's stem, or its folder's for `post/index.md`."""
    return name.parent.name if name.stem == "index" and name.parent.name else name.stem


def source_url(document: Document, meta: Meta, name: PurePosixPath) -> str:
    """Tell the path at which the post was served, with a slash at its end unless it is a file."""
    tool = generator(document, name)
    if meta.path:
        return _as_path(_filled(meta.path, meta, name))
    folders = name.parent.parent if name.stem == "index" else name.parent
    sections = [part for part in folders.parts if part not in {"_posts", "_drafts"}]
    if tool == "jekyll" and meta.date and dates.in_name(own_name(name)):
        last = meta.slug or dates.without_date(own_name(name))
        return "/" + "/".join([*sections, f"{meta.date:%Y/%m/%d}", f"{last}.html"])
    last = meta.slug or (own_name(name) if tool == "hugo" else dates.without_date(own_name(name)))
    parts = [*sections, last]
    if tool == "zola":
        return _as_path("/".join(slugify(part) for part in parts))
    return _as_path("/".join(part.lower().replace(" ", "-") for part in parts))


def target(href: str, *, name: PurePosixPath, base: str) -> Target | None:
    """Tell what a link of the post `name`, served at `base`, means; None for other sites.

    A `file` may not exist; a `url` is the path on the old site, percent-encoding undone.
    """
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or not parts.path:
        return None
    path = unquote(parts.path)
    if path.startswith("@/"):
        return Target(file=inside(path[2:]), fragment=parts.fragment)
    if path.endswith(_MARKDOWN):
        start = "" if path.startswith("/") else name.parent.as_posix()
        return Target(file=inside(f"{start}/{path}"), fragment=parts.fragment)
    return Target(url=urljoin(base, path), fragment=parts.fragment)


def inside(path: str) -> PurePosixPath | None:
    """Normalise a path below the folder; None when it leads out of it."""
    if "\0" in path:
        return None
    normal = normpath(path.lstrip("/"))
    if normal.startswith("..") or normal in {".", ""}:
        return None
    return PurePosixPath(normal)


def _filled(path: str, meta: Meta, name: PurePosixPath) -> str:
    """Fill the placeholders of Jekyll's permalinks (`:year/:title`)."""
    if ":" not in path:
        return path
    values = {"title": meta.slug or dates.without_date(own_name(name))}
    values["slug"] = values["title"]
    values["categories"] = "/".join(meta.topics)
    if meta.date:
        stamps = {"year": "%Y", "month": "%m", "day": "%d", "i_month": "%m", "i_day": "%d"}
        values |= {key: meta.date.strftime(stamp) for key, stamp in stamps.items()}
    return re.sub(r":([a-z_]+)", lambda match: values.get(match[1], match[0]), path)


def _as_path(path: str) -> str:
    """Make an absolute path of what may be a path or a full URL."""
    if "://" in path:
        path = urlsplit(path).path
    path = re.sub(r"/{2,}", "/", path).strip("/")
    return f"/{path}" if not path or _FILE.search(path) else f"/{path}/"
