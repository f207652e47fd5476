"""The order of results: tiers first, then BM25, then the newest. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .document import Counts
from .matching import Matches

TITLE_WEIGHT = 6
NAMES_WEIGHT = 4
SATURATION = 1.2
LENGTH_SHARE = 0.75
"""The parameters k1 and b of BM25, with their usual values."""

TITLE_LENGTH_SHARE = 0.5
"""The parameter b for titles: a word counts more in a short title."""


class Order(StrEnum):
    """What comes first in the results."""

    RELEVANCE = "relevance"
    DATE = "date"


class IndexedPost(NamedTuple):
    """What the order depends on besides the matches: lengths in words, and the date."""

    post_id: int
    language: str
    title_length: int
    body_length: int
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPart:
    """The posts that have a part of the query; `length` is its number of words."""

    matches: Matches
    length: int = 1


def find_common(
    posts: Mapping[int, IndexedPost], wanted: Sequence[WantedPart], excluded: Iterable[Matches]
) -> list[IndexedPost]:
    """Return the posts that have every wanted part and no excluded one."""
    ids = set(posts)
    for part in wanted:
        ids &= part.matches.keys()
    for matches in excluded:
        ids -= matches.keys()
    return [posts[post_id] for post_id in ids]


def rank(
    hits: Iterable[IndexedPost],
    wanted: Sequence[WantedPart],
    *,
    posts: Mapping[int, IndexedPost],
    order: Order,
) -> list[int]:
    """Return the ids of the posts in their order; it is the same for the same content."""
    if order is Order.DATE:
        return [hit.post_id for hit in sorted(hits, key=_newest_first)]
    weights = [_rarity(len(part.matches), len(posts)) for part in wanted]
    body_average = _average(post.body_length for post in posts.values())
    title_average = _average(post.title_length for post in posts.values())

    def key(hit: IndexedPost) -> tuple[int, float, int, int]:
        counts = [part.matches[hit.post_id] for part in wanted]
        body_norm = _norm(hit.body_length / body_average, LENGTH_SHARE)
        title_norm = _norm(hit.title_length / title_average, TITLE_LENGTH_SHARE)
        score = sum(
            weight * _saturate(in_title / title_norm, in_names, in_body / body_norm)
            for weight, (in_title, in_names, in_body) in zip(weights, counts, strict=True)
        )
        return _tier(hit, counts, wanted), -round(score, 9), *_newest_first(hit)

    return [hit.post_id for hit in sorted(hits, key=key)]


def _average(lengths: Iterable[int]) -> float:
    listed = list(lengths)
    return sum(listed) / len(listed) if sum(listed) else 1.0


def _norm(length: float, share: float) -> float:
    """Return the factor by which counts in a text of this length, compared with others, sink."""
    return 1 - share + share * length


def _newest_first(hit: IndexedPost) -> tuple[int, int]:
    return -hit.published, -hit.post_id


def _rarity(matching: int, posts: int) -> float:
    """Return the weight of a part: the fewer posts have it, the more it counts."""
    return math.log(1 + (posts - matching + 0.5) / (matching + 0.5))


def _saturate(in_title: float, in_names: float, in_body: float) -> float:
    """Return the weighted frequency of a part in one post, which grows ever more slowly."""
    frequency = TITLE_WEIGHT * in_title + NAMES_WEIGHT * in_names + in_body
    return frequency * (SATURATION + 1) / (frequency + SATURATION)


def _tier(hit: IndexedPost, counts: Sequence[Counts], wanted: Sequence[WantedPart]) -> int:
    """Return 0 if the title is the query, 1 or 2 if title or names have all parts, else 3."""
    if all(in_title for in_title, _, _ in counts):
        return 0 if hit.title_length == sum(part.length for part in wanted) else 1
    return 2 if all(in_title or in_names for in_title, in_names, _ in counts) else 3
