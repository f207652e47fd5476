from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from app.edge.changes import mark
from app.edge.index import resolve
from app.edge.reads import matches

from ..reads.conftest import changes, memory, post, read
from ..reads.test_soundness import SEED, WRITES, attempt, statements
from .conftest import put

ENGINE = memory()


@settings(max_examples=300, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=4), st.lists(WRITES, min_size=1, max_size=3))
def test_the_index_finds_what_the_match_rule_says(found: list[Any], writes: list[Any]) -> None:
    """Hashes and intervals in SQL give every page that comparing one by one gives."""
    with ENGINE.connect() as connection:
        for write in SEED:
            attempt(connection, write)
        changes(connection)
        pages = {}
        for number, statement in enumerate(found):
            _, pages[f"/{number}"] = read(connection, statement)
            put(connection, f"/{number}", pages[f"/{number}"], mark=mark(connection))
        for write in writes:
            attempt(connection, write)
        resolution = resolve(connection)
        purged = {page.url for page in resolution.pages}
        log = changes(connection)
        expected = {
            url for url, deps in pages.items() if any(matches(d, c) for d in deps for c in log)
        }
        assert expected <= purged or resolution.everything
        assert purged <= expected, "the index purges more than the rule asks for"
        connection.rollback()


def test_a_change_is_resolved_once(engine: Engine) -> None:
    """What was resolved is not taken again."""
    with engine.begin() as connection:
        at = mark(connection)
        _, found = read(connection, sa.select(post))
        put(connection, "/", found, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert [page.url for page in resolve(connection).pages] == ["/"]
        assert resolve(connection).changes == 0


def test_a_page_of_an_ordered_list_is_found_by_what_enters_it(engine: Engine) -> None:
    """An older row below the last one of a limited list leaves it alone, a newer one does not."""

    def day(number: int) -> datetime:
        return datetime(2026, 1, number)  # noqa: DTZ001 - the column has no zone

    newest = sa.select(post).order_by(post.c.published_at.desc(), post.c.id.desc()).limit(2)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post),
            [{"id": n, "slug": f"s{n}", "published_at": day(n)} for n in (10, 11, 12)],
        )
        resolve(connection)
        _, found = read(connection, newest)
        put(connection, "/", found, mark=mark(connection))
        connection.execute(sa.insert(post).values(id=1, slug="old", published_at=day(1)))
        assert resolve(connection).pages == ()
        connection.execute(sa.insert(post).values(id=2, slug="new", published_at=day(20)))
        assert [page.url for page in resolve(connection).pages] == ["/"]


def test_many_changes_purge_everything(engine: Engine) -> None:
    """A bulk import costs one purge of everything, not the memory of its rows."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post), [{"id": i, "slug": f"s{i}"} for i in range(1, 2_100)])
        assert "more changes" in resolve(connection).everything
        assert resolve(connection).changes == 0
