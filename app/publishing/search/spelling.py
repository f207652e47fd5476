"""A correction for a word that no post has: the most frequent indexed word close to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import search_word

from .words import fold

MAX_DISTANCE = 2
MIN_POSTS = 2
"""A word of a single post may be a misspelling itself."""

MIN_LENGTH = 3
MIN_LENGTH_FOR_TWO = 5
"""Shorter words have too many neighbours at distance two."""

MAX_LENGTH = 24
"""Longer words are not corrected: they have too many neighbours."""

MAX_LETTERS = 100
MAX_CANDIDATES = 3000
_CHUNK = 400
_END = "\U0010ffff"


def find_correction(session: Session, form: str) -> str | None:
    """Return the most frequent word at distance 1, or else 2; None if a post has this word."""
    if not MIN_LENGTH <= len(form) <= MAX_LENGTH or _find_counts(session, [form], at_least=1):
        return None
    near = _find_counts(session, _edits(form, _letters(form)), at_least=MIN_POSTS)
    if not near and len(form) >= MIN_LENGTH_FOR_TWO:
        near = {
            word: count
            for word, count in _candidates(session, form)
            if distance(form, word, MAX_DISTANCE) <= MAX_DISTANCE
        }
    return min(near, key=lambda word: (-near[word], word)) if near else None


def distance(one: str, other: str, most: int) -> int:
    """Return the number of insertions, deletions, replacements and swaps; `most` + 1 if more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        following = [at]
        for place, other_letter in enumerate(other, 1):
            cost = min(row[place] + 1, following[-1] + 1, row[place - 1] + (letter != other_letter))
            if _is_swap(one, other, at, place):
                cost = min(cost, before[place - 2] + 1)
            following.append(cost)
        if min(following) > most:
            return most + 1
        before, row = row, following
    return min(row[-1], most + 1)


def _is_swap(one: str, other: str, at: int, place: int) -> bool:
    return (
        at > 1 and place > 1 and one[at - 1] == other[place - 2] and one[at - 2] == other[place - 1]
    )


def _letters(form: str) -> str:
    """Return the letters that an edit may insert: those of the scripts that the word has."""
    if form.isascii():
        return "abcdefghijklmnopqrstuvwxyz0123456789"
    blocks = sorted({ord(character) & ~0x7F for character in form})
    points = [point for block in blocks for point in range(block, block + 0x80)]
    return "".join(filter(_is_folded_letter, map(chr, points)))[:MAX_LETTERS]


def _is_folded_letter(character: str) -> bool:
    return character.isalnum() and fold(character.casefold()) == character


def _edits(form: str, letters: str) -> set[str]:
    """Return the words at distance 1."""
    halves = [(form[:at], form[at:]) for at in range(len(form) + 1)]
    deleted = {left + right[1:] for left, right in halves if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    replaced = {left + c + right[1:] for left, right in halves if right for c in letters}
    inserted = {left + c + right for left, right in halves for c in letters}
    return (deleted | swapped | replaced | inserted) - {form, ""}


def _find_counts(session: Session, forms: Iterable[str], *, at_least: int) -> dict[str, int]:
    """Return how many posts have each of these words."""
    counts: dict[str, int] = {}
    listed = sorted(set(forms))
    posts = sa.func.sum(search_word.c.posts)
    for start in range(0, len(listed), _CHUNK):
        query = sa.select(search_word.c.form, posts.label("count")).where(
            search_word.c.form.in_(listed[start : start + _CHUNK])
        )
        rows = session.execute(query.group_by(search_word.c.form).having(posts >= at_least))
        counts.update((row.form, int(row[1])) for row in rows)
    return counts


def _candidates(session: Session, form: str) -> Iterator[tuple[str, int]]:
    """Yield words of about this length that share a part of the word, the most frequent first.

    Two edits leave one of three parts of a word as it is, unless they swap letters of two parts.
    Most misspelt words have the right first letter, so that this letter suffices.
    """
    third = len(form) // 3
    middle, last = form[third : 2 * third], form[2 * third :]
    column = search_word.c.form
    shared = sa.or_(
        (column >= form[0]) & (column < form[0] + _END),
        column.contains(middle, autoescape=True),
        column.contains(last, autoescape=True),
    )
    length = sa.func.length(column)
    close = length.between(len(form) - MAX_DISTANCE, len(form) + MAX_DISTANCE)
    posts = sa.func.sum(search_word.c.posts)
    query = (
        sa.select(column, posts.label("count"))
        .where(shared, close)
        .group_by(column)
        .having(posts >= MIN_POSTS)
        .order_by(posts.desc(), column)
        .limit(MAX_CANDIDATES)
    )
    for row in session.execute(query):
        yield row.form, int(row[1])
