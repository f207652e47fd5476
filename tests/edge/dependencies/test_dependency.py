"""Which changes match a dependency: values, bounds, operations and changed columns."""

from __future__ import annotations

from typing import Any

import pytest

from app.edge.changes.change import EVERYTHING_CHANGED, Change, Op
from app.edge.dependencies import Dependency, Interval, Part, Range, Row, Table, matches

ROW = Row(table="t", key=(("a", "1"), ("b", "x")), columns=frozenset({"title"}))
RANGE = Range(
    table="t",
    equalities=(("kind", "k"), ("size", "2")),
    referenced_columns=frozenset({"kind"}),
    interval=Interval(column="at", low=10, high=20),
)
PART = Part(kind="template", name="n", digest="1")
IN_ROW = {"a": 1, "b": "x"}
IN_RANGE = {"kind": "k", "size": 2, "at": 15}


def update(old: dict[str, Any], new: dict[str, Any], *columns: str) -> Change:
    """Return an update of these columns."""
    columns_changed = frozenset(columns)
    return Change(table="t", op=Op.UPDATE, old=old, new=new, changed_columns=columns_changed)


def insert(image: dict[str, Any]) -> Change:
    """Return an insert."""
    return Change(table="t", op=Op.INSERT, new=image)


OTHER = {"a": 2, "b": "x"}
CASES: list[tuple[str, Dependency, Change, bool]] = [
    ("the read column of the row", ROW, update(IN_ROW, IN_ROW, "title"), True),
    ("another column of the row", ROW, update(IN_ROW, IN_ROW, "body"), False),
    ("the old key", ROW, update(IN_ROW, OTHER, "title"), True),
    ("the new key", ROW, update(OTHER, IN_ROW, "title"), True),
    ("half of the key", ROW, insert(OTHER), False),
    ("an insert of the key", ROW, insert(IN_ROW), True),
    ("a key without an encoding", ROW, insert({"a": 1.5, "b": "x"}), True),
    ("a deletion", ROW, Change(table="t", op=Op.DELETE, old=IN_ROW), True),
    ("another table", ROW, Change(table="u", op=Op.INSERT, new=IN_ROW), False),
    ("a truncated table", ROW, Change(table="t", op=Op.TRUNCATE), True),
    ("another truncated table", ROW, Change(table="u", op=Op.TRUNCATE), False),
    ("everything", ROW, EVERYTHING_CHANGED, True),
    ("inside the range", RANGE, insert(IN_RANGE), True),
    ("one other value", RANGE, insert(IN_RANGE | {"size": 3}), False),
    ("a value that is NULL", RANGE, insert(IN_RANGE | {"size": None}), False),
    ("a missing value", RANGE, insert({"kind": "k", "at": 15}), True),
    ("a value without an encoding", RANGE, insert(IN_RANGE | {"size": 2.0}), True),
    ("at the lower bound", RANGE, insert(IN_RANGE | {"at": 10}), True),
    ("below it", RANGE, insert(IN_RANGE | {"at": 9}), False),
    ("at the upper bound", RANGE, insert(IN_RANGE | {"at": 20}), True),
    ("above it", RANGE, insert(IN_RANGE | {"at": 21}), False),
    ("without a sort key", RANGE, insert(IN_RANGE | {"at": None}), True),
    ("leaves the range", RANGE, update(IN_RANGE, {"kind": "z"}, "kind"), True),
    ("enters the range", RANGE, update({"kind": "z"}, IN_RANGE, "kind"), True),
    ("an unreferenced column", RANGE, update(IN_RANGE, IN_RANGE, "title"), False),
    ("no changed column", RANGE, update(IN_RANGE, IN_RANGE), False),
    ("a whole table", Table(table="t"), update({}, {}, "x"), True),
    ("a whole other table", Table(table="u"), insert(IN_ROW), False),
    ("a truncated range", RANGE, Change(table="t", op=Op.TRUNCATE), True),
    ("everything for a part", PART, EVERYTHING_CHANGED, True),
    *(
        (f"a part {words}", PART, Change(table=table, op=Op.DELETE, old=old), outcome)
        for words, table, old, outcome in (
            ("that is replaced", "part:template", {"name": "n", "digest": "1"}, True),
            ("of another digest", "part:template", {"name": "n", "digest": "2"}, False),
            ("of another name", "part:template", {"name": "m", "digest": "1"}, False),
            ("of another kind", "part:static", {"name": "n", "digest": "1"}, False),
            ("without an image", "part:template", None, False),
        )
    ),
]


@pytest.mark.parametrize(
    ("dependency", "change", "outcome"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_a_change_matches_by_its_images_and_columns(
    dependency: Dependency, change: Change, *, outcome: bool
) -> None:
    """A change matches if it may alter what was read, and only then."""
    assert matches(dependency, change) is outcome


@pytest.mark.parametrize(
    ("low", "high", "inside"),
    [
        (None, None, (-1, 0, 5, 9)),
        (5, None, (5, 9)),
        (None, 5, (-1, 0, 5)),
        (5, 5, (5,)),
        (0, 0, (0,)),
        (0, None, (0, 5, 9)),
        (None, 0, (-1, 0)),
    ],
)
def test_an_interval_is_closed(low: int | None, high: int | None, inside: tuple[int, ...]) -> None:
    """Zero is a bound like any other; None is no bound."""
    interval = Interval(column="at", low=low, high=high)
    assert tuple(key for key in (-1, 0, 5, 9) if interval.contains({"at": key})) == inside
    assert interval.contains({})
    assert interval.contains({"at": None})
