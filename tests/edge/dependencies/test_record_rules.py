"""Render records: what is kept of several reads, reasons and clock uses, in either order."""

from __future__ import annotations

from typing import Any

import pytest

from app.edge.dependencies import Part, RenderRecord, Row, Table
from app.edge.dependencies.clock_values import ClockUse, Grain
from app.edge.dependencies.dependency_groups import DependencyGroup, KeyedTable

TITLE = frozenset({"title"})
KEYED = KeyedTable(table="t", key_positions=(("id", 0),), columns=TITLE)
PAIRED = KeyedTable(table="t", key_positions=(("a", 0), ("b", 1)), columns=TITLE)


def record_with(**fields: Any) -> RenderRecord:
    """Return a record with these fields."""
    return RenderRecord(**fields)


def use(grain: Grain) -> ClockUse:
    """Return a clock use of this precision."""
    return ClockUse(what=grain.name, grain=grain)


@pytest.mark.parametrize("first", Grain)
@pytest.mark.parametrize("second", Grain)
def test_the_finest_clock_use_is_kept(first: Grain, second: Grain) -> None:
    """In either order, and over two records that are merged."""
    record, other = record_with(), record_with()
    record.use_clock(use(first))
    other.use_clock(use(second))
    record.merge(other)
    assert record.clock == use(min(first, second))
    record.merge(record_with())
    assert record.clock == use(min(first, second))


def test_the_first_reason_stays() -> None:
    """A later reason, or a merged record without one, changes nothing."""
    record = record_with()
    record.merge(record_with(unshareable_reason="merged"))
    record.set_unshareable("later")
    record.merge(record_with())
    record.merge(record_with(unshareable_reason="last"))
    assert record.unshareable_reason == "merged"


def test_a_merge_keeps_all_reads_of_both_records() -> None:
    """Rows of one statement are joined; positions, groups and unseen reads are added."""
    record = record_with(
        single_dependencies={Table(table="a")}, row_keys={KEYED: {1}}, log_positions=["1"]
    )
    other = record_with(
        single_dependencies={Table(table="b")},
        groups={DependencyGroup((Table(table="c"),))},
        row_keys={KEYED: {2}, PAIRED: {(3, 4)}},
        log_positions=["2"],
        unattributed_read="read",
        unseen="unseen",
        raw_connections={1: "raw"},
    )
    record.merge(other)
    rows = {Row(table="t", key=(("id", key),), columns=TITLE) for key in "12"}
    pair = Row(table="t", key=(("a", "3"), ("b", "4")), columns=TITLE)
    tables = {Table(table=name) for name in "abc"}
    assert record.dependencies == {*rows, pair, *tables}
    assert record.log_positions == ["1", "2"]
    assert (record.unattributed_read, record.unseen) == ("read", "unseen")
    assert record.raw_connections == {1: "raw"}
    assert other.row_keys[KEYED] == {2}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, None),
        ({"unseen": "cursor"}, "cursor"),
        ({"raw_connections": {1: "raw"}}, "raw"),
        ({"unseen": "cursor", "raw_connections": {1: "raw"}}, "cursor"),
        ({"unseen": "cursor", "declared": True}, None),
        ({"raw_connections": {1: "raw"}, "declared": True}, None),
    ],
)
def test_an_unseen_read_counts_unless_its_tables_are_declared(
    fields: dict[str, Any], outcome: str | None
) -> None:
    """A cursor and a raw connection alike."""
    assert record_with(**fields).read_how == outcome


PART = Part(kind="template", name="a", digest="1")


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({}, True),
        ({"single_dependencies": {PART}}, True),
        ({"single_dependencies": {PART, Table(table="t")}}, False),
        ({"row_keys": {KEYED: {1}}}, False),
        ({"groups": {DependencyGroup(())}}, False),
    ],
)
def test_a_record_of_parts_alone_reads_no_table(fields: dict[str, Any], *, outcome: bool) -> None:
    """A query without any row has read its table."""
    assert record_with(**fields).reads_no_table is outcome


def test_keys_of_several_statements_are_added() -> None:
    """A second execution keeps the rows of the first."""
    record = record_with()
    record.add_rows(KEYED, [(1,), (None,)])
    record.add_rows(KEYED, [(2,)])
    assert record.row_keys == {KEYED: {1, 2}}


KEYS: dict[str, tuple[KeyedTable, list[Any], set[Any]]] = {
    "zero": (KEYED, [(0,)], {Row(table="t", key=(("id", "0"),), columns=TITLE)}),
    "an empty text": (KEYED, [("",)], {Row(table="t", key=(("id", ""),), columns=TITLE)}),
    "NULL": (KEYED, [(None,)], set()),
    "half NULL": (PAIRED, [(None, 1), (1, None)], set()),
    "a float": (KEYED, [(1.5,)], {Table(table="t")}),
    "half a float": (PAIRED, [(1, 1.5)], {Table(table="t")}),
    "a list": (KEYED, [([1],)], {Table(table="t")}),
    "half a list": (PAIRED, [(1, [1])], {Table(table="t")}),
}


@pytest.mark.parametrize(("keyed", "rows", "outcome"), KEYS.values(), ids=KEYS)
def test_a_row_has_a_key_of_encodable_values(
    keyed: KeyedTable, rows: list[Any], outcome: set[Any]
) -> None:
    """NULL is no row of the table; any other value without an encoding is the whole table."""
    record = record_with()
    record.add_rows(keyed, rows)
    assert record.dependencies == outcome


COVERED = {
    "more columns": ("t", {"title", "slug"}, True),
    "the same columns": ("t", {"title"}, False),
    "other columns": ("t", {"slug"}, False),
    "another table": ("u", {"title", "slug"}, False),
}


@pytest.mark.parametrize(("table", "columns", "outcome"), COVERED.values(), ids=COVERED)
def test_rows_are_covered_by_more_columns_of_the_same_table(
    table: str, columns: set[str], *, outcome: bool
) -> None:
    """Two statements with equal columns do not cover each other, or both would be left out."""
    other = KeyedTable(table=table, key_positions=(("id", 0),), columns=frozenset(columns))
    assert KEYED.is_covered_by(other) is outcome
