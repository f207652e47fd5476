"""Entries of the index are found by exactly the changes that match their dependencies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.edge.changes.change import Change, Op
from app.edge.dependencies import Dependency, Interval, Part, Range, Row, Table, matches
from app.edge.dependencies.dependency import SemiJoin
from app.edge.pages.dependency_shape import (
    IndexEntry,
    JoinedRowState,
    SemiJoinShape,
    make_entry,
    sort_key,
)
from app.edge.pages.interval_tree import nodes_containing, to_tree_key

COLUMNS = ("id", "kind", "size", "at")
TEXTS = ("", "0", "1", "a")
KEYS = (-(1 << 60), -1, 0, 1, 5, 1 << 60)

values = st.sampled_from([None, *TEXTS, 0, 1, True, False, 1.5, 2.0, ["a"]])
sort_keys = st.sampled_from([None, *KEYS, "text"])
column_sets = st.frozensets(st.sampled_from(COLUMNS), max_size=3)
bounds = st.sampled_from([None, *KEYS])
intervals = st.builds(
    lambda low, high: Interval(column="at", low=low, high=high), bounds, bounds
).filter(lambda i: i.low is None or i.high is None or i.low <= i.high)
equalities = st.dictionaries(st.sampled_from(["kind", "size"]), st.sampled_from(TEXTS)).map(
    lambda pairs: tuple(pairs.items())
)
dependencies = st.one_of(
    st.just(Table(table="t")),
    st.builds(
        lambda key, columns: Row(table="t", key=(("id", key),), columns=columns),
        st.sampled_from(TEXTS),
        column_sets,
    ),
    st.builds(
        lambda equal, columns, interval: Range(
            table="t", equalities=equal, referenced_columns=columns, interval=interval
        ),
        equalities,
        column_sets,
        st.none() | intervals,
    ),
)


@st.composite
def images(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a row image; a column may be missing after the declaration was changed."""
    image = {name: draw(values) for name in ("id", "kind", "size")} | {"at": draw(sort_keys)}
    for name in draw(st.sets(st.sampled_from(["kind", "size", "at"]), max_size=1)):
        del image[name]
    return image


@st.composite
def logged_changes(draw: st.DrawFn) -> Change:
    """Draw a change of one row as a trigger logs it."""
    op = draw(st.sampled_from([Op.INSERT, Op.UPDATE, Op.DELETE]))
    return Change(
        table="t",
        op=op,
        old=None if op is Op.INSERT else draw(images()),
        new=None if op is Op.DELETE else draw(images()),
        changed_columns=draw(column_sets) if op is Op.UPDATE else frozenset(),
    )


class JoinedStates:
    """Joined rows for these tests, by the key of the row."""

    def __init__(self, states: dict[str, list[JoinedRowState]] | None = None) -> None:
        self.states = states or {}

    def states_for(self, _through: SemiJoinShape, key: str | None) -> Iterable[JoinedRowState]:
        """Return the states for this key."""
        return self.states.get(key, []) if key is not None else []


def is_found(entry: IndexEntry, change: Change, join: JoinedStates | None = None) -> bool:
    """Return whether resolving the change finds the stored entry or purges everything."""
    if not entry.shape.may_match(change):
        return False
    for lookup in entry.shape.lookups(change, join or JoinedStates()):
        if lookup is None:
            return True
        hashed, key = lookup
        if hashed == entry.hash and (key is None or _lies_in(entry, key)):
            return True
    return False


def _lies_in(entry: IndexEntry, key: int) -> bool:
    at = to_tree_key(key)
    return entry.node in set(nodes_containing(key)) and entry.low <= at <= entry.high


@settings(deadline=None, max_examples=400)
@given(dependencies, logged_changes())
def test_the_index_finds_a_dependency_if_the_change_matches(
    dependency: Dependency, change: Change
) -> None:
    """The index never misses a match; for comparable values of the tree it finds nothing else."""
    result, match = is_found(make_entry(dependency), change), matches(dependency, change)
    assert result or not match
    if _is_comparable(change):
        assert result is match


def _is_comparable(change: Change) -> bool:
    """Return whether each image has all columns, with values that have an encoding."""
    return all(
        {*COLUMNS} <= image.keys()
        and not any(isinstance(value, float | list) for value in image.values())
        and image["at"] not in {min(KEYS), max(KEYS)}
        for image in change.images
    )


UPDATE = Change(
    table="t",
    op=Op.UPDATE,
    old={"id": 1, "kind": "a", "at": 1},
    new={"id": 1, "kind": "b", "at": 9},
    changed_columns=frozenset({"kind", "at"}),
)
OF_B = Range(table="t", equalities=(("kind", "b"),), referenced_columns=frozenset({"kind"}))


def test_an_old_image_that_cant_be_compared_does_not_hide_the_new_one() -> None:
    """Each image of a change gives a lookup of its own."""
    change = replace(UPDATE, old={"id": 1})
    shape = make_entry(OF_B).shape
    assert [*shape.lookups(change, JoinedStates())] == [None, (make_entry(OF_B).hash, None)]


def test_the_order_of_comparisons_does_not_matter() -> None:
    """Two statements that compare the same values share one entry."""
    pairs = (("kind", "a"), ("size", "1"))
    first, second = (
        Range(table="t", equalities=order, referenced_columns=frozenset())
        for order in (pairs, pairs[::-1])
    )
    assert make_entry(first) == make_entry(second)


