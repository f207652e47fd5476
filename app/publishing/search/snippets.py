"""A few words of a post around what matches, with the matching words apart. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .query import Part, Variant
from .words import Token, Word, tokens

LENGTH = 220
"""The number of characters of a snippet."""

LEAD = 60
"""The number of characters before the first match."""

FIRST_TEXT = 10_000
"""If the beginning of a text has all of the query, the rest is not searched."""

MAX_TEXT = 200_000
"""The number of characters of a text that are searched for matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Consecutive characters of a snippet; `is_match` tells whether to mark them."""

    text: str
    is_match: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    start: int
    end: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    start: int
    end: int
    part_count: int


class _Step(NamedTuple):
    """One word of the text with its place; a pair of characters has a place of its own."""

    word: Word
    start: int
    end: int


def make_snippet(text: str, language: str, parts: Sequence[Part]) -> tuple[Piece, ...]:
    """Return the part of a text that has the most of the query; empty if nothing matches."""
    for limit in (FIRST_TEXT, MAX_TEXT):
        matches = _find_matches(text[:limit], language, parts)
        window = _choose_window(text, matches)
        if window is not None and (window.part_count == len(parts) or limit >= len(text)):
            break
    if window is None:
        return ()
    return tuple(_cut(text, window, matches))


def beginning(text: str) -> tuple[Piece, ...]:
    """Return the first words of a text."""
    end = _word_end(text, LENGTH)
    pieces = _piece(text[:end], is_match=False)
    return (*pieces, Piece(text="…")) if end < len(text) else tuple(pieces)


def _find_matches(text: str, language: str, parts: Sequence[Part]) -> list[_Match]:
    starts: dict[str, list[tuple[int, Variant]]] = {}
    prefixes: list[tuple[int, Variant]] = []
    for number, part in enumerate(parts):
        for variant in part.variants:
            if variant.terms:
                starts.setdefault(variant.terms[0], []).append((number, variant))
            else:
                prefixes.append((number, variant))
    beginnings = tuple(variant.prefix for _, variant in prefixes)
    steps = [step for token in tokens(text, language) for step in _steps(token)]
    matches = [
        match
        for at, step in enumerate(steps)
        if step.word.term in starts or (beginnings and step.word.form.startswith(beginnings))
        for number, variant in (*starts.get(step.word.term, ()), *prefixes)
        if (match := _match_at(steps, at, number, variant)) is not None
    ]
    return _merge(sorted(matches, key=lambda match: (match.start, -match.end)))


def _steps(token: Token) -> Iterable[_Step]:
    """Return the words of a token; a run gives one character after another, with its place."""
    start, end, token_words, is_run = token
    if not is_run or len(token_words) != end - start:
        return [_Step(word, start, end) for word in token_words]
    return [
        _Step(word, start + at, min(start + at + len(word.term), end))
        for at, word in enumerate(token_words)
    ]


def _match_at(steps: Sequence[_Step], at: int, number: int, variant: Variant) -> _Match | None:
    """Return the match of a variant that begins at this word."""
    end = at + len(variant.terms)
    if end > len(steps):
        return None
    if any(steps[at + i].word.term != term for i, term in enumerate(variant.terms)):
        return None
    if not variant.prefix:
        return _Match(start=steps[at].start, end=steps[end - 1].end, part=number)
    if end == len(steps) or not steps[end].word.form.startswith(variant.prefix):
        return None
    last = steps[end]
    stop = last.start + 1 if variant.is_pair_prefix else last.end
    return _Match(start=steps[at].start, end=stop, part=number)


def _merge(matches: Sequence[_Match]) -> list[_Match]:
    """Remove matches that lie inside others, so that no character is marked twice."""
    merged: list[_Match] = []
    for match in matches:
        if merged and match.start < merged[-1].end:
            last = merged[-1]
            if match.end > last.end:
                merged[-1] = _Match(start=last.start, end=match.end, part=last.part)
        else:
            merged.append(match)
    return merged


def _choose_window(text: str, matches: Sequence[_Match]) -> _Window | None:
    """Return where the snippet begins and ends: around the most different parts."""
    best: _Match | None = None
    best_count = (0, 0)
    for first, match in enumerate(matches):
        end = match.start + LENGTH - LEAD
        within = [other for other in matches[first : first + 40] if other.end <= end]
        count = (len({other.part for other in within}), min(len(within), 4))
        if best is None or count > best_count:
            best, best_count = match, count
    if best is None:
        return None
    start = _word_start(text, max(0, best.start - LEAD), best.start)
    end = max(best.end, _word_end(text, start + LENGTH))
    return _Window(start=start, end=end, part_count=best_count[0])


def _word_start(text: str, start: int, before: int) -> int:
    """Return the first beginning of a word after `start`; a line is not crossed backwards."""
    line = text.rfind("\n", start, before)
    if line >= 0:
        return line + 1
    if start == 0:
        return 0
    space = text.find(" ", start, before)
    return space + 1 if space >= 0 else start


def _word_end(text: str, end: int) -> int:
    """Return the last end of a word before `end`, if there is one near it."""
    if end >= len(text):
        return len(text)
    space = max(text.rfind(" ", end - 40, end + 1), text.rfind("\n", end - 40, end + 1))
    return space if space > 0 else end


def _cut(text: str, window: _Window, matches: Sequence[_Match]) -> Iterator[Piece]:
    start, end = window.start, window.end
    if start > 0:
        yield Piece(text="…")
    at = start
    for match in matches:
        if match.start >= start and match.end <= end:
            yield from _piece(text[at : match.start], is_match=False)
            yield from _piece(text[match.start : match.end], is_match=True)
            at = match.end
    yield from _piece(text[at:end], is_match=False)
    if end < len(text):
        yield Piece(text="…")


def _piece(text: str, *, is_match: bool) -> Iterator[Piece]:
    if text:
        yield Piece(text=text.replace("\n", " "), is_match=is_match)
