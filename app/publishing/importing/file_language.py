"""The language that the path of a file states: `post.fa.md`, `fa/post.md`, `content/fa/post.md`.

A suffix or a folder is a language if the configuration of the old site names it. Else it has to be
a code of ISO 639-1, and other files have to show that it is not an ordinary name: the same file
without the language or in another one, or a folder of the site's own language beside the folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from app.publishing.languages import CODES, TagError, primary

from .configuration import SourceConfiguration
from .language_keys import parse_language
from .post_languages import PostLanguages

ListFolder = Callable[[PurePosixPath], frozenset[str]]
"""Returns the names of the files and folders in a folder of the site."""

_MARKDOWN = (".md", ".markdown", ".mdown", ".mkd", ".mkdn", ".mkdown")
_STATED_KEYS = frozenset(
    {"defaultcontentlanguage", "languagecode", "locale", "languages", "default_language"}
    | {"default_lang", "lang", "language", "i18n.defaultlocale"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLanguage:
    """The language of a file by its path.

    `path` is the path without a suffix of the language, `name` is the language as the path has it,
    and `tag` is its tag; a language of the configuration that is no tag has none.
    """

    path: PurePosixPath
    name: str = ""
    tag: str | None = None

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """Remarks by their key, as those of the front matter."""
        if not self.name or self.tag is not None:
            return ()
        sentence = f"the language {self.name} of the configuration is no language tag; the post is"
        return (("language", f"{sentence} in the site's language"),)


@dataclass(slots=True, kw_only=True)
class LanguageFinder:
    """Finds the language of files; paths are relative to the root of the site.

    `site_language` is the language of the site that takes the posts.
    """

    configuration: SourceConfiguration
    site_language: str
    list_folder: ListFolder
    _names: Mapping[str, str] = field(init=False)
    _pattern: re.Pattern[str] | None = field(init=False)

    def __post_init__(self) -> None:
        """Index the names of the configured languages."""
        self._names = {name.lower(): name for name in self.configuration.languages}
        self._pattern = _compile(self.configuration.language_pattern, self._names)

    @property
    def default(self) -> str | None:
        """Return the language of files that state none, if the configuration says it."""
        keys = {str(key).lower() for key in self.configuration.values}
        if keys.isdisjoint(_STATED_KEYS):
            return None
        return self._tag(self.configuration.default_language)

    def find(self, path: PurePosixPath) -> FileLanguage:
        """Return the language of a file: that of its suffix, else that of its folder."""
        if match := self._pattern and self._pattern.fullmatch(path.as_posix()):
            name = self._names[match["lang"].lower()]
            neutral = PurePosixPath(f"{match['path']}.{match['ext']}")
            return FileLanguage(path=neutral, name=name, tag=self._tag(name))
        stem, dot, suffix = path.stem.rpartition(".")
        if dot and stem and self._is_suffix(path, stem, suffix):
            name = self._names.get(suffix.lower(), suffix)
            neutral = path.with_name(stem + path.suffix)
            return FileLanguage(path=neutral, name=name, tag=self._tag(name))
        name = find_folder_language(self.configuration, path) or next(self._folder_names(path), "")
        return FileLanguage(path=path, name=name, tag=self._tag(name) if name else None)

    def find_languages(self, only: str | None = None) -> PostLanguages:
        """Return the languages of the site; `only` is the one whose posts are imported."""
        configured = (self._tag(name) for name in self.configuration.languages)
        return PostLanguages(
            site_language=self.site_language,
            stated_default=self.default,
            configured=frozenset(tag.lower() for tag in configured if tag),
            only=only,
        )

    def _tag(self, name: str) -> str | None:
        for text in (name, self.configuration.language_tags.get(name.lower(), "")):
            try:
                return parse_language(text)
            except TagError:
                continue
        return None

    def _is_suffix(self, path: PurePosixPath, stem: str, suffix: str) -> bool:
        if suffix.lower() in self._names:
            return True
        return _is_code(suffix) and any(self._variants(path, stem, suffix))

    def _variants(self, path: PurePosixPath, stem: str, suffix: str) -> Iterator[str]:
        """Yield the files that are the same post without a language, or in another one."""
        own_ending = f".{suffix}{path.suffix}".lower()
        for name in self.list_folder(path.parent):
            rest = name[len(stem) :].lower()
            if not name.startswith(stem) or not rest.endswith(_MARKDOWN) or rest == own_ending:
                continue
            language = rest.rpartition(".")[0].removeprefix(".")
            if not language or _is_code(language):
                yield name

    def _folder_names(self, path: PurePosixPath) -> Iterator[str]:
        """Yield the folders of the path that are languages, the outermost first."""
        for depth, part in enumerate(path.parts[:-1]):
            if part.lower() in self._names:
                yield self._names[part.lower()]
            elif _is_code(part) and self._is_unmistakable(path, depth):
                yield part

    def _is_unmistakable(self, path: PurePosixPath, depth: int) -> bool:
        """Whether other files show that a folder holds the posts of one language."""
        above = PurePosixPath(*path.parts[:depth])
        below = PurePosixPath(*path.parts[depth + 1 :])
        names = self.list_folder(above)
        own_languages = {primary(self.site_language), primary(self.configuration.default_language)}
        others = {name for name in names if _is_code(name) and name != path.parts[depth]}
        if any(primary(name) in own_languages for name in others):
            return True
        folders = [above, *(above / name for name in others)]
        return any(below.name in self.list_folder((top / below).parent) for top in folders)


def _compile(pattern: str, names: Iterable[str]) -> re.Pattern[str] | None:
    """Return the expression for a pattern such as `{path}.{lang}.{ext}`, if it has all parts."""
    languages = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    groups = {"path": "(?P<path>.+)", "lang": f"(?P<lang>{languages})", "ext": r"(?P<ext>\w+)"}
    if not languages or any(pattern.count(f"{{{name}}}") != 1 for name in groups):
        return None
    parts = re.split(r"\{(path|lang|ext)\}", pattern.lstrip("/"))
    text = "".join(
        groups[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)
    )
    return re.compile(text, re.IGNORECASE)


def find_folder_language(configuration: SourceConfiguration, path: PurePosixPath) -> str:
    """Return the language whose own content folder holds the file (Hugo, Docusaurus)."""
    parents = set(path.parents)
    matches = [
        (len(folder.parts), name)
        for folder, name in configuration.language_folders
        if folder in parents
    ]
    return max(matches)[1] if matches else ""


def _is_code(name: str) -> bool:
    """Whether a name is a code of ISO 639-1, with or without a script and a country."""
    try:
        return primary(parse_language(name)) in CODES and "." not in name
    except TagError:
        return False
