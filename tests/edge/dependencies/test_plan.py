"""The ranges of one execution: bounds, last rows, lists of values and joined rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.edge.changes.encoding import ValueKind
from app.edge.dependencies import Interval, Range, RenderRecord, plan
from app.edge.dependencies.plan import (
    EqualityPlan,
    IntervalPlan,
    Parameter,
    ParameterValues,
    SemiJoinPlan,
    TablePlan,
)

READ = frozenset({"x"})


def parameter(name: str, *, many: bool = False) -> Parameter:
    """Return a parameter, or an IN list."""
    return Parameter(name=name, is_expanding=many, bind_processor=None)


def values(**of: Any) -> ParameterValues:
    """Return parameter values; a list is the value of an IN list."""
    flat = {n: v for n, v in of.items() if not isinstance(v, list)}
    lists = {n: v for n, v in of.items() if isinstance(v, list)}
    flat |= {f"{n}_{k}": one for n, v in lists.items() for k, one in enumerate(v)}
    expanded = {n: [f"{n}_{k}" for k in range(len(v))] for n, v in lists.items()}
    return ParameterValues(values=flat, expanded=expanded)


def interval_plan(**fields: Any) -> IntervalPlan:
    """Return a plan for the column `at` without bounds."""
    defaults: dict[str, Any] = {"lower": None, "upper": None, "position": None, "limit": None}
    return IntervalPlan(
        column="at", **{"descending": False, "has_time_zone": False} | defaults | fields
    )


LOWER, UPPER = parameter("lower"), parameter("upper")
BOUNDS: dict[str, tuple[Any, Any, int | None, bool, tuple[int | None, int | None] | None]] = {
    "no bound": (None, None, None, False, None),
    "a lower bound": (5, None, None, False, (5, None)),
    "an upper bound": (None, 9, None, False, (None, 9)),
    "both": (5, 9, None, False, (5, 9)),
    "zero": (0, 0, None, False, (0, 0)),
    "an empty interval": (9, 5, None, False, (9, 9)),
    "the last row of an ascending list": (None, None, 7, False, (None, 7)),
    "the last row of a descending list": (None, None, 7, True, (7, None)),
    "a last row at zero": (None, None, 0, True, (0, None)),
    "ascending between bounds": (5, 9, 7, False, (5, 7)),
    "descending between bounds": (5, 9, 7, True, (7, 9)),
    "ascending beyond the upper bound": (5, 9, 11, False, (5, 9)),
    "descending below the lower bound": (5, 9, 3, True, (5, 9)),
    "ascending with a lower bound": (5, None, 7, False, (5, 7)),
    "descending with an upper bound": (None, 9, 7, True, (7, 9)),
}


@pytest.mark.parametrize(("low", "high", "last", "down", "outcome"), BOUNDS.values(), ids=BOUNDS)
def test_an_interval_joins_the_bounds_and_the_last_row(
    low: int | None, high: int | None, last: int | None, down: bool, outcome: Any
) -> None:
    """The narrower of the bound and the last row is kept on its side."""
    one = interval_plan(lower=LOWER, upper=UPPER, descending=down)
    between = one.interval(values(lower=low, upper=high), last)
    assert (between and (between.low, between.high)) == outcome


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST = {
    "fewer rows than the limit": ([(1,)], 2, None),
    "as many rows": ([(1,), (2,)], 2, 2),
    "more rows": ([(1,), (2,), (3,)], 2, 3),
    "no row": ([], 0, None),
    "no limit": ([(1,)], None, None),
    "a limit that is no number": ([(1,)], "1", None),
    "a last row with NULL": ([(1,), (None,)], 2, None),
    "a last row at zero": ([(0,)], 1, 0),
    "an instant": ([(NOON,)], 1, 1_772_366_400_000_000),
}


@pytest.mark.parametrize(("rows", "limit", "outcome"), LAST.values(), ids=LAST)
def test_the_last_row_counts_only_if_the_limit_was_reached(
    rows: list[tuple[Any, ...]], limit: Any, outcome: int | None
) -> None:
    """With fewer rows, a row after the last one would be in the result too."""
    one = interval_plan(position=0, limit=parameter("n"))
    assert one.last_key(values(n=limit), rows) == outcome
    assert interval_plan(limit=parameter("n")).last_key(values(n=1), rows) is None
    assert interval_plan(position=0).last_key(values(n=1), rows) is None


def ranges_of(source: TablePlan, parameters: ParameterValues) -> set[Any]:
    """Return the ranges of an execution without rows."""
    record = RenderRecord()
    source.add_to(record, parameters, [])
    return set(record.dependencies)


def equal_to(*columns: str) -> tuple[EqualityPlan, ...]:
    """Return a comparison of each column with an IN list of the same name."""
    return tuple(EqualityPlan(column=c, parameter=parameter(c, many=True)) for c in columns)


def pairs_of(result: set[Any]) -> set[tuple[tuple[str, str], ...]]:
    """Return the compared values of ranges."""
    return {one.equalities for one in result}


@pytest.mark.parametrize("count", [plan.MAX_COMBINATIONS, plan.MAX_COMBINATIONS + 1])
def test_the_limit_of_combinations_is_exact(count: int) -> None:
    """A list of more values narrows nothing; shorter lists beside it still do."""
    source = TablePlan(table="t", referenced_columns=READ, equalities=equal_to("a", "b"))
    result = pairs_of(ranges_of(source, values(a=[*range(count)], b=[7])))
    if count <= plan.MAX_COMBINATIONS:
        assert result == {(("a", str(n)), ("b", "7")) for n in range(count)}
    else:
        assert result == {(("b", "7"),)}


LISTS: dict[str, tuple[dict[str, list[Any]], set[Any]]] = {
    "two lists": (
        {"a": [1, 2], "b": ["x"]},
        {(("a", "1"), ("b", "x")), (("a", "2"), ("b", "x"))},
    ),
    "NULL in a list": ({"a": [1, None], "b": ["x"]}, {(("a", "1"), ("b", "x"))}),
    "only NULL": ({"a": [None], "b": ["x"]}, set()),
    "an empty list": ({"a": [], "b": ["x"]}, set()),
    "one value without an encoding": ({"a": [1, 1.5], "b": ["x"]}, {(("b", "x"),)}),
    "a numeral": ({"a": ["05"], "b": ["x"]}, {(("b", "x"),)}),
    "a value twice": ({"a": [1, "1"], "b": ["x"]}, {(("a", "1"), ("b", "x"))}),
    "nothing comparable": ({"a": [1.5], "b": [b"x"]}, {()}),
}


@pytest.mark.parametrize(("lists", "outcome"), LISTS.values(), ids=LISTS)
def test_each_combination_of_values_is_a_range(
    lists: dict[str, list[Any]], outcome: set[Any]
) -> None:
    """NULL equals nothing; a value that can't be compared does not narrow the range."""
    source = TablePlan(table="t", referenced_columns=READ, equalities=equal_to("a", "b"))
    assert pairs_of(ranges_of(source, values(**lists))) == outcome


