"""Readers: which address the next one asks for, by Zipf's law over addresses by popularity."""

from __future__ import annotations

import itertools
from bisect import bisect
from collections import Counter
from random import Random

from . import content
from .content import Volume

HEADS = ("/", "/feed.xml")
BETWEEN = 3
"""How many articles stand between two lists in the order of popularity."""

_LISTS = ("/archive", "/topics", "/authors", "/feed.json", "/sitemap.xml")
_API = ("/api/posts", "/api/summary", "/api/topics")
_SIZE = 20


class Readers:
    """Addresses, the most popular first: the front page, the feed, then articles by age.

    An address that was unpublished keeps its place: readers follow old links.
    """

    def __init__(self, volume: Volume, chance: Random, exponent: float = 1.0) -> None:
        self._chance = chance
        others = lists(volume)
        chance.shuffle(others)
        articles = [path_of(content.slug(n)) for n in range(volume.posts, 0, -1)]
        self.addresses = list(HEADS)
        for start in range(0, len(articles), BETWEEN):
            self.addresses += articles[start : start + BETWEEN]
            if others:
                self.addresses.append(others.pop())
        self.addresses += others
        weights = (1 / rank**exponent for rank in range(1, 2 * len(self.addresses)))
        self._sums = list(itertools.accumulate(weights))

    def next(self) -> str:
        """The address that the next reader asks for."""
        return self.addresses[self.rank(len(self.addresses))]

    def rank(self, most: int) -> int:
        """A place below `most`, the first ones most often."""
        return bisect(self._sums, self._chance.random() * self._sums[most - 1], hi=most - 1)

    def announce(self, path: str) -> None:
        """A new article is the most popular one."""
        if path not in self.addresses:
            self.addresses.insert(len(HEADS), path)


def _lasting(count: int) -> int:
    return count // _SIZE or 1


def path_of(slug: str) -> str:
    """The path of an article."""
    return f"/articles/{slug}"


def lists(volume: Volume) -> list[str]:
    """Every address but those of articles."""
    years = range(volume.published_at(1).year, volume.published_at(volume.posts).year + 1)
    paths = [*_LISTS, *_API, *(f"/archive/{year}" for year in years)]
    paths += [f"/archive/pages/{n}" for n in range(1, _lasting(volume.posts) + 1)]
    numbers = range(1, volume.posts + 1)
    for room, chosen in (("topics", content.topics_of), ("authors", content.authors_of)):
        counts = Counter(other for number in numbers for other in chosen(number))
        for number, count in sorted(counts.items()):
            base = f"/{room}/{room[:-1]}-{number}"
            pages = range(1, _lasting(count) + 1)
            paths += [base, f"{base}/feed.xml", *(f"{base}/pages/{page}" for page in pages)]
    return paths
