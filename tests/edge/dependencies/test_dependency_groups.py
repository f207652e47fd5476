"""Compact records and plans: ranges, cached groups and keys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.edge.dependencies import Interval, Range, RenderRecord, Row, Table, plan
from app.edge.dependencies.dependency_groups import KeyedTable
from app.edge.dependencies.plan import (
    EqualityPlan,
    IntervalPlan,
    Parameter,
    ParameterValues,
    TablePlan,
)

MENTIONED = frozenset({"n"})
BOUND = Parameter(name="n", is_expanding=False, bind_processor=None)
ONE = TablePlan(
    table="t", referenced_columns=MENTIONED, equalities=(EqualityPlan(column="n", parameter=BOUND),)
)
LISTED = Parameter(name="n", is_expanding=True, bind_processor=None)
MANY = TablePlan(
    table="t",
    referenced_columns=MENTIONED,
    equalities=(EqualityPlan(column="n", parameter=LISTED),),
)


def record_dependencies(
    source: TablePlan, rows: list[tuple[object, ...]], *values: object
) -> set[object]:
    """Return the dependencies of an execution with this value, or this list of values."""
    names = [f"n_{number}" for number in range(len(values))]
    parameters = ParameterValues(
        values={**dict(zip(names, values, strict=True)), "n": values[0] if values else None},
        expanded={"n": names},
    )
    record = RenderRecord()
    source.add_to(record, parameters, rows)
    return set(record.dependencies)


def ranges(*equal: str) -> set[object]:
    """Return ranges of the table, one for each value."""
    return {Range(table="t", equalities=(("n", n),), referenced_columns=MENTIONED) for n in equal}


ALL: set[object] = {Range(table="t", referenced_columns=MENTIONED)}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(1, ranges("1"), id="a-number"),
        pytest.param(True, ranges("1"), id="a-truth"),
        pytest.param(1.0, ALL, id="a-float"),
        pytest.param(1, ranges("1"), id="the-number-again"),
        pytest.param(None, set(), id="nothing"),
        pytest.param([1], ALL, id="what-can-not-be-looked-up"),
        pytest.param(datetime(2026, 1, 1, tzinfo=UTC), ALL, id="an-instant"),
    ],
)
def test_a_cached_group_is_of_the_same_value(value: object, expected: set[object]) -> None:
    """Values that are equal in Python may have different encodings."""
    assert record_dependencies(ONE, [], value) == expected


def test_a_list_is_cached_under_all_its_values() -> None:
    """Lists of different length or different types have different cache keys."""
    assert record_dependencies(MANY, [], 1, 2, 3) == ranges("1", "2", "3")
    assert record_dependencies(MANY, [], 1, 2) == ranges("1", "2")
    assert record_dependencies(MANY, [], 1, "2") == ranges("1", "2")
    assert record_dependencies(MANY, [], 12) == ranges("12")


def test_an_interval_is_cached_under_its_last_row() -> None:
    """The same query with another last row has another interval."""
    limit = Parameter(name="n", is_expanding=False, bind_processor=None)
    interval = IntervalPlan(
        column="at",
        lower=None,
        upper=None,
        position=0,
        limit=limit,
        descending=True,
        has_time_zone=False,
    )
    source = TablePlan(table="t", referenced_columns=MENTIONED, interval=interval)
    for last in (7, 9, 7):
        between = Interval(column="at", low=last)
        expected = {Range(table="t", referenced_columns=MENTIONED, interval=between)}
        assert record_dependencies(source, [(last,)], 1) == expected
    assert record_dependencies(source, [], 1) == ALL


@pytest.mark.parametrize("zoned", [True, False])
def test_an_interval_has_no_bound_that_depends_on_the_session(zoned: bool) -> None:
    """The comparison of instants with and without a zone depends on the session's time zone."""
    instant = datetime(2026, 1, 1, tzinfo=UTC if zoned else None)
    same, other = (
        limited(zoned=answer).interval(at(instant), None) for answer in (zoned, not zoned)
    )
    assert same == Interval(column="at", high=1_767_225_600_000_000)
    assert other is None


def limited(*, zoned: bool) -> IntervalPlan:
    """Return a plan for all rows before an instant."""
    upper = Parameter(name="to", is_expanding=False, bind_processor=None)
    return IntervalPlan(
        column="at",
        lower=None,
        upper=upper,
        position=None,
        limit=None,
        descending=True,
        has_time_zone=zoned,
    )


def at(value: datetime) -> ParameterValues:
    """Return parameter values with this instant."""
    return ParameterValues(values={"to": value}, expanded={})


def test_the_cache_is_bounded() -> None:
    """Queries with new parameters every time do not fill the memory."""
    for number in range(plan.MAX_CACHED_GROUPS + 10):
        assert record_dependencies(ONE, [], number) == ranges(str(number))
    assert len(plan._group_cache) <= plan.MAX_CACHED_GROUPS


def test_rows_of_an_outer_join_without_a_match_have_no_key() -> None:
    """For keys of one column and of several."""
    one = KeyedTable(table="t", key_positions=(("id", 1),), columns=MENTIONED)
    assert one.extract_keys([("x", 1), ("y", None), ("z", 1)]) == {1}
    two = KeyedTable(table="t", key_positions=(("a", 0), ("b", 2)), columns=MENTIONED)
    assert two.extract_keys([(1, "x", 2), (1, "y", None)]) == {(1, 2)}
    assert two.to_dependency((1, 2)) == Row(
        table="t", key=(("a", "1"), ("b", "2")), columns=MENTIONED
    )


def test_a_row_whose_key_has_no_encoding_is_the_whole_table() -> None:
    """A floating-point number has no unique encoding."""
    keyed = KeyedTable(table="t", key_positions=(("id", 0),), columns=MENTIONED)
    assert set(keyed.to_dependencies([1.5, 2.5])) == {Table(table="t")}


def test_joined_records_hold_what_both_read() -> None:
    """Rows of the same statement are merged, and the first reason not to share is kept."""
    keyed = KeyedTable(table="t", key_positions=(("id", 0),), columns=MENTIONED)
    one, other = (
        RenderRecord(log_positions=["1"]),
        RenderRecord(log_positions=["2"], unshareable_reason="why"),
    )
    one.add_rows(keyed, [(1,)])
    other.add_rows(keyed, [(2,)])
    other.add_dependencies([Table(table="u")])
    one.merge(other)
    assert one.dependencies == {*keyed.to_dependencies([1, 2]), Table(table="u")}
    assert (one.log_positions, one.unshareable_reason) == (["1", "2"], "why")
