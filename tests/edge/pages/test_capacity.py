"""A full index takes no page that it does not know; what readers make up has a tenth of it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import mark
from app.edge.dependencies import Row
from app.edge.pages import Bound, Page, Registered, register
from app.edge.pages.capacity import _count_aside, fullness, highest, recount
from app.edge.pages.tables import page

from .conftest import NOW

ROW = Row(table="post", key=(("id", "1"),), columns=frozenset({"slug"}))


def put(
    connection: Connection, url: str, bound: Bound, *, aside: bool = False, policy: str = "P"
) -> Registered:
    """Register a page in an index with a bound."""
    made = Page(
        url=url, tag=f"p{url[1:]}", etag="", policy=policy, registered=NOW, expires=NOW, aside=aside
    )
    return register(connection, made, [ROW], [mark(connection)], None, bound)


def fill(connection: Connection, first: int, last: int, bound: Bound) -> list[Registered]:
    """Register pages whose addresses are numbers."""
    return [put(connection, f"/{number}", bound) for number in range(first, last + 1)]


@pytest.mark.parametrize("noted", [False, True], ids=["never counted", "counted before"])
def test_what_is_over_is_refused_and_what_is_known_is_renewed(engine: Engine, noted: bool) -> None:
    """Whoever counted and when, the bound holds to the page."""
    bound = Bound(pages=5)
    with engine.begin() as connection:
        fill(connection, 1, 2, bound)
        if noted:
            recount(connection, top=highest(connection))
        assert fill(connection, 3, 7, bound) == [Registered.DONE] * 3 + [Registered.FULL] * 2
        assert put(connection, "/1", bound, policy="Q") is Registered.DONE
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 5


def test_errors_redirects_and_queries_have_a_tenth(engine: Engine) -> None:
    """A bot that walks addresses which name nothing leaves the rest to pages."""
    bound = Bound(pages=20)
    with engine.begin() as connection:
        walked = [put(connection, f"/no/{number}", bound, aside=True) for number in range(5)]
        assert walked == [Registered.DONE] * 2 + [Registered.FULL] * 3
        recount(connection, top=highest(connection))
        assert put(connection, "/no/9", bound, aside=True) is Registered.FULL
        assert put(connection, "/no/1", bound, aside=True, policy="Q") is Registered.DONE
        assert fill(connection, 1, 18, bound) == [Registered.DONE] * 18
        assert (fullness(connection).pages, fullness(connection).aside) == (20, 2)


def test_a_refused_page_leaves_nothing_behind(engine: Engine) -> None:
    """Neither a row nor a dependency."""
    with engine.begin() as connection:
        assert put(connection, "/a", Bound(pages=0)) is Registered.FULL
        for table in ("edge_page", "edge_dependency"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


def test_ids_that_left_with_their_pages_are_not_counted(engine: Engine) -> None:
    """The newest pages may be the first to expire: their ids are given no more."""
    bound = Bound(pages=10)
    with engine.begin() as connection:
        fill(connection, 1, 9, bound)
        top = highest(connection)
        connection.execute(sa.delete(page).where(page.c.id > 3))
        recount(connection, top=top)
        recount(connection, top=highest(connection))  # once more, when the ids are forgotten
        assert fullness(connection).pages == 3
        assert fill(connection, 20, 26, bound) == [Registered.DONE] * 7
        assert put(connection, "/z", bound) is Registered.FULL


def test_registering_counts_no_pages_once_somebody_did(engine: Engine) -> None:
    """It looks at the note, at the highest id, and at what is known of the page."""
    bound, said = Bound(pages=1_000), list[str]()
    with engine.begin() as connection:
        fill(connection, 1, 5, bound)
        recount(connection, top=highest(connection))
        driver: Any = connection.connection.driver_connection
        driver.set_trace_callback(said.append)
        put(connection, "/new", bound)
        put(connection, "/new", bound)
        driver.set_trace_callback(None)
    assert not [statement for statement in said if "count(*)" in statement.lower()]
    assert sum("max(" in statement.lower() for statement in said) == 1


def test_what_stands_aside_is_counted_by_an_index_of_its_own(engine: Engine) -> None:
    """A bot that walks for hours makes no registration slow."""
    asked = str(_count_aside.compile(engine))
    with engine.begin() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", (7,)).one()
    assert "COVERING INDEX ix_edge_page_aside" in plan[-1]
