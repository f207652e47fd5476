"""The query language: words, "phrases", -excluded words, and a last word that may be unfinished.

Pure. No text of a reader becomes SQL or the query language of a database.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .words import Token, Word, tokens

MAX_LENGTH = 200
MAX_PARTS = 12
MIN_PREFIX = 2
"""A single letter is not treated as the beginning of a word: most posts have such a word."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»\uff02", '"'))
_PART = re.compile(
    r'(?P<minus>(?<!\S)-)?"(?P<phrase>[^"]*)(?P<end>"|$)|(?P<minus2>(?<!\S)-+)?(?P<word>[^\s"]+)'
)


class Problem(StrEnum):
    """Why a query is not searched for."""

    TOO_LONG = "too-long"
    NO_WORDS = "no-words"
    ONLY_EXCLUDED = "only-excluded"


class Notice(StrEnum):
    """What was changed in a query before it was searched for."""

    OPEN_QUOTE = "open-quote"
    CONTROL_CHARACTERS = "control-characters"
    TOO_MANY_PARTS = "too-many-parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A part of a query as one language reduces it to terms.

    The text of a post matches if it has the terms one after another. If `prefix` is not empty, the
    last word only begins with it.
    """

    terms: tuple[str, ...]
    prefix: str = ""
    is_pair_prefix: bool = False
    """Whether the prefix is one character of a script without spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A word or a phrase, with one variant for each different reduction to terms."""

    text: str
    variants: tuple[Variant, ...]
    forms: tuple[str, ...] = ()
    """Its words without accents; empty for a script without spaces, which is not corrected."""
    length: int = 1
    """The number of its words, as they are counted in titles."""
    is_excluded: bool = False
    is_phrase: bool = False
    """Whether the reader wrote quotation marks."""

    @property
    def as_typed(self) -> str:
        """The part in the query language."""
        quoted = f'"{self.text}"' if self.is_phrase else self.text
        return f"-{quoted}" if self.is_excluded else quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query that was read; with a problem, there is nothing to search for."""

    text: str
    parts: tuple[Part, ...] = ()
    problem: Problem | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def wanted(self) -> tuple[Part, ...]:
        """The parts that a post must have."""
        return tuple(part for part in self.parts if not part.is_excluded)

    @property
    def excluded(self) -> tuple[Part, ...]:
        """The parts that a post must not have."""
        return tuple(part for part in self.parts if part.is_excluded)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RawPart:
    text: str
    is_excluded: bool
    is_phrase: bool
    is_unfinished: bool


def clean(typed: str) -> str:
    """Return a query on one line, without invisible characters, for display."""
    printable = "".join(c if c.isprintable() else " " for c in typed[: MAX_LENGTH * 4])
    return " ".join(printable.split())[:MAX_LENGTH].strip()


def parse(typed: str, site_languages: Sequence[str]) -> Query:
    """Read a query; its words are reduced to the stems of each of these languages."""
    if len(typed) > MAX_LENGTH:
        return Query(text=clean(typed), problem=Problem.TOO_LONG)
    printable = _printable(typed)
    raw_parts = list(_split(printable.translate(_QUOTES)))
    readable = [part for raw in raw_parts if (part := _read_part(raw, site_languages)) is not None]
    parts = tuple(readable[:MAX_PARTS])
    notices = tuple(_notices(typed, printable, len(readable)))
    problem = _problem(typed, parts)
    return Query(
        text=clean(typed),
        parts=() if problem else parts,
        problem=problem,
        notices=() if problem else notices,
    )


def _problem(typed: str, parts: Sequence[Part]) -> Problem | None:
    if not typed.strip():
        return None
    if not parts:
        return Problem.NO_WORDS
    return Problem.ONLY_EXCLUDED if all(part.is_excluded for part in parts) else None


def _notices(typed: str, printable: str, count: int) -> Iterator[Notice]:
    if printable != typed:
        yield Notice.CONTROL_CHARACTERS
    if printable.translate(_QUOTES).count('"') % 2:
        yield Notice.OPEN_QUOTE
    if count > MAX_PARTS:
        yield Notice.TOO_MANY_PARTS


def _printable(typed: str) -> str:
    """Replace control characters and code points without a character by spaces."""
    return "".join(" " if _is_control(character) else character for character in typed)


def _is_control(character: str) -> bool:
    return not character.isspace() and unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"}


def _split(text: str) -> Iterator[_RawPart]:
    for match in _PART.finditer(text):
        is_phrase = match["phrase"] is not None
        yield _RawPart(
            text=match["phrase"] if is_phrase else match["word"],
            is_excluded=bool(match["minus"] or match["minus2"]),
            is_phrase=is_phrase,
            is_unfinished=match.end() == len(text) and not is_phrase,
        )


def _read_part(raw: _RawPart, site_languages: Sequence[str]) -> Part | None:
    variants: dict[Variant, None] = {}
    token_list: list[Token] = []
    for language in site_languages:
        token_list = list(tokens(raw.text, language))
        if not token_list:
            return None
        ends_in_word = token_list[-1].end == len(raw.text)
        is_unfinished = raw.is_unfinished and not raw.is_excluded and ends_in_word
        variants.update(dict.fromkeys(_variants(token_list, is_unfinished=is_unfinished)))
    words = [word for token in token_list for word in token.words]
    has_pairs = any(word.is_pair for word in words)
    return Part(
        text=raw.text.strip(),
        variants=tuple(variants),
        forms=() if has_pairs else tuple(word.form for word in words),
        length=len(words),
        is_excluded=raw.is_excluded,
        is_phrase=raw.is_phrase,
    )


def _variants(token_list: list[Token], *, is_unfinished: bool) -> Iterator[Variant]:
    """Yield the whole words, and the same with an unfinished last word."""
    last = token_list[-1]
    before = [word for token in token_list[:-1] for word in token.words]
    if last.is_run:
        yield _run_variant(before, last.words)
        return
    *middle, end = last.words
    head = tuple(word.term for word in (*before, *middle))
    yield Variant(terms=(*head, end.term))
    if is_unfinished and len(end.form) >= MIN_PREFIX:
        yield Variant(terms=head, prefix=end.form)


def _run_variant(before: list[Word], pairs: tuple[Word, ...]) -> Variant:
    """Return a phrase of pairs; the last character alone is the beginning of a pair."""
    head = tuple(word.term for word in before)
    if len(pairs) == 1:
        return Variant(terms=head, prefix=pairs[0].term, is_pair_prefix=True)
    return Variant(terms=(*head, *(pair.term for pair in pairs[:-1])))
