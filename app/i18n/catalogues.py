"""Catalogues: the words of the interface in other languages, read from `translations/*.po`.

The files are read once, when the process starts, so that the digest of a catalogue is that of the
words that pages show. A catalogue is parsed when a page first needs it.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from gettext import GNUTranslations, NullTranslations, c2py
from pathlib import Path
from typing import TypeAlias

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from .locales import SOURCE_LANGUAGE, candidates, catalogue_names

log = logging.getLogger(__name__)

_PARTS = re.compile(r"%\(\w+\)s|%.?|</?[a-z][^<>]*>|[<>&]")
"""What a translation must repeat: placeholders and HTML tags."""

FOLDER = Path(__file__).resolve().parents[2] / "translations"
"""The catalogues of this site."""

Words: TypeAlias = NullTranslations
"""The words of one language: `gettext`, `ngettext`, `pgettext` and `npgettext`."""

_COUNTS = range(1001)
"""The numbers for which a plural rule is checked."""


class CatalogueError(ValueError):
    """A catalogue that can't be used at all; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The words of one language; `problems` has a sentence for each part that is left out."""

    language: str
    words: Words = field(repr=False)
    problems: tuple[str, ...] = ()


class Catalogues:
    """All catalogues of a folder, by language tag."""

    def __init__(self, folder: Path) -> None:
        self._sources = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.po"))}
        self._parsed: dict[str, Catalogue] = {}
        self.folder = folder

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages with a catalogue, and English."""
        return tuple(sorted({*self._sources, SOURCE_LANGUAGE}))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The digest of each catalogue."""
        return {
            language: hashlib.blake2b(source, digest_size=16).hexdigest()
            for language, source in self._sources.items()
        }

    def has_words(self, tag: str) -> bool:
        """Return whether the words of a language tag exist, in English or in a catalogue."""
        return any(name in self.languages for name in candidates(tag))

    def names(self, tag: str) -> tuple[str, ...]:
        """Return the catalogues of a tag in the order of search: `de-AT`, then `de`."""
        return tuple(name for name in catalogue_names(tag) if name in self._sources)

    def words(self, tag: str) -> Words:
        """Return the words of a language tag; words without a translation are in English."""
        names = self.names(tag)
        return self.catalogue(names[0]).words if names else _ENGLISH

    def catalogue(self, language: str) -> Catalogue:
        """Return one catalogue; each of its problems is logged when it is first used."""
        if language not in self._parsed:
            catalogue = parse(
                self._sources[language], language, f"{self.folder.name}/{language}.po"
            )
            for problem in catalogue.problems:
                log.warning("i18n.catalogue: %s", problem)
            _, *shorter = self.names(language)
            if shorter:
                catalogue.words.add_fallback(self.catalogue(shorter[0]).words)
            self._parsed[language] = catalogue
        return self._parsed[language]


_ENGLISH = NullTranslations()


@cache
def load_catalogues() -> Catalogues:
    """Return the catalogues of this site, which are read once per process."""
    return Catalogues(FOLDER)


def fill(text: str, **values: str) -> str:
    """Fill the placeholders of a text; values that it lacks a place for are left out."""
    return text % values


def parse(source: bytes, language: str, name: str) -> Catalogue:
    """Return the words of a catalogue file without the translations that would break a page.

    A file that can't be read at all gives an empty catalogue with one problem.
    """
    try:
        catalog = read_catalog(source)
        count = check_plural_rule(catalog)
    except CatalogueError as error:
        problem = f"{name} is not used: {error}. Its words appear in English."
        return Catalogue(language=language, words=NullTranslations(), problems=(problem,))
    problems = []
    for message, mistake in find_mistakes(catalog, count):
        problems.append(f"{name}, line {message.lineno}: {mistake}. This text appears in English.")
        message.string = ("",) * count if message.pluralizable else ""
    file = io.BytesIO()
    write_mo(file, catalog)
    file.seek(0)
    return Catalogue(language=language, words=GNUTranslations(file), problems=tuple(problems))


def read_catalog(source: bytes) -> Catalog:
    """Read a file in gettext's format; raises CatalogueError."""
    try:
        return read_po(io.BytesIO(source), charset="utf-8", abort_invalid=True)
    except PoFileError as error:
        raise CatalogueError(f"line {error.lineno}: {error}") from None
    except UnicodeDecodeError as error:
        raise CatalogueError(f"byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except ValueError as error:
        raise CatalogueError(str(error).rstrip(".")) from None


def check_plural_rule(catalog: Catalog) -> int:
    """Return the number of plural forms; raises CatalogueError if the rule does not give them."""
    header = f"Plural-Forms: nplurals={catalog.num_plurals}; plural={catalog.plural_expr};"
    try:
        rule = c2py(catalog.plural_expr)
        forms = {rule(count) for count in _COUNTS}
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise CatalogueError(
            f"the header {header!r} has a plural rule with an error: {error}"
        ) from None
    if not forms <= set(range(catalog.num_plurals)):
        raise CatalogueError(
            f"the header {header!r} promises {catalog.num_plurals} plural forms, but its rule "
            f"gives the form {max(forms)}, counted from 0"
        )
    return int(catalog.num_plurals)


def find_mistakes(catalog: Catalog, count: int) -> Iterator[tuple[Message, str]]:
    """Yield each translation that can't be shown, with what is wrong."""
    for message in catalog:
        if message.id and (mistake := find_mistake(message, count)):
            yield message, mistake


def find_mistake(message: Message, count: int) -> str:
    """Say why a translation can't be shown; empty for a right one, and for one that is missing."""
    originals = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    texts = [text or "" for text in strings]
    if not any(texts):
        return ""
    original = originals[0]
    if len(originals) > 1 and (len(texts) != count or not all(texts)):
        form_count = sum(map(bool, texts))
        return f"the translation of {original!r} has {form_count} plural forms instead of {count}"
    original_parts = Counter(_PARTS.findall(originals[-1]))
    for text in texts:
        wrong = Counter(_PARTS.findall(text))
        if wrong != original_parts and not _is_form_of_one_number(message, wrong, original_parts):
            missing = ", ".join((original_parts - wrong) or ["nothing"])
            extra = ", ".join((wrong - original_parts) or ["nothing"])
            return (
                f"the translation of {original!r} lacks {missing} and adds {extra}; "
                "it must repeat the placeholders and tags of the original"
            )
    return ""


def _is_form_of_one_number(
    message: Message, parts: Counter[str], original_parts: Counter[str]
) -> bool:
    """Return whether a plural form leaves out the number alone, as Arabic does for one and two."""
    return (
        bool(message.pluralizable)
        and original_parts - parts == Counter(["%(num)s"])
        and not parts - original_parts
    )