OTHERS = {
    "another column of the interval": {"interval": Interval(column="at", low=1)},
    "another table": {"table": "u"},
    "other columns": {"referenced_columns": frozenset({"size"})},
    "another compared column": {"equalities": (("size", "b"),)},
    "another value": {"equalities": (("kind", "a"),)},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_other_dependencies_have_other_hashes(other: dict[str, Any]) -> None:
    """Each part of a shape is part of its digest."""
    interval = Interval(column="until", low=1)
    one = make_entry(replace(OF_B, interval=interval))
    two = make_entry(replace(OF_B, **{"interval": interval} | other))
    assert one.hash != two.hash


JOINED = SemiJoin(
    table="link",
    joined_column="t_id",
    own_column="id",
    equalities=(("topic", "z"), ("place", "y")),
    interval=Interval(column="since", low=10, high=20),
)


def joined_range(interval: Interval | None = None) -> Range:
    """Return a range whose rows need a joined row."""
    columns = frozenset({"kind", "at"})
    return Range(table="t", referenced_columns=columns, semi_join=JOINED, interval=interval)


def state(sort: int | None, values: tuple[str | None, ...] = ("y", "z")) -> JoinedRowState:
    """Return a state of the joined row, its values in the order of the column names."""
    return JoinedRowState(values=values, sort=sort)


@pytest.mark.parametrize(
    ("sort", "outcome"), [(9, False), (10, True), (20, True), (21, False), (None, True)]
)
def test_an_interval_on_the_joined_row_is_compared_with_its_key(
    sort: int | None, *, outcome: bool
) -> None:
    """The sort key of the row itself does not matter then."""
    entry = make_entry(joined_range())
    assert is_found(entry, UPDATE, JoinedStates({"1": [state(sort)]})) is outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(1, 1, True), (9, 9, True), (2, 8, False), (10, 20, False)]
)
def test_an_interval_on_the_row_itself_is_compared_with_its_own_key(
    low: int, high: int, *, outcome: bool
) -> None:
    """Of two intervals the entry keeps the one on the row, for every key of the joined row."""
    entry = make_entry(joined_range(Interval(column="at", low=low, high=high)))
    for sort in (None, 1, 5, 15):
        assert is_found(entry, UPDATE, JoinedStates({"1": [state(sort)]})) is outcome


@pytest.mark.parametrize("values", [("z", "y"), ("y", None), ("", "")])
def test_a_joined_row_with_other_values_does_not_match(values: tuple[str | None, ...]) -> None:
    """The values of the joined row are compared column by column."""
    entry = make_entry(joined_range())
    assert not is_found(entry, UPDATE, JoinedStates({"1": [state(15, values)]}))
    assert not is_found(entry, UPDATE, JoinedStates({"2": [state(15)]}))


@pytest.mark.parametrize("image", [{"kind": "b"}, {"id": 1.5}, {"id": ["a"]}])
def test_a_row_whose_join_cant_be_computed_purges_everything(image: dict[str, Any]) -> None:
    """Without a comparable value of the joined column no joined row can be looked up."""
    change = Change(table="t", op=Op.INSERT, new=image)
    assert [*make_entry(joined_range()).shape.lookups(change, JoinedStates())] == [None]


def test_a_row_without_a_joined_key_has_no_joined_row() -> None:
    """NULL equals no value."""
    change = Change(table="t", op=Op.INSERT, new={"id": None})
    assert [*make_entry(joined_range()).shape.lookups(change, JoinedStates())] == []


@pytest.mark.parametrize(
    ("image", "column", "outcome"),
    [
        ({"at": 5}, "at", 5),
        ({"at": 0}, "at", 0),
        ({"at": None}, "at", None),
        ({"at": "5"}, "at", None),
        ({}, "at", None),
        ({"at": 5}, "", None),
    ],
)
def test_a_sort_key_is_a_number_or_matches_every_interval(
    image: dict[str, Any], column: str, outcome: int | None
) -> None:
    """A key that is missing, NULL or no number lies in every interval."""
    assert sort_key(image, column) == outcome


def test_a_stored_shape_is_read_as_it_was_written() -> None:
    """The shape of a joined row survives its list form, without and with a sort key."""
    entry = make_entry(joined_range())
    via = entry.shape.semi_join
    assert via is not None
    assert via.sort_column == "since"
    assert SemiJoinShape.from_list(via.to_list()) == via
    assert SemiJoinShape.from_list([]) is None


@pytest.mark.parametrize(("name", "digest"), [("a.html", "2"), ("b.html", "1")])
def test_a_part_is_found_by_its_name_and_digest(name: str, digest: str) -> None:
    """A release that replaced another content of a template does not match."""
    part = Part(kind="template", name="a.html", digest="1")

    def replaced(name: str, digest: str) -> Change:
        image = {"name": name, "digest": digest}
        return Change(table="part:template", op=Op.DELETE, old=image)

    assert is_found(make_entry(part), replaced("a.html", "1"))
    assert not is_found(make_entry(part), replaced(name, digest))


def test_a_far_instant_is_found_in_an_open_interval() -> None:
    """A post that is scheduled for the year 2100 enters the list of the newest posts."""
    newest = Range(
        table="t", referenced_columns=frozenset({"at"}), interval=Interval(column="at", low=1)
    )
    late = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    assert is_found(make_entry(newest), Change(table="t", op=Op.INSERT, new={"at": late}))
