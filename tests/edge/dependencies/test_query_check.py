"""Which parts of a statement are allowed, and which are refused as raw SQL."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.edge.dependencies import UnshareableQueryError

from .conftest import POSTGRES, compiled_plan, post

TITLES = sa.select(post.c.title)
RAW = {
    "before the columns": TITLES.prefix_with("DISTINCT"),
    "behind the statement": TITLES.suffix_with("UNION SELECT secret FROM private"),
    "a hint": TITLES.with_statement_hint("UNION SELECT secret FROM private"),
    "behind an inner one": sa.select(TITLES.suffix_with("LIMIT 1").subquery()),
    "a literal column": sa.select(sa.literal_column("(SELECT secret FROM private)")),
    "a constant that is none": sa.select(post.c.id, sa.literal_column("'a' || secret || 'b'")),
}


@pytest.mark.parametrize("statement", RAW.values(), ids=RAW)
def test_raw_sql_anywhere_is_refused(statement: Any) -> None:
    """Raw SQL may read any table."""
    with pytest.raises(UnshareableQueryError, match="raw SQL"):
        compiled_plan(statement)


CONSTANT = {
    "one": sa.select(post.c.id, sa.literal_column("1")),
    "a text": sa.select(post.c.id, sa.literal_column("'draft'")),
    "NULL": sa.select(post.c.id, sa.literal_column("NULL")),
    "EXISTS": TITLES.where(sa.select(sa.literal_column("1")).where(post.c.id == 1).exists()),
}


@pytest.mark.parametrize("statement", CONSTANT.values(), ids=CONSTANT)
def test_a_constant_reads_nothing(statement: Any) -> None:
    """The ORM selects a constant in each EXISTS."""
    assert {source.table for source in compiled_plan(statement).tables} == {"post"}


@pytest.mark.parametrize("word", ["MATERIALIZED", "NOT MATERIALIZED"])
def test_how_a_cte_is_computed_does_not_matter(word: str) -> None:
    """MATERIALIZED reads no table."""
    titles = TITLES.cte("titles").prefix_with(word)
    plan = compiled_plan(sa.select(titles), POSTGRES)
    assert {source.table for source in plan.tables} == {"post"}
