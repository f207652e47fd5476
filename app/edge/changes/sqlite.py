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
from .watched import Member, Shape

PREFIX = "edge_"
NOW = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
"""The instant of writing in microseconds since 1970, to the millisecond."""

TWIN = "edge_canary"
"""A temporary table whose columns compare as those of a watched one, without its constraints."""

NUMBER = "edge_number"
"""A column that the twin has besides."""

INSTALLED = f"""
    SELECT name FROM sqlite_master
    WHERE type = 'trigger' AND substr(name, 1, {len(PREFIX)}) = '{PREFIX}'
    AND sql LIKE '%INSERT INTO {CHANGE}(%'
"""
"""The query for the triggers that are there, also those of a table that is watched no more."""


def create(shape: Shape) -> Iterator[str]:
    """The statements that make the triggers of one table."""
    table = shape.watched.table
    yield _after_insert(shape)
    yield _trigger(table, "delete", "AFTER DELETE", _log(table, "D", old=_image(shape, "OLD")))
    yield _trigger(
        table,
        "update",
        "AFTER UPDATE",
        _log(
            table,
            "U",
            old=_image(shape, "OLD"),
            new=_image(shape, "NEW"),
            changed=_changed_names(shape),
        ),
        when=" OR ".join(_differs(name) for name in shape.heard),
    )
    replaced = "".join(_replaced(shape, members, but="") for members in shape.unique)
    yield _trigger(table, "before_insert", "BEFORE INSERT", replaced)
    same_row = " AND ".join(
        f"{quote(name)} COLLATE BINARY IS OLD.{quote(name)}" for name in shape.key
    )
    replaced = "".join(
        _replaced(shape, members, but=f" AND NOT ({same_row})") for members in shape.unique
    )
    yield _trigger(table, "before_update", "BEFORE UPDATE", replaced)


def twin(connection: Connection, shape: Shape, columns: Sequence[str]) -> None:
    """Make the twin of a watched table, and log its inserts to a log of its own.

    All of it is temporary, so nobody else waits for it. Only an index tells a collation.
    """
    run = connection.exec_driver_sql
    described = ", ".join(_described(connection, shape.watched.table, columns))
    run(f"CREATE TEMP TABLE {TWIN} ({NUMBER}, {described})")
    run(
        f"CREATE TEMP TABLE IF NOT EXISTS {CHANGE} "
        "(id INTEGER PRIMARY KEY, xid, of_table, op, old, new, changed, written_at)"
    )
    run(_after_insert(replace(shape, watched=replace(shape.watched, table=TWIN))))


def _described(connection: Connection, table: str, columns: Sequence[str]) -> list[str]:
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
        named = ", ".join(map(quote, columns))
        run(f"CREATE INDEX temp.edge_collations ON {quote(table)} ({named})")
        rows = run(f"SELECT name, type FROM pragma_table_xinfo({literal(table)}, 'temp')")
        types = {row.name: row.type for row in rows}
        collations = run(
            "SELECT name, coll FROM pragma_index_xinfo('edge_collations', 'temp') WHERE key"
        ).all()
    finally:
        copy.rollback()
    return [f"{quote(name)} {types[name]} COLLATE {quote(coll)}" for name, coll in collations]


def _after_insert(shape: Shape) -> str:
    table = shape.watched.table
    return _trigger(table, "insert", "AFTER INSERT", _log(table, "I", new=_image(shape, "NEW")))


def drop(trigger: str) -> str:
    """The statement that takes a trigger away."""
    return f"DROP TRIGGER IF EXISTS {quote(trigger)}"


def _trigger(table: str, moment: str, event: str, body: str, when: str = "") -> str:
    condition = f" WHEN {when}" if when else ""
    name = quote(f"{PREFIX}{table}_{moment}")
    return f"CREATE TRIGGER {name} {event} ON {quote(table)}{condition} BEGIN {body} END"


def _log(
    table: str, op: str, *, old: str = "NULL", new: str = "NULL", changed: str = "NULL"
) -> str:
    return (
        f"INSERT INTO {CHANGE}(of_table, op, old, new, changed, written_at) "
        f"VALUES ({literal(table)}, '{op}', {old}, {new}, {changed}, {NOW});"
    )


def _replaced(shape: Shape, members: tuple[Member, ...], *, but: str) -> str:
    same = " AND ".join(map(_collides, members))
    return (
        f"INSERT INTO {CHANGE}(of_table, op, old, written_at) "
        f"SELECT {literal(shape.watched.table)}, 'D', {_image(shape, '')}, {NOW} "
        f"FROM {quote(shape.watched.table)} WHERE {same}{but};"
    )


def _collides(member: Member) -> str:
    """As the index compares, which may have another collation than its column."""
    collation = f" COLLATE {quote(member.collation)}" if member.collation else ""
    return f"{quote(member.name)}{collation} = NEW.{quote(member.name)}"


def _image(shape: Shape, row: str) -> str:
    dot = f"{row}." if row else ""
    pairs = [f"{literal(name)}, {_plain(dot + quote(name))}" for name in shape.imaged]
    pairs += [
        f"{literal(name)}, {microseconds(dot + quote(name))}" for name in shape.watched.instants
    ]
    return f"json_object({', '.join(pairs)})"


def _plain(value: str) -> str:
    """JSON can't hold a BLOB, and raising would fail the writer's statement."""
    return f"CASE typeof({value}) WHEN 'blob' THEN 'x' || hex({value}) ELSE {value} END"


def microseconds(value: str) -> str:
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


def _differs(name: str) -> str:
    """Byte for byte: a column's own collation may call 'Foo' and 'foo' equal, and 1 is 1.0."""
    old, new = f"OLD.{quote(name)}", f"NEW.{quote(name)}"
    return f"({old} COLLATE BINARY IS NOT {new} OR typeof({old}) <> typeof({new}))"


def _changed_names(shape: Shape) -> str:
    rows = " UNION ALL ".join(
        f"SELECT {literal(name)} AS name WHERE {_differs(name)}" for name in shape.columns
    )
    return f"(SELECT json_group_array(name) FROM ({rows}))"


def quote(name: str) -> str:
    """An identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text constant."""
    return "'" + value.replace("'", "''") + "'"
