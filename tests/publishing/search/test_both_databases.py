"""Random texts and random queries give the same results, in the same order, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from flask import Flask

from app.config.parsers import database_url
from app.publishing.queries.search import Order, search_posts
from app.publishing.transaction import transaction
from tests.conftest import open_app
from tests.depth import SEED
from tests.site import content

WORDS = ["lantern", "lanterns", "harbour", "harbours", "compile", "compiling", "compiler", "c++", "c#", ".net", "1.56", "2024", "café", "cafe", "Łódź", "naïve", "déjà", "vu", "東京", "京都", "東京都", "データ", "데이터", "كتاب", "الكِتَاب", "Haus", "Häuser", "dom", "über", "O'Neill", "snake_case", "wi-fi", "🦀", "a", "an", "the", "tide", "tides", "full", "İstanbul", "ß", "ŒUVRE", "½", "②", "x", "y", "z"]  # fmt: skip
LANGUAGES = (None, "de", "fr", "ja", "ar", "tlh")
POSTS = 40
QUERIES = 150


def write(dice: Random) -> None:
    """Write posts of a few random words each."""
    for number in range(POSTS):
        with transaction() as session:
            post = content.post(
                f"p{number}",
                at=content.day(dice.randrange(20)),
                words=" ".join(dice.choices(WORDS, k=dice.randrange(40))) or "x",
                summary=" ".join(dice.choices(WORDS, k=4)),
                authors=dice.choices(WORDS[:6], k=dice.randrange(2)),
                topics=dice.sample(WORDS[:6], k=dice.randrange(3)),
            )
            post.title = " ".join(dice.choices(WORDS, k=dice.randrange(1, 5)))
            post.language = dice.choice(LANGUAGES)
            session.flush()


def make_query(dice: Random) -> str:
    """Make a query of words, cut words, phrases, excluded words and signs."""
    shapes = ("{}", "{}", '"{} {}"', "-{}", '-"{}"', "{}{}", '"{}', "{} ", "%{}", "{}_")
    parts = [
        dice.choice(shapes).format(*(_cut(dice) for _ in range(2)))
        for _ in range(dice.randrange(1, 4))
    ]
    return " ".join(parts)


def _cut(dice: Random) -> str:
    word = dice.choice(WORDS)
    return word if dice.random() < 0.6 else word[: dice.randrange(1, len(word) + 1)]


def search_all(queries: list[str]) -> list[object]:
    """The ids, counts, corrections and snippets of each query in both orders."""
    rows: list[object] = []
    for typed in queries:
        for order in Order:
            results = search_posts(typed, order=order)
            hits = [(hit.post.slug, hit.snippet) for hit in results.hits]
            rows.append((typed, order, results.count, results.correction, hits))
    return rows


@pytest.mark.live
@pytest.mark.slow
def test_random_queries_give_the_same_results_on_both_databases(
    tmp_path: Path, migrated: Path, postgres_url: str
) -> None:
    """Posts, their order, the count, the correction and the snippets."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    rows = []
    for settings in ({}, {"DATABASE_URL": database_url(postgres_url)}):
        with contextmanager(open_database)(tmp_path, **settings):
            write(Random(SEED))
            dice = Random(SEED + 1)
            rows.append(search_all([make_query(dice) for _ in range(QUERIES)]))
    assert rows[0] == rows[1]
    counts = [row[2] for row in rows[0]]  # type: ignore[index]  # rows are tuples
    assert sum(map(bool, counts)) > QUERIES / 4, "most random queries find nothing"


def open_database(folder: Path, **settings: str) -> Iterator[Flask]:
    """An app over one of the databases."""
    yield from open_app(folder, **settings)
