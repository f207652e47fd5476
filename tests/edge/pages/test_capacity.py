"""A full index registers no new page; open-ended URLs may use a tenth of it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.dependencies import Row
from app.edge.pages import IndexCapacity, IndexedPage, RegistrationResult
from app.edge.pages.capacity import _count_aside, count_and_store, estimate_size, highest_page_id
from app.edge.pages.register import register
from app.edge.pages.tables import page

from .conftest import NOW

ROW = Row(table="post", key=(("id", "1"),), columns=frozenset({"slug"}))


def register_numbered(
    connection: Connection,
    url: str,
    capacity: IndexCapacity,
    *,
    aside: bool = False,
    policy: str = "P",
) -> RegistrationResult:
    """Register a page in an index with this capacity."""
    indexed_page = IndexedPage(
        url=url,
        tag=f"p{url[1:]}",
        etag="",
        policy=policy,
        registered_at=NOW,
        expires_at=NOW,
        is_open_ended=aside,
    )
    return register(
        connection, indexed_page, [ROW], [current_log_position(connection)], None, capacity
    )


def register_range(
    connection: Connection, first: int, last: int, capacity: IndexCapacity
) -> list[RegistrationResult]:
    """Register pages with consecutive numbers as URLs."""
    return [
        register_numbered(connection, f"/{number}", capacity) for number in range(first, last + 1)
    ]


@pytest.mark.parametrize("counted_before", [False, True], ids=["never counted", "counted before"])
def test_a_full_index_refuses_new_pages_and_updates_known_ones(
    engine: Engine, counted_before: bool
) -> None:
    """The limit is exact to the page, with or without a stored count."""
    capacity = IndexCapacity(max_pages=5)
    with engine.begin() as connection:
        register_range(connection, 1, 2, capacity)
        if counted_before:
            count_and_store(connection, top=highest_page_id(connection))
        assert (
            register_range(connection, 3, 7, capacity)
            == [RegistrationResult.REGISTERED] * 3 + [RegistrationResult.INDEX_FULL] * 2
        )
        assert (
            register_numbered(connection, "/1", capacity, policy="Q")
            is RegistrationResult.REGISTERED
        )
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 5


def test_open_ended_urls_may_use_a_tenth(engine: Engine) -> None:
    """A bot that requests unknown URLs cannot fill the index."""
    capacity = IndexCapacity(max_pages=20)
    with engine.begin() as connection:
        walked = [
            register_numbered(connection, f"/no/{number}", capacity, aside=True)
            for number in range(5)
        ]
        assert walked == [RegistrationResult.REGISTERED] * 2 + [RegistrationResult.INDEX_FULL] * 3
        count_and_store(connection, top=highest_page_id(connection))
        assert (
            register_numbered(connection, "/no/9", capacity, aside=True)
            is RegistrationResult.INDEX_FULL
        )
        assert (
            register_numbered(connection, "/no/1", capacity, aside=True, policy="Q")
            is RegistrationResult.REGISTERED
        )
        assert register_range(connection, 1, 18, capacity) == [RegistrationResult.REGISTERED] * 18
        assert (estimate_size(connection).pages, estimate_size(connection).open_ended) == (20, 2)


def test_a_refused_page_leaves_nothing_behind(engine: Engine) -> None:
    """It inserts neither a page nor a dependency."""
    with engine.begin() as connection:
        assert (
            register_numbered(connection, "/a", IndexCapacity(max_pages=0))
            is RegistrationResult.INDEX_FULL
        )
        for table in ("edge_page", "edge_dependency"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_ids_of_deleted_pages_are_not_counted(engine: Engine) -> None:
    """The newest pages may expire first, and their ids are not assigned again."""
    capacity = IndexCapacity(max_pages=10)
    with engine.begin() as connection:
        register_range(connection, 1, 9, capacity)
        top = highest_page_id(connection)
        connection.execute(sa.delete(page).where(page.c.id > 3))
        count_and_store(connection, top=top)
        count_and_store(
            connection, top=highest_page_id(connection)
        )  # a second count, after the deletion
        assert estimate_size(connection).pages == 3
        assert register_range(connection, 20, 26, capacity) == [RegistrationResult.REGISTERED] * 7
        assert register_numbered(connection, "/z", capacity) is RegistrationResult.INDEX_FULL


def test_registering_counts_no_pages_after_the_first_count(engine: Engine) -> None:
    """It reads only the stored count, the highest id and the row of the page."""
    capacity, statements = IndexCapacity(max_pages=1_000), list[str]()
    with engine.begin() as connection:
        register_range(connection, 1, 5, capacity)
        count_and_store(connection, top=highest_page_id(connection))
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(statements.append)
        register_numbered(connection, "/new", capacity)
        register_numbered(connection, "/new", capacity)
        driver.set_trace_callback(None)
    assert not [statement for statement in statements if "count(*)" in statement.lower()]
    assert sum("max(" in statement.lower() for statement in statements) == 1


def test_open_ended_pages_are_counted_by_a_partial_index(engine: Engine) -> None:
    """Registrations stay fast while a bot requests unknown URLs for hours."""
    query = str(_count_aside.compile(engine))
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", (7,)).one()
    assert "COVERING INDEX ix_edge_page_aside" in plan[-1]
