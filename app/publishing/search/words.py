"""Split text into words and reduce them to terms; the index and queries use the same functions.

Pure: no database and no clock. If the terms of a text change, increment `VERSION`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from .stemming import algorithm_of, stem

VERSION = 1
"""The version of this analysis; posts that were indexed with another one are indexed again."""

MAX_WORD = 40
"""Longer words, such as encoded data, are cut to this number of characters."""

_LAST = 0x1FFFF
"""The last code point that is examined; no letter that people search for comes later."""

_RUN_RANGES = (
    *((0x0E00, 0x0E7F), (0x0E80, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),
    *((0x1100, 0x11FF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x303B, 0x303C)),
    *((0x3041, 0x30FF), (0x3100, 0x312F), (0x3130, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF)),
    *((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF)),
    *((0xFF66, 0xFF9F), (0xFFA0, 0xFFDC), (0x1B000, 0x1B16F)),
    *((0x20000, 0x2FA1F), (0x30000, 0x323AF)),
)
"""Scripts without spaces between words (CJK, Thai, Lao, Burmese, Khmer), and Korean."""

_OPTIONAL_MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f\u0640"
    "\u00ad\u200c\u200d\u2060]"
)
"""What most texts leave out: accents, Hebrew and Arabic vowels, tatweel, soft hyphens, joiners."""

_JOINERS = "\u00ad\u200c\u200d\u2060"
"""Invisible characters inside words."""

_FOLDED_LETTERS = str.maketrans(
    {
        "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe",
        "þ": "th", "ŧ": "t", "ŀ": "l",
        "ى": "ي", "ی": "ي", "ک": "ك", "ة": "\u0647", "ٱ": "\u0627",
    }
)  # fmt: skip
"""Letters with a stroke, ligatures, and Arabic letters with two code points."""

_SIGNED = (
    r"(?<![^\W_])(?:[a-zA-Z][+\uff0b]{2}(?![+\uff0b])|[a-zA-Z][#\uff03](?![\w#\uff03])"
    r"|[.\uff0e][nN][eE][tT](?![^\W_]))"
)
"""Words with a sign: `c++`, `c#`, `.net`."""

_ASCII = re.compile(rf"(?P<signed>{_SIGNED})|(?P<word>[a-zA-Z0-9]+)")
_NO_WORD = re.compile(r"[\W_]+")


class Word(NamedTuple):
    """One word, or one pair of characters in a script without spaces.

    `term` is what the index stores; `form` is the word without accents, but not reduced to its
    stem. `is_pair` tells whether it comes from a script without spaces.
    """

    term: str
    form: str
    is_pair: bool = False


class Token(NamedTuple):
    """A run of letters and digits in a text, from `start` to `end`, and its words.

    `is_run` tells whether the script has no spaces: then its words are pairs of characters.
    """

    start: int
    end: int
    words: tuple[Word, ...]
    is_run: bool = False


def tokens(text: str, language: str) -> Iterator[Token]:
    """Yield the tokens of a text in their order; `language` is a tag such as `de-CH`."""
    algorithm = algorithm_of(language)
    pattern = _ASCII if text.isascii() else _pattern()
    for match in pattern.finditer(text):
        is_run = match.lastgroup == "run"
        words = _pairs(match[0]) if is_run else _words(match[0], algorithm)
        if words:
            yield Token(match.start(), match.end(), words, is_run)


def words(text: str, language: str) -> list[Word]:
    """Return the words of a text in their order."""
    algorithm = algorithm_of(language)
    pattern = _ASCII if text.isascii() else _pattern()
    word_list: list[Word] = []
    for match in pattern.finditer(text):
        is_run = match.lastgroup == "run"
        word_list += _pairs(match[0]) if is_run else _words(match[0], algorithm)
    return word_list


def fold(word: str) -> str:
    """Remove accents and unify letters with several spellings: `Łódź` becomes `lodz`."""
    if word.isascii():
        return word
    plain = _OPTIONAL_MARKS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", plain).translate(_FOLDED_LETTERS)


@lru_cache(maxsize=1 << 16)
def _words(text: str, algorithm: str) -> tuple[Word, ...]:
    """Return the words of one token; compatibility characters may hold several."""
    if text.isascii():
        return (_word(text.lower(), algorithm),)
    normal = unicodedata.normalize("NFKC", text)
    normal = _drop_optional_marks(normal).casefold()
    normal = unicodedata.normalize("NFC", normal)
    if normal[-1:] in "+#" or normal[:1] == ".":
        return (_word(normal, algorithm),)
    parts = _NO_WORD.split(normal) if normal.isascii() else _split(normal)
    return tuple(_word(part, algorithm) for part in parts if part)


def _split(normal: str) -> list[str]:
    return [match[0] for match in _pattern().finditer(normal)]


def _word(normal: str, algorithm: str) -> Word:
    normal = normal[:MAX_WORD]
    form = fold(normal)
    term = fold(stem(normal, algorithm)) if normal.isalpha() or not normal.isascii() else form
    return Word(term=term or form, form=form)


def _drop_optional_marks(normal: str) -> str:
    """Remove marks that have no composed letter; composed letters stay for the stemmer."""
    return _OPTIONAL_MARKS.sub("", normal)


@lru_cache(maxsize=1 << 14)
def _pairs(text: str) -> tuple[Word, ...]:
    """Return the overlapping pairs of characters of a run, and its last character.

    With the last character, each character of the run begins a term.
    """
    run = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold())
    run = _NO_WORD_CHARACTER.sub("", run) if not run.isalnum() else run
    pairs = [run[at : at + 2] for at in range(len(run))]
    return tuple(Word(term=pair, form=pair, is_pair=True) for pair in pairs)


_NO_WORD_CHARACTER = re.compile(r"[\s\u3000]+")


@cache
def _pattern() -> re.Pattern[str]:
    """Return the pattern of tokens in any script, made when a text first needs it."""
    run = "".join(f"{chr(low)}-{chr(high)}" for low, high in _RUN_RANGES)
    runs = frozenset(point for low, high in _RUN_RANGES for point in range(low, high + 1))
    letters = _ranges(point for point in range(_LAST + 1) if point not in runs and _joins(point))
    return re.compile(
        rf"(?P<signed>{_SIGNED})|(?P<run>(?=[^\W_])[{run}]+)|(?P<word>(?=[^\W_])[{letters}]+)"
    )


def _joins(point: int) -> bool:
    """Tell whether a character is part of a word: a letter, a digit or a mark."""
    character = chr(point)
    return unicodedata.category(character)[0] in "LNM" or character in _JOINERS


def _ranges(points: Iterator[int]) -> str:
    """Return ascending code points as ranges of a character class."""
    ranges: list[list[int]] = []
    for point in points:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)
