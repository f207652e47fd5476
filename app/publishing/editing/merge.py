"""Merge the changes of two writers to one text, three ways. Pure: no database, no clock.

Changes of different paragraphs are merged, and so are changes of one paragraph with at least a word
between them. A comparison that would take too long counts as an overlap.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

MOST_TOKENS = 2_000
"""The most paragraphs or words of one side that are compared."""
MOST_PAIRS = 300_000
"""The most pairs of equal tokens, which determine the time of a comparison: about 0.2 s of CPU."""

_PARAGRAPH = re.compile(r"\n*[^\n]+|\n+")
"""A line with the blank lines before it, so that blank lines are no tokens of their own."""
_WORD = re.compile(r"\s*\S+|\s+")
_BLANK = "\n\n"
"""It stands before the first paragraph during a merge, so that this one is like all others."""


class OverlapError(Exception):
    """Both writers changed the same words, or the texts are too large to compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    """One side replaces the tokens of the base from `start` to `end`."""

    start: int
    end: int
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Region:
    """Edits of both sides that overlap or touch, and the part of the base that they cover."""

    start: int
    end: int
    mine: tuple[_Edit, ...]
    theirs: tuple[_Edit, ...]


_Resolve = Callable[[Sequence[str], Sequence[str], Sequence[str]], Sequence[str]]


def merge_text(base: str, mine: str, theirs: str) -> str:
    """Return the text with the changes of both sides; raises OverlapError."""
    if theirs in {mine, base}:
        return mine
    if base == mine:
        return theirs
    tokens = [_PARAGRAPH.findall(_BLANK + text) for text in (base, mine, theirs)]
    return "".join(_merge(*tokens, resolve=_merge_words, gap=0)).removeprefix(_BLANK)


def _merge_words(base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]) -> Sequence[str]:
    """Merge the paragraphs of one region word by word; white space belongs to the word after it."""
    words = [_WORD.findall("".join(tokens)) for tokens in (base, mine, theirs)]
    return _merge(*words, resolve=_refuse, gap=1)


def _refuse(_base: Sequence[str], _mine: Sequence[str], _theirs: Sequence[str]) -> Sequence[str]:
    raise OverlapError("Both texts change the same words.")


def _merge(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str], *, resolve: _Resolve, gap: int
) -> list[str]:
    """Merge two lists of tokens; `resolve` merges a region that both sides changed differently.

    `gap` is the least number of tokens between a change of one side and one of the other.
    """
    merged: list[str] = []
    done = 0
    for region in _find_regions(_find_edits(base, mine), _find_edits(base, theirs), gap):
        merged += base[done : region.start]
        own, other = _apply(base, region, region.mine), _apply(base, region, region.theirs)
        if not region.theirs or own == other:
            merged += own
        elif not region.mine:
            merged += other
        else:
            merged += resolve(base[region.start : region.end], own, other)
        done = region.end
    return [*merged, *base[done:]]


def _find_edits(base: Sequence[str], side: Sequence[str]) -> list[_Edit]:
    """Return how one side differs from the base; equal beginnings and ends are skipped first."""
    start = _count_equal(base, side)
    limit = min(len(base), len(side)) - start
    end = min(_count_equal(base[::-1], side[::-1]), limit)
    old, new = base[start : len(base) - end], side[start : len(side) - end]
    _require_comparable(old, new)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Edit(start=start + i1, end=start + i2, tokens=tuple(new[j1:j2]))
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]


def _require_comparable(old: Sequence[str], new: Sequence[str]) -> None:
    """Raise OverlapError if a comparison would take too long."""
    counts, other = Counter(old), Counter(new)
    pairs = sum(count * other[token] for token, count in counts.items())
    if max(len(old), len(new)) > MOST_TOKENS or pairs > MOST_PAIRS:
        raise OverlapError("The texts are too large to be merged.")


def _count_equal(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many tokens two lists have in common at their beginning."""
    pairs = zip(first, second, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))


def _find_regions(mine: Sequence[_Edit], theirs: Sequence[_Edit], gap: int) -> Iterator[_Region]:
    """Group the edits of both sides that overlap, in the order of the base."""
    edits = sorted(
        [*((edit, True) for edit in mine), *((edit, False) for edit in theirs)],
        key=lambda pair: (pair[0].start, pair[0].end),
    )
    group: list[tuple[_Edit, bool]] = []
    end = 0
    for edit, is_mine in edits:
        is_insertion_at_end = bool(group) and edit.end == group[-1][0].start == end
        if group and edit.start >= end + gap and not is_insertion_at_end:
            yield _region_of(group, end)
            group = []
        end = max(end, edit.end)
        group.append((edit, is_mine))
    if group:
        yield _region_of(group, end)


def _region_of(group: Sequence[tuple[_Edit, bool]], end: int) -> _Region:
    return _Region(
        start=group[0][0].start,
        end=end,
        mine=tuple(edit for edit, is_mine in group if is_mine),
        theirs=tuple(edit for edit, is_mine in group if not is_mine),
    )


def _apply(base: Sequence[str], region: _Region, edits: Sequence[_Edit]) -> list[str]:
    """Return the tokens of a region as one side has them."""
    tokens: list[str] = []
    done = region.start
    for edit in edits:
        tokens += [*base[done : edit.start], *edit.tokens]
        done = edit.end
    return [*tokens, *base[done : region.end]]
