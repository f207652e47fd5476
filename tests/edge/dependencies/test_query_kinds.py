"""The plans of kinds of SELECTs: which conditions, orders and limits narrow a dependency."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.edge.dependencies import DependencyPlan
from app.edge.dependencies.plan import TablePlan

from .conftest import author, compiled_plan, link, post, topic

START = datetime(2026, 1, 1)  # noqa: DTZ001 - the column has no zone
LIVE, MINE = post.c.status == "live", post.c.slug == "a"


def plan_of(statement: Any, table: str = "post") -> TablePlan:
    """Return the plan of one table of a statement."""
    plans: DependencyPlan = compiled_plan(statement)
    (result,) = (one for one in plans.tables if one.table == table)
    return result


POSTS = sa.select(post.c.id)
CONDITIONS: dict[str, tuple[Any, set[str]]] = {
    "equal": (LIVE, {"status"}),
    "the parameter first": (sa.literal("live") == post.c.status, {"status"}),
    "two with AND": (sa.and_(LIVE, MINE), {"status", "slug"}),
    "AND inside AND": (sa.and_(LIVE, sa.and_(MINE, post.c.id == 1)), {"status", "slug", "id"}),
    "OR": (sa.or_(LIVE, MINE), set()),
    "OR inside AND": (sa.and_(LIVE, sa.or_(MINE, post.c.id == 1)), {"status"}),
    "AND inside OR": (sa.or_(sa.and_(LIVE, MINE), post.c.id == 1), set()),
    "NOT": (sa.not_(LIVE), set()),
    "NOT AND": (sa.not_(sa.and_(LIVE, MINE)), set()),
    "unequal": (post.c.status != "live", set()),
    "IN": (post.c.status.in_(["live", "draft"]), {"status"}),
    "NOT IN": (post.c.status.not_in(["live"]), set()),
    "LIKE": (post.c.status.like("live"), set()),
    "IS NULL": (post.c.status.is_(None), set()),
    "less": (post.c.id < 5, set()),
    "a function of the column": (sa.func.lower(post.c.status) == "live", set()),
    "a column with a column": (post.c.status == post.c.slug, set()),
    "a column that is not compared": (post.c.title == "t", set()),
    "CASE": (sa.case((LIVE, 1), else_=0) == 1, set()),
}


@pytest.mark.parametrize(("condition", "columns"), CONDITIONS.values(), ids=CONDITIONS)
def test_only_conditions_that_each_row_must_satisfy_narrow_it(
    condition: Any, columns: set[str]
) -> None:
    """Conditions under OR or NOT hold for some rows only."""
    assert {one.column for one in plan_of(POSTS.where(condition)).equalities} == columns


JOINS: dict[str, tuple[Any, set[str], set[str]]] = {
    "inner": (sa.select(post.c.id, author.c.id).join_from(post, author).where(LIVE, author.c.active.is_(True)), {"status"}, set()),
    "inner, equal": (sa.select(post.c.id).join_from(post, author).where(LIVE, author.c.active == True), {"status"}, set()),  # noqa: E712
    "ON of an inner join": (sa.select(post.c.id).select_from(post.join(author, LIVE)), {"status"}, set()),
    "WHERE of an outer join": (sa.select(post.c.id).select_from(post.outerjoin(author)).where(LIVE), {"status"}, set()),
    "ON of an outer join": (sa.select(post.c.id).select_from(post.outerjoin(author, LIVE)), set(), set()),
    "the optional side": (sa.select(author.c.id).select_from(author.outerjoin(post)).where(LIVE), set(), set()),
    "ON for the optional side": (sa.select(author.c.id).select_from(author.outerjoin(post, LIVE)), {"status"}, set()),
    "a full join": (sa.select(author.c.id).select_from(author.join(post, LIVE, full=True)).where(MINE), set(), set()),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "columns", "of_author"), JOINS.values(), ids=JOINS)
def test_an_outer_join_filters_only_its_optional_side(
    statement: Any, columns: set[str], of_author: set[str]
) -> None:
    """A row of the other side stays in the result without a match."""
    assert {one.column for one in plan_of(statement).equalities} == columns
    assert {one.column for one in plan_of(statement, "author").equalities} == of_author


NEWEST = sa.select(post.c.id, post.c.published_at).order_by(post.c.published_at.desc(), post.c.id)
LIMITED = NEWEST.limit(3)
AT = post.c.published_at
INTERVALS: dict[str, tuple[Any, tuple[bool, bool, bool] | None]] = {
    "no bound": (POSTS, None),
    "a lower bound": (POSTS.where(AT > START), (True, False, False)),
    "a closed lower bound": (POSTS.where(AT >= START), (True, False, False)),
    "an upper bound": (POSTS.where(AT < START), (False, True, False)),
    "a closed upper bound": (POSTS.where(AT <= START), (False, True, False)),
    "the parameter first": (POSTS.where(sa.literal(START) < AT), (True, False, False)),
    "the parameter first, upper": (POSTS.where(sa.literal(START) >= AT), (False, True, False)),
    "both bounds": (POSTS.where(AT > START, AT < START), (True, True, False)),
    "under OR": (POSTS.where(sa.or_(AT > START, LIVE)), None),
    "unequal": (POSTS.where(AT != START), None),
    "a limit": (LIMITED, (False, False, True)),
    "a limit with a bound": (LIMITED.where(AT < START), (False, True, True)),
    "an order without a limit": (NEWEST, None),
    "a limit in another order": (POSTS.add_columns(AT).order_by(post.c.title, AT).limit(3), None),
    "a limit in the order of the key": (
        POSTS.order_by(post.c.id, AT).limit(3),
        (False, False, True),
    ),
    "a limit without an order": (POSTS.add_columns(AT).limit(3), None),
    "the sort key is not selected": (POSTS.order_by(AT.desc()).limit(3), None),
    "DISTINCT": (LIMITED.distinct(), None),
    "GROUP BY": (LIMITED.group_by(post.c.id, AT), None),
    "HAVING": (LIMITED.group_by(post.c.id, AT).having(sa.func.count() > 1), None),
    "an aggregate": (LIMITED.add_columns(sa.func.count()), None),
    "a window": (LIMITED.add_columns(sa.func.count().over()), None),
    "the optional side": (
        sa.select(author.c.id, AT).select_from(author.outerjoin(post)).order_by(AT.desc()).limit(3),
        None,
    ),
}


@pytest.mark.parametrize(("statement", "outcome"), INTERVALS.values(), ids=INTERVALS)
def test_an_interval_has_the_bounds_that_each_row_must_satisfy(
    statement: Any, outcome: tuple[bool, bool, bool] | None
) -> None:
    """The last row is a bound only in a limited list of plain rows that is sorted by its key."""
    one = plan_of(statement).interval
    result = None
    if one is not None:
        result = (one.lower is not None, one.upper is not None, one.position is not None)
    assert result == outcome


@pytest.mark.parametrize(
    ("order", "descending"), [(AT.desc(), True), (AT.asc(), False), (AT, False)]
)
def test_the_direction_of_the_first_sort_key_counts(order: Any, *, descending: bool) -> None:
    """Without a word the order is ascending; later sort keys do not matter."""
    statement = sa.select(post.c.id, AT).order_by(order, post.c.id.desc()).limit(3)
    one = plan_of(statement).interval
    assert one is not None
    assert one.descending is descending


def test_an_inner_select_has_no_interval() -> None:
    """Its rows are not those of the result, so the last row is unknown."""
    inner = LIMITED.where(AT < START).subquery()
    assert plan_of(sa.select(inner.c.id)).interval is None


KEYS: dict[str, tuple[Any, bool]] = {
    "plain rows": (sa.select(post), True),
    "without the key": (sa.select(post.c.title), False),
    "an expression of the key": (sa.select(post.c.id + 1, post.c.title), False),
    "a label": (sa.select(post.c.id.label("number"), post.c.title), True),
    "half of a key": (sa.select(link.c.post_id), False),
    "a whole key": (sa.select(link), True),
}


@pytest.mark.parametrize(("statement", "outcome"), KEYS.values(), ids=KEYS)
def test_rows_are_known_by_their_whole_key(statement: Any, *, outcome: bool) -> None:
    """Half of a key, or an expression of it, names no row."""
    (one,) = compiled_plan(statement).tables
    assert bool(one.key_positions) is outcome


REFERENCED: dict[str, tuple[Any, set[str]]] = {
    "plain rows": (sa.select(post), set()),
    "a condition": (sa.select(post).where(LIVE), {"status"}),
    "an order": (sa.select(post).order_by(post.c.title), {"title"}),
    "a selected column without the key": (sa.select(post.c.title), {"title"}),
    "DISTINCT": (sa.select(post.c.id, post.c.title).distinct(), {"id", "title"}),
    "an aggregate": (sa.select(sa.func.max(post.c.title)), {"title"}),
    "an expression beside the key": (sa.select(post.c.id, post.c.title + "!"), {"title"}),
    "a subquery": (
        sa.select(topic.c.id).where(topic.c.name.in_(sa.select(post.c.title))),
        {"title"},
    ),
    "a union": (
        sa.union(sa.select(topic.c.id), sa.select(post.c.id).where(LIVE)),
        {"id", "status"},
    ),
}


@pytest.mark.parametrize(("statement", "outcome"), REFERENCED.values(), ids=REFERENCED)
def test_columns_that_decide_on_rows_are_referenced(statement: Any, outcome: set[str]) -> None:
    """Columns that are only shown count for the returned rows alone."""
    assert plan_of(statement).referenced_columns == frozenset(outcome)


def links_of(statement: Any, table: str = "post") -> tuple[str, str, str] | None:
    """Return table, joined column and own column of the required joined row."""
    result = plan_of(statement, table).semi_join
    return None if result is None else (result.table, result.joined_column, result.own_column)


LINKED = sa.select(post.c.id, post.c.status).join_from(post, link)
OF_TOPIC = ("link", "post_id", "id")
SEMI_JOINS: dict[str, tuple[Any, str, Any]] = {
    "an association with a value": (LINKED.where(link.c.topic_id == 1).where(LIVE), "post", OF_TOPIC),
    "an association without a value": (LINKED.where(LIVE), "post", None),
    "an optional association": (
        sa.select(post.c.id).select_from(post.outerjoin(link)).where(link.c.topic_id == 1, LIVE), "post", None,
    ),
    "the association of a filtered row": (LINKED.where(LIVE), "link", ("post", "id", "post_id")),
    "the association of a bounded row": (LINKED.where(AT < START), "link", ("post", "id", "post_id")),
    "the association of any row": (LINKED, "link", None),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "table", "outcome"), SEMI_JOINS.values(), ids=SEMI_JOINS)
def test_a_joined_row_is_required_only_by_an_inner_join_on_values(
    statement: Any, table: str, outcome: Any
) -> None:
    """An outer join, or a join on nothing but the key, requires none."""
    assert links_of(statement, table) == outcome