@pytest.mark.parametrize(
    ("kind", "outcome"), [(ValueKind.NUMBER, {()}), (ValueKind.TEXT, {(("a", "5"),)})]
)
def test_a_text_may_equal_a_number_of_another_notation(kind: ValueKind, outcome: set[Any]) -> None:
    """A numeric column converts a text parameter, so the encoded text says nothing."""
    one = EqualityPlan(column="a", parameter=parameter("a"), kind=kind)
    source = TablePlan(table="t", referenced_columns=READ, equalities=(one,))
    assert pairs_of(ranges_of(source, values(a="5"))) == outcome
    assert pairs_of(ranges_of(source, values(a=5))) == {(("a", "5"),)}


def test_a_parameter_in_the_sql_text_narrows_nothing() -> None:
    """Its value is not among the parameters."""
    source = TablePlan(table="t", referenced_columns=READ, equalities=equal_to("a"))
    assert pairs_of(ranges_of(source, values())) == {()}


def test_a_bind_processor_converts_all_values_but_null() -> None:
    """The database compares the converted value."""
    convert = Parameter(name="a", is_expanding=True, bind_processor=lambda v: v.upper())
    one = EqualityPlan(column="a", parameter=convert)
    source = TablePlan(table="t", referenced_columns=READ, equalities=(one,))
    assert pairs_of(ranges_of(source, values(a=["x", None]))) == {(("a", "X"),)}


def semi_join(*columns: str, interval: IntervalPlan | None = None) -> SemiJoinPlan:
    """Return a join with a row of `link` that compares these columns."""
    return SemiJoinPlan(
        table="link",
        joined_column="t_id",
        own_column="id",
        equalities=equal_to(*columns),
        interval=interval,
    )


JOINS: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "one value": ({"a": [1]}, [(("a", "1"),)]),
    "two values": ({"a": [1, 2]}, [(("a", "1"),), (("a", "2"),)]),
    "a value without an encoding": ({"a": [1, 1.5]}, [None]),
    "only NULL": ({"a": [None]}, []),
    "as many as the limit": ({"a": [*range(200)]}, [(("a", str(n)),) for n in range(200)]),
    "more than the limit": ({"a": [*range(201)]}, [None]),
}


@pytest.mark.parametrize(("lists", "outcome"), JOINS.values(), ids=JOINS)
def test_a_joined_row_is_required_only_if_all_values_are_comparable(
    lists: dict[str, Any], outcome: list[Any]
) -> None:
    """Otherwise the range depends on rows with any joined row."""
    joins = semi_join("a").semi_joins(values(**lists), None)
    result = [join and join.equalities for join in joins]
    assert sorted(result, key=repr) == sorted(outcome, key=repr)


def test_the_interval_of_a_joined_row_has_its_own_last_key() -> None:
    """The last row of a list sorted by the joined row bounds the joined row's key."""
    own = interval_plan(position=0, limit=parameter("n"))
    join = interval_plan(position=1, limit=parameter("n"), descending=True)
    source = TablePlan(
        table="t",
        referenced_columns=READ,
        interval=own,
        semi_join=semi_join("a", interval=join),
    )
    record = RenderRecord()
    source.add_to(record, values(n=1, a=[3]), [(7, 8)])
    (one,) = record.dependencies
    assert isinstance(one, Range)
    assert one.interval == Interval(column="at", high=7)
    assert one.semi_join is not None
    assert one.semi_join.interval == Interval(column="at", low=8)


def test_ranges_are_cached_under_the_values_of_the_joined_row_too() -> None:
    """Two executions that differ in a bound or a joined value have different ranges."""
    join = semi_join("a", interval=interval_plan(lower=LOWER))
    source = TablePlan(
        table="t", referenced_columns=READ, interval=interval_plan(upper=UPPER), semi_join=join
    )
    result = [
        ranges_of(source, values(a=[a], lower=low, upper=high))
        for a, low, high in ((1, 1, 9), (2, 1, 9), (1, 2, 9), (1, 1, 8))
    ]
    assert len({frozenset(one) for one in result}) == 4
