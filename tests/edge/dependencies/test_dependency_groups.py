from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.edge.dependencies import Between, Range, Record, Row, Table, plan
from app.edge.dependencies.dependency_groups import Keyed
from app.edge.dependencies.plan import Bound, Equal, Interval, Parameters, Source

MENTIONED = frozenset({"n"})
BOUND = Bound(name="n", many=False, process=None)
ONE = Source(table="t", mentioned=MENTIONED, equal=(Equal(column="n", bound=BOUND),))
LISTED = Bound(name="n", many=True, process=None)
MANY = Source(table="t", mentioned=MENTIONED, equal=(Equal(column="n", bound=LISTED),))


def noted(source: Source, rows: list[tuple[object, ...]], *values: object) -> set[object]:
    """What an execution with this value, or this list of values, is found to depend on."""
    names = [f"n_{number}" for number in range(len(values))]
    given = Parameters(
        values={**dict(zip(names, values, strict=True)), "n": values[0] if values else None},
        expanded={"n": names},
    )
    record = Record()
    source.note(record, given, rows)
    return set(record.dependencies)


def ranges(*equal: str) -> set[object]:
    """Ranges of the table, one for each value."""
    return {Range(table="t", equal=(("n", n),), mentioned=MENTIONED) for n in equal}


ALL: set[object] = {Range(table="t", mentioned=MENTIONED)}


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
def test_what_is_remembered_is_of_the_same_value(value: object, expected: set[object]) -> None:
    """Values that Python calls equal may be spelt differently."""
    assert noted(ONE, [], value) == expected


def test_a_list_is_known_by_all_its_values() -> None:
    """A longer list, a shorter one and one in pieces each have their own ranges."""
    assert noted(MANY, [], 1, 2, 3) == ranges("1", "2", "3")
    assert noted(MANY, [], 1, 2) == ranges("1", "2")
    assert noted(MANY, [], 1, "2") == ranges("1", "2")
    assert noted(MANY, [], 12) == ranges("12")


def test_an_interval_is_known_by_its_last_row() -> None:
    """The same query with another result ends elsewhere."""
    limit = Bound(name="n", many=False, process=None)
    interval = Interval(
        column="at",
        lower=None,
        upper=None,
        position=0,
        limit=limit,
        descending=True,
        zoned=False,
    )
    source = Source(table="t", mentioned=MENTIONED, interval=interval)
    for last in (7, 9, 7):
        between = Between(column="at", low=last)
        expected = {Range(table="t", mentioned=MENTIONED, between=between)}
        assert noted(source, [(last,)], 1) == expected
    assert noted(source, [], 1) == ALL


@pytest.mark.parametrize("zoned", [True, False])
def test_an_interval_has_no_end_that_a_session_would_move(zoned: bool) -> None:
    """A database compares an instant without a zone and one with by the zone of its session."""
    given = datetime(2026, 1, 1, tzinfo=UTC if zoned else None)
    same, other = (limited(zoned=answer).between(at(given), None) for answer in (zoned, not zoned))
    assert same == Between(column="at", high=1_767_225_600_000_000)
    assert other is None


def limited(*, zoned: bool) -> Interval:
    """All that was before an instant."""
    upper = Bound(name="to", many=False, process=None)
    return Interval(
        column="at",
        lower=None,
        upper=upper,
        position=None,
        limit=None,
        descending=True,
        zoned=zoned,
    )


def at(value: datetime) -> Parameters:
    """The instant that was asked for."""
    return Parameters(values={"to": value}, expanded={})


def test_what_is_remembered_is_bounded() -> None:
    """Queries with ever new parameters don't fill the memory."""
    for number in range(plan.MOST_GROUPS + 10):
        assert noted(ONE, [], number) == ranges(str(number))
    assert len(plan._groups) <= plan.MOST_GROUPS


def test_rows_that_an_outer_join_did_not_find_have_no_key() -> None:
    """Of one column or of several."""
    one = Keyed(table="t", key=(("id", 1),), columns=MENTIONED)
    assert one.keys([("x", 1), ("y", None), ("z", 1)]) == {1}
    two = Keyed(table="t", key=(("a", 0), ("b", 2)), columns=MENTIONED)
    assert two.keys([(1, "x", 2), (1, "y", None)]) == {(1, 2)}
    assert two.dependency((1, 2)) == Row(table="t", key=(("a", "1"), ("b", "2")), columns=MENTIONED)


def test_a_row_whose_key_has_no_spelling_is_the_whole_table() -> None:
    """Nothing can be concluded from a floating-point number."""
    keyed = Keyed(table="t", key=(("id", 0),), columns=MENTIONED)
    assert set(keyed.dependencies([1.5, 2.5])) == {Table(table="t")}


def test_joined_records_hold_what_both_read() -> None:
    """Rows of the same statement as well; the first reason not to share stands."""
    keyed = Keyed(table="t", key=(("id", 0),), columns=MENTIONED)
    one, other = Record(marks=["1"]), Record(marks=["2"], spoilt="why")
    one.read_rows(keyed, [(1,)])
    other.read_rows(keyed, [(2,)])
    other.read([Table(table="u")])
    one.join(other)
    assert one.dependencies == {*keyed.dependencies([1, 2]), Table(table="u")}
    assert (one.marks, one.spoilt) == (["1", "2"], "why")
