"""The triggers in SQLite's words: built-in functions only, so that any shell that writes has them.

SQLite fires no delete trigger for a row that REPLACE pushes out, so each row that an INSERT or
UPDATE is about to collide with is logged before. An upsert logs such a row needlessly: harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import CHANGE
from .watched_table import IndexedColumn, TableSchema

PREFIX = "edge_"
NOW_SQL = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
"""The instant of writing in microseconds since 1970, to the millisecond."""

TEST_TABLE = "edge_canary"
"""A temporary table whose columns compare as those of a watched one, without its constraints."""

TEST_ROW_COLUMN = "edge_number"
"""A column that the twin has besides."""

INSTALLED = f"""
    SELECT name FROM sqlite_master
    WHERE type = 'trigger' AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'
    AND sql LIKE '%INSERT INTO {CHANGE}(%'
"""
"""The query for the triggers that are there, also those of a table that is watched no more."""


def create_statements(shape: TableSchema) -> Iterator[str]:
    """The statements that make the triggers of one table."""
    table = shape.watched_table.table
    yield _after_insert(shape)
    yield _trigger(
        table, "delete", "AFTER DELETE", _insert_log_sql(table, "D", old=_image_sql(shape, "OLD"))
    )
    yield _trigger(
        table,
        "update",
        "AFTER UPDATE",
        _insert_log_sql(
            table,
            "U",
            old=_image_sql(shape, "OLD"),
            new=_image_sql(shape, "NEW"),
            changed_columns=_changed_names(shape),
        ),
        when=" OR ".join(_differs_sql(name) for name in shape.logged_columns),
    )
    replaced = "".join(
        _replaced_rows_sql(shape, members, but="") for members in shape.unique_indexes
    )
    yield _trigger(table, "before_insert", "BEFORE INSERT", replaced)
    same_row = " AND ".join(
        f"{quote_identifier(name)} COLLATE BINARY IS OLD.{quote_identifier(name)}"
        for name in shape.primary_key
    )
    replaced = "".join(
        _replaced_rows_sql(shape, members, but=f" AND NOT ({same_row})")
        for members in shape.unique_indexes
    )
    yield _trigger(table, "before_update", "BEFORE UPDATE", replaced)


def create_test_table(connection: Connection, shape: TableSchema, columns: Sequence[str]) -> None:
    """Make the twin of a watched table, and log its inserts to a log of its own.

    All of it is temporary, so nobody else waits for it. Only an index tells a collation.
    """
    run = connection.exec_driver_sql
    column_definitions = ", ".join(
        _column_definitions(connection, shape.watched_table.table, columns)
    )
    run(f"CREATE TEMP TABLE {TEST_TABLE} ({TEST_ROW_COLUMN}, {column_definitions})")
    run(
        f"CREATE TEMP TABLE IF NOT EXISTS {CHANGE} "
        "(id INTEGER PRIMARY KEY, xid, of_table, op, old, new, changed, written_at)"
    )
    run(_after_insert(replace(shape, watched_table=replace(shape.watched_table, table=TEST_TABLE))))


def _column_definitions(connection: Connection, table: str, columns: Sequence[str]) -> list[str]:
    """Columns with their types and collations, as CREATE TABLE takes them.

    Only an index of a copy tells a collation. A rollback takes the copy away: DROP TABLE would
    first delete the rows of it, by foreign keys that refer to tables that are not temporary.
    """
    run = connection.exec_driver_sql
    master = sa.text("SELECT sql FROM main.sqlite_master WHERE type = 'table' AND name = :t")
    statement = str(connection.scalar(master, {"t": table}))
    copy = connection.begin_nested()
    try:
        run(statement.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
        column_list = ", ".join(map(quote_identifier, columns))
        run(f"CREATE INDEX temp.edge_collations ON {quote_identifier(table)} ({column_list})")
        rows = run(f"SELECT name, type FROM pragma_table_xinfo({quote_literal(table)}, 'temp')")
        types = {row.name: row.type for row in rows}
        collations = run(
            "SELECT name, coll FROM pragma_index_xinfo('edge_collations', 'temp') WHERE key"
        ).all()
    finally:
        copy.rollback()
    return [
        f"{quote_identifier(name)} {types[name]} COLLATE {quote_identifier(coll)}"
        for name, coll in collations
    ]


def _after_insert(shape: TableSchema) -> str:
    table = shape.watched_table.table
    return _trigger(
        table, "insert", "AFTER INSERT", _insert_log_sql(table, "I", new=_image_sql(shape, "NEW"))
    )


def drop_statements(trigger: str) -> str:
    """The statement that takes a trigger away."""
    return f"DROP TRIGGER IF EXISTS {quote_identifier(trigger)}"


def _trigger(table: str, moment: str, event: str, body: str, when: str = "") -> str:
    condition = f" WHEN {when}" if when else ""
    name = quote_identifier(f"{PREFIX}{table}_{moment}")
    return f"CREATE TRIGGER {name} {event} ON {quote_identifier(table)}{condition} BEGIN {body} END"


def _insert_log_sql(
    table: str, op: str, *, old: str = "NULL", new: str = "NULL", changed_columns: str = "NULL"
) -> str:
    return (
        f"INSERT INTO {CHANGE}(of_table, op, old, new, changed, written_at) "
        f"VALUES ({quote_literal(table)}, '{op}', {old}, {new}, {changed_columns}, {NOW_SQL});"
    )


def _replaced_rows_sql(shape: TableSchema, members: tuple[IndexedColumn, ...], *, but: str) -> str:
    same = " AND ".join(map(_collision_sql, members))
    return (
        f"INSERT INTO {CHANGE}(of_table, op, old, written_at) "
        f"SELECT {quote_literal(shape.watched_table.table)}, 'D', {_image_sql(shape, '')}, "
        f"{NOW_SQL} FROM {quote_identifier(shape.watched_table.table)} WHERE {same}{but};"
    )


def _collision_sql(member: IndexedColumn) -> str:
    """As the index compares, which may have another collation than its column."""
    collation = f" COLLATE {quote_identifier(member.collation)}" if member.collation else ""
    return f"{quote_identifier(member.name)}{collation} = NEW.{quote_identifier(member.name)}"


def _image_sql(shape: TableSchema, row: str) -> str:
    dot = f"{row}." if row else ""
    pairs = [
        f"{quote_literal(name)}, {_json_safe_sql(dot + quote_identifier(name))}"
        for name in shape.image_columns
    ]
    pairs += [
        f"{quote_literal(name)}, {microseconds_sql(dot + quote_identifier(name))}"
        for name in shape.watched_table.instant_columns
    ]
    return f"json_object({', '.join(pairs)})"


def _json_safe_sql(value: str) -> str:
    """JSON can't hold a BLOB, and raising would fail the writer's statement."""
    return f"CASE typeof({value}) WHEN 'blob' THEN 'x' || hex({value}) ELSE {value} END"


def microseconds_sql(value: str) -> str:
    """An instant's text as whole microseconds since 1970, NULL where it is no instant."""
    fraction = f"substr(substr({value}, 21) || '000000', 1, 6)"
    return (
        f"CASE WHEN {value} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
        f" [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*' "
        f"AND (length({value}) = 19 "
        f"OR (substr({value}, 20, 1) = '.' AND {fraction} NOT GLOB '*[^0-9]*')) "
        f"THEN CAST(strftime('%s', substr({value}, 1, 19)) AS INTEGER) * 1000000 "
        f"+ CASE WHEN length({value}) > 20 THEN CAST({fraction} AS INTEGER) ELSE 0 END END"
    )


def _differs_sql(name: str) -> str:
    """Byte for byte: a column's own collation may call 'Foo' and 'foo' equal, and 1 is 1.0."""
    old, new = f"OLD.{quote_identifier(name)}", f"NEW.{quote_identifier(name)}"
    return f"({old} COLLATE BINARY IS NOT {new} OR typeof({old}) <> typeof({new}))"


def _changed_names(shape: TableSchema) -> str:
    rows = " UNION ALL ".join(
        f"SELECT {quote_literal(name)} AS name WHERE {_differs_sql(name)}" for name in shape.columns
    )
    return f"(SELECT json_group_array(name) FROM ({rows}))"


def quote_identifier(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """A text constant."""
    return "'" + value.replace("'", "''") + "'"
