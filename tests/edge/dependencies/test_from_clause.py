"""The tables in a FROM clause: which of them are optional, and which conditions filter them."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.edge.dependencies.from_clause import FromTable, from_tables

from .conftest import author, link, post

ON = post.c.author_id == author.c.id
JOINS: dict[str, tuple[Any, dict[str, bool]]] = {
    "one table": (post, {"post": False}),
    "an inner join": (post.join(author), {"post": False, "author": False}),
    "an outer join": (post.outerjoin(author), {"post": False, "author": True}),
    "a full join": (post.join(author, ON, full=True), {"post": True, "author": True}),
    "inner after outer": (
        post.outerjoin(author).join(link, link.c.post_id == post.c.id),
        {"post": False, "author": True, "link": False},
    ),
    "outer after inner": (
        post.join(author).outerjoin(link, link.c.post_id == post.c.id),
        {"post": False, "author": False, "link": True},
    ),
    "full after inner": (
        post.join(author).join(link, link.c.post_id == post.c.id, full=True),
        {"post": True, "author": True, "link": True},
    ),
}


def tables_of(select: sa.Select[Any]) -> list[FromTable] | None:
    """Return the tables of a SELECT that is in no other one."""
    return from_tables(select, select.get_final_froms())


@pytest.mark.parametrize(("source", "outcome"), JOINS.values(), ids=JOINS)
def test_tables_that_may_be_missing_are_optional(source: Any, outcome: dict[str, bool]) -> None:
    """A row of the other side stays without them, so their conditions filter no row."""
    where = post.c.status == "live"
    tables = tables_of(sa.select(sa.literal(1)).select_from(source).where(where)) or []
    assert {one.table.name: one.nullable for one in tables} == outcome
    for one in tables:
        assert any(condition is where for condition in one.filters) is not one.nullable


@pytest.mark.parametrize(("isouter", "count"), [(True, 1), (False, 0)])
def test_only_an_outer_join_on_one_condition_adds_no_rows(isouter: bool, count: int) -> None:
    """Two conditions, or an inner join, decide which rows are in the result."""
    for on, outcome in ((ON, count), (sa.and_(ON, author.c.active.is_(True)), 0)):
        join = post.join(author, on, isouter=isouter)
        (first, *_) = tables_of(sa.select(sa.literal(1)).select_from(join)) or []
        assert len(first.left_joins) == outcome


def test_anything_but_tables_has_no_list() -> None:
    """A function in FROM may read any table."""
    source = sa.func.json_each("[]").table_valued("value")
    assert tables_of(sa.select(source.c.value)) is None


@pytest.mark.parametrize(("full", "count"), [(False, 1), (True, 0)])
def test_a_join_in_parentheses_is_optional_as_a_whole(full: bool, count: int) -> None:
    """Its own ON clause and that of the LEFT JOIN filter its tables, and WHERE does not."""
    on = link.c.post_id == post.c.id
    grouped = link.join(post.join(author), on, isouter=True, full=full)
    select = sa.select(sa.literal(1)).select_from(grouped).where(post.c.status == "live")
    first, *others = tables_of(select) or []
    assert (first.table.name, first.nullable, first.left_joins) == ("link", full, [])
    assert [one.table.name for one in others] == ["post", "author"]
    for one in others:
        assert one.nullable
        assert sum(condition is on for condition in one.filters) == count
        assert len(one.filters) == 1 + count
