"""Find a post of the folder by the path or the name of its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from posixpath import normpath

from . import dates, source_urls
from .plan import Entry

_ROOTS = ("", "content/", "_posts/", "source/_posts/", "source/", "posts/")
_SUFFIXES = frozenset(
    {".htm", ".html", ".markdown", ".md", ".mdown", ".mdx", ".mkd", ".mkdn", ".mkdown"}
)


@dataclass(slots=True, kw_only=True)
class PostFinder:
    """Finds a post by the path or the name of its file, as tags write them."""

    by_path: dict[str, Entry] = field(default_factory=dict)
    by_name: dict[str, Entry | None] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> PostFinder:
        """Index the posts of a folder."""
        finder = cls()
        for entry in sorted(entries, key=lambda entry: bool(entry.language_suffix)):
            path = _key(entry.path.as_posix())
            finder.by_path[path] = entry
            own = entry.name or source_urls.own_name(entry.path)
            for name in dict.fromkeys((own.lower(), dates.without_date(own).lower())):
                if entry.language_suffix and name in finder.by_name:
                    continue  # a translation of a post whose name it has
                # A name that two posts have says nothing.
                finder.by_name[name] = None if name in finder.by_name else entry
        return finder

    def find(self, reference: str, folder: PurePosixPath, *, language: str = "") -> Entry | None:
        """Return the post that a file in `folder` means by this path or name.

        From a file of a language, `post.fa.md`, it is the post in that language if there is one.
        """
        if language and (entry := self.find(f"{_key(reference)}.{language}", folder)):
            return entry
        key = _key(reference)
        if not reference.startswith("/"):
            beside = self.by_path.get(_key(normpath(f"{folder.as_posix()}/{key}")))
            if beside is not None:
                return beside
        for root in _ROOTS:
            if (entry := self.by_path.get(root + key)) is not None:
                return entry
        return self.by_name.get(key.rpartition("/")[2])


def _key(path: str) -> str:
    """Return a path in the form of the index: lower case, without its suffix and `/index`."""
    clean = path.strip().strip("/").removeprefix("./").lower()
    for suffix in _SUFFIXES:
        clean = clean.removesuffix(suffix)
    return clean.removesuffix("/index")
