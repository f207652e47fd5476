"""Registered pages of articles that nobody asked for, made from those of a few that were asked.

A post's facts repeat every `PERIOD` posts, so what one article's page was built from is that of
another one moved along: other ids, addresses and instants, all else alike.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection

from app.edge.dependencies import Dependency, Interval
from app.edge.pages.dependency_shape import make_entry

from .content import slug
from .readers import path_of

_PAGE = (
    "INSERT INTO edge_page"
    "(id, url, variant, tag, etag, policy, registered_at, expires_at, digest) "
    "VALUES (?, ?, '', ?, '', 'ARTICLE', 0, 9000000000000000, '')"
)
_DEPENDENCY = (
    "INSERT OR IGNORE INTO edge_dependency(hash, node, page_id, low, high) VALUES (?, ?, ?, ?, ?)"
)
_CHUNK = 2000


def shift_dependency(dependency: Any, by: int, step: timedelta, table: str = "") -> Any:
    """A dependency of an article's page as that of the article `by` posts later."""
    if isinstance(dependency, Interval):
        far = by * (step // timedelta(microseconds=1))
        ends = (None if end is None else end + far for end in (dependency.low, dependency.high))
        low, high = ends
        return dataclasses.replace(dependency, low=low, high=high)
    if dataclasses.is_dataclass(dependency) and not isinstance(dependency, type):
        table = getattr(dependency, "table", table)
        changes = {
            each.name: shift_dependency(getattr(dependency, each.name), by, step, table)
            for each in dataclasses.fields(dependency)
        }
        return dataclasses.replace(dependency, **changes)
    if isinstance(dependency, tuple):
        return tuple(_moved_pair(each, by, table) for each in dependency)
    return dependency


def _moved_pair(pair: Any, by: int, table: str) -> Any:
    match pair:
        case ("slug", str(value)) if value.startswith("story-"):
            return "slug", slug(int(value.removeprefix("story-")) + by)
        case ("post_id", str(value)):
            return "post_id", str(int(value) + by)
        case ("id", str(value)) if table == "post":
            return "id", str(int(value) + by)
    return pair


def register(
    connection: Connection,
    numbers: Collection[int],
    samples: Mapping[int, tuple[int, Collection[Dependency]]],
    step: timedelta,
    period: int,
) -> None:
    """Register the pages of these articles; a sample holds for all numbers with its remainder.

    Their shapes are known already, as those of the samples.
    """
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA cache_size = -400000")
    first = raw.execute("SELECT max(id) FROM edge_page").fetchone()[0] + 1
    rows: list[tuple[int, int, int, int, int]] = []
    for page_id, number in enumerate(numbers, first):
        sample, dependencies = samples[number % period]
        raw.execute(_PAGE, (page_id, path_of(slug(number)), f"tag-{number}"))
        rows += _rows(page_id, (shift_dependency(d, number - sample, step) for d in dependencies))
        if len(rows) > _CHUNK * 20:
            raw.executemany(_DEPENDENCY, sorted(rows))
            rows = []
    raw.executemany(_DEPENDENCY, sorted(rows))


def _rows(
    page_id: int, dependencies: Iterator[Dependency]
) -> Iterator[tuple[int, int, int, int, int]]:
    for dependency in dependencies:
        entry = make_entry(dependency)
        yield entry.hash, entry.node, page_id, entry.low, entry.high
