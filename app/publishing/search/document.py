"""What the index stores of one post: its terms with their counts, its words, and its digest.

Pure: a document is computed from the texts of a post alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TypeAlias

from . import words
from .stemming import VERSION as STEMMER_VERSION
from .words import Word

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ANALYSIS = f"{words.VERSION}-{STEMMER_VERSION}-"
"""Begins each digest: posts that were indexed by another analysis are indexed again."""

MAX_TEXT = 500_000
"""The number of characters of a text that are indexed."""

MAX_COUNT = 32_000
"""The largest count that is stored for a title or for names."""

BREAK = "|"
"""Stands between texts that do not follow one another, so that no phrase spans them."""

Counts: TypeAlias = tuple[float, float, float]
"""How often a term is in the title, in names and in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The texts of a published post that the index is made of."""

    post_id: int
    language: str
    title: str
    summary: str
    text: str
    names: tuple[str, ...]
    published_at: datetime

    @property
    def digest(self) -> str:
        """The version of the analysis, and the digest of these texts."""
        texts = (self.language, self.title, self.summary, self.text, self.names, self.published)
        return ANALYSIS + sha256(json.dumps(texts).encode()).hexdigest()

    @property
    def published(self) -> int:
        """When the post was published, in microseconds since 1970."""
        return (self.published_at - EPOCH) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTexts:
    """The terms of a post in their order, as one text for each field, and its words."""

    title: str = ""
    names: str = ""
    body: str = ""
    forms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A post as the index stores it."""

    texts: StoredTexts
    title_length: int
    body_length: int


def analyse(source: Source) -> Document:
    """Reduce the texts of a post to terms."""
    title = words.words(source.title, source.language)
    names = [words.words(name, source.language) for name in source.names]
    body = [
        words.words(text, source.language)
        for text in (_own_summary(source), source.text[:MAX_TEXT])
    ]
    all_words = [*title, *_flat(names), *_flat(body)]
    texts = StoredTexts(
        title=_sequence([title]),
        names=_sequence(names),
        body=_sequence(body),
        forms=_forms(all_words),
    )
    return Document(
        texts=texts,
        title_length=len(title),
        body_length=sum(map(len, body)),
    )


def postings(texts: StoredTexts) -> dict[str, Counts]:
    """Return how often each term occurs in each field."""
    counters = [Counter(text.split()) for text in (texts.title, texts.names, texts.body)]
    terms = set[str]().union(*counters) - {BREAK}
    return {term: _counts(term, counters) for term in terms}


def vocabulary(texts: StoredTexts) -> set[tuple[str, str]]:
    """Return the different words of a post, each with its term."""
    pairs = (entry.partition("/") for entry in texts.forms.split())
    return {(form, term or form) for form, _, term in pairs}


def _counts(term: str, counters: Sequence[Mapping[str, int]]) -> Counts:
    in_title, in_names, in_body = (counter.get(term, 0) for counter in counters)
    return min(in_title, MAX_COUNT), min(in_names, MAX_COUNT), in_body


def _own_summary(source: Source) -> str:
    """Return the summary, unless it is an excerpt of the text."""
    summary = " ".join(source.summary.split()).rstrip("…. ")
    return "" if summary in " ".join(source.text.split()) else summary


def _flat(lists: Iterable[list[Word]]) -> list[Word]:
    return [word for each in lists for word in each]


def _sequence(lists: Iterable[list[Word]]) -> str:
    """Return the terms with a space on both sides of each, so that a phrase is a part of it."""
    texts = (" ".join(word.term for word in each) for each in lists if each)
    joined = f" {BREAK} ".join(texts)
    return f" {joined} " if joined else ""


def _forms(all_words: Iterable[Word]) -> str:
    pairs = {(word.form, word.term) for word in all_words if not word.is_pair}
    return " ".join(form if form == term else f"{form}/{term}" for form, term in sorted(pairs))
