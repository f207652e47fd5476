"""The trigger DDL for SQLite. It uses only built-in functions, which every client has.

SQLite fires no delete trigger for a row that REPLACE removes. So a BEFORE trigger logs each row
that an INSERT or UPDATE will collide with. An upsert logs such a row needlessly, which is harmless.
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
"""SQL for the current time in microseconds since 1970, with millisecond precision."""

TEST_TABLE = "edge_canary"
"""A temporary table with the types and collations of a watched table, without constraints."""

TEST_ROW_COLUMN = "edge_number"
"""An additional column of the test table."""

INSTALLED = f"""
    SELECT name FROM sqlite_master
    WHERE type = 'trigger' AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'
    AND sql LIKE '%INSERT INTO {CHANGE}(%'
"""
"""The query for all installed triggers, including those of tables no longer watched."""


def create_statements(schema: TableSchema) -> Iterator[str]:
    """Return the statements that create the triggers of one table."""
    table = schema.watched_table.table
    yield _after_insert(schema)
    yield _trigger(
        table, "delete", "AFTER DELETE", _insert_log_sql(table, "D", old=_image_sql(schema, "OLD"))
    )
    yield _trigger(
        table,
        "update",
        "AFTER UPDATE",
        _insert_log_sql(
            table,
            "U",
            old=_image_sql(schema, "OLD"),
            new=_image_sql(schema, "NEW"),
            changed_columns=_changed_names(schema),
        ),
        when=" OR ".join(_differs_sql(name) for name in schema.logged_columns),
    )
    replaced = "".join(
        _replaced_rows_sql(schema, members, but="") for members in schema.unique_indexes
    )
    yield _trigger(table, "before_insert", "BEFORE INSERT", replaced)
    same_row = " AND ".join(
        f"{quote_identifier(name)} COLLATE BINARY IS OLD.{quote_identifier(name)}"
        for name in schema.primary_key
    )
    replaced = "".join(
        _replaced_rows_sql(schema, members, but=f" AND NOT ({same_row})")
        for members in schema.unique_indexes
    )
    yield _trigger(table, "before_update", "BEFORE UPDATE", replaced)


def create_test_table(connection: Connection, schema: TableSchema, columns: Sequence[str]) -> None:
    """Create a temporary copy of a watched table, and log its inserts to a temporary log.

    Both tables are temporary, so the test locks no table that another connection uses.
    """
    run = connection.exec_driver_sql
    column_definitions = ", ".join(
        _column_definitions(connection, schema.watched_table.table, columns)
    )
    run(f"CREATE TEMP TABLE {TEST_TABLE} ({TEST_ROW_COLUMN}, {column_definitions})")
    run(
        f"CREATE TEMP TABLE IF NOT EXISTS {CHANGE} "
        "(id INTEGER PRIMARY KEY, xid, of_table, op, old, new, changed, written_at)"
    )
    run(
        _after_insert(
            replace(schema, watched_table=replace(schema.watched_table, table=TEST_TABLE))
        )
    )


def _column_definitions(connection: Connection, table: str, columns: Sequence[str]) -> list[str]:
    """Return the columns with types and collations, in the syntax of CREATE TABLE.

    SQLite reports the collation only of an indexed column, so an index is created on a temporary
    copy of the table. The copy is removed by a rollback, because DROP TABLE would first delete its
    rows and apply foreign keys that refer to tables outside the temporary schema.
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


def _after_insert(schema: TableSchema) -> str:
    table = schema.watched_table.table
    return _trigger(
        table, "insert", "AFTER INSERT", _insert_log_sql(table, "I", new=_image_sql(schema, "NEW"))
    )


def drop_statements(trigger: str) -> str:
    """Return the statement that drops a trigger."""
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


def _replaced_rows_sql(schema: TableSchema, members: tuple[IndexedColumn, ...], *, but: str) -> str:
    same = " AND ".join(map(_collision_sql, members))
    return (
        f"INSERT INTO {CHANGE}(of_table, op, old, written_at) "
        f"SELECT {quote_literal(schema.watched_table.table)}, 'D', {_image_sql(schema, '')}, "
        f"{NOW_SQL} FROM {quote_identifier(schema.watched_table.table)} WHERE {same}{but};"
    )


def _collision_sql(member: IndexedColumn) -> str:
    """Return the comparison of the index, whose collation may differ from the column's."""
    collation = f" COLLATE {quote_identifier(member.collation)}" if member.collation else ""
    return f"{quote_identifier(member.name)}{collation} = NEW.{quote_identifier(member.name)}"


def _image_sql(schema: TableSchema, row: str) -> str:
    dot = f"{row}." if row else ""
    pairs = [
        f"{quote_literal(name)}, {_json_safe_sql(dot + quote_identifier(name))}"
        for name in schema.image_columns
    ]
    pairs += [
        f"{quote_literal(name)}, {microseconds_sql(dot + quote_identifier(name))}"
        for name in schema.watched_table.instant_columns
    ]
    return f"json_object({', '.join(pairs)})"


def _json_safe_sql(value: str) -> str:
    """Return SQL that turns a BLOB into text: JSON can't hold it, and the write would fail."""
    return f"CASE typeof({value}) WHEN 'blob' THEN 'x' || hex({value}) ELSE {value} END"


def microseconds_sql(value: str) -> str:
    """Return SQL for an instant's text in microseconds since 1970; NULL for any other text."""
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
    """Return SQL that compares bytes and types: NOCASE equates 'Foo' and 'foo', and 1 = 1.0."""
    old, new = f"OLD.{quote_identifier(name)}", f"NEW.{quote_identifier(name)}"
    return f"({old} COLLATE BINARY IS NOT {new} OR typeof({old}) <> typeof({new}))"


def _changed_names(schema: TableSchema) -> str:
    rows = " UNION ALL ".join(
        f"SELECT {quote_literal(name)} AS name WHERE {_differs_sql(name)}"
        for name in schema.columns
    )
    return f"(SELECT json_group_array(name) FROM ({rows}))"


def quote_identifier(name: str) -> str:
    """Return a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(value: str) -> str:
    """Return a text literal."""
    return "'" + value.replace("'", "''") + "'"
