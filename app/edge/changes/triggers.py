"""Install and remove the triggers, and find drift: missing or altered triggers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import postgresql_triggers, sqlite_triggers
from .change import EVERYTHING_CHANGED
from .declaration import NotWatchableError, check_columns, check_tables
from .encoding_self_test import find_encoding_mismatch
from .log import append_change
from .metadata import get_meta, set_meta
from .nearest_name import suggest_name
from .tables import CHANGE, LOG_COLUMNS, META
from .watched_table import IndexedColumn, TableSchema, WatchedTable

_TRIGGER_DIGEST_KEY = "triggers"


def install_triggers(connection: Connection, watched: Sequence[WatchedTable]) -> None:
    """Drop and create the triggers of every watched table, in the caller's transaction.

    Earlier writes were not logged, so "everything changed" is logged. If a table is missing,
    nothing is installed, and `find_drift` returns the reason.

    Raises:
        NotWatchableError: a table can't be watched as declared; no trigger was changed.
    """
    check_tables(watched)
    if _missing(connection, watched):
        return
    schemas = [read_table_schema(connection, table) for table in watched]
    remove_triggers(connection)
    for each in schemas:
        for statement in _trigger_module(connection).create_statements(each):
            connection.exec_driver_sql(_escape_percent(connection, statement))
    log_everything_changed(connection)
    set_meta(connection, _TRIGGER_DIGEST_KEY, trigger_digest(connection, watched))


def install_and_test(connection: Connection, watched: Sequence[WatchedTable]) -> None:
    """Install the triggers and test them; restore the former triggers if the test fails.

    Raises:
        NotWatchableError: the test found a problem, which the message describes.
    """
    with connection.begin_nested():
        install_triggers(connection, watched)
        if (reason := find_drift(connection, watched)) is not None:
            raise NotWatchableError(reason)


def remove_triggers(connection: Connection, _watched: Iterable[WatchedTable] = ()) -> None:
    """Drop all triggers; a migration does this before it changes the columns of a table."""
    trigger_module = _trigger_module(connection)
    for name in connection.scalars(sa.text(trigger_module.INSTALLED)).all():
        statement = trigger_module.drop_statements(name)
        connection.exec_driver_sql(_escape_percent(connection, statement))


def log_everything_changed(connection: Connection) -> None:
    """Log that anything may have changed."""
    append_change(connection, EVERYTHING_CHANGED)


def find_drift(connection: Connection, watched: Sequence[WatchedTable]) -> str | None:
    """Return why the triggers can't be relied on, or None if they are as installed."""
    if not watched:
        return (
            "no table is watched, so no page could be purged: pass a WatchedTable for each table "
            'that pages show to edge.track(…), for example WatchedTable(table="post")'
        )
    if missing := _missing(connection, watched):
        return _describe_missing(connection, missing)
    stored_digest = get_meta(connection, _TRIGGER_DIGEST_KEY)
    if stored_digest is None:
        return "the triggers were never installed: run `flask edge triggers install`"
    try:
        check_tables(watched)
        digest = trigger_digest(connection, watched)
    except NotWatchableError as error:
        return str(error)
    if stored_digest != digest:
        return "a watched table or its triggers were altered: run `flask edge triggers install`"
    return _find_encoding_mismatch(connection, watched, digest)


_tested_digests: set[str] = set()
"""The trigger digests for which the encoding self-test of this process has passed."""


def _find_encoding_mismatch(
    connection: Connection, watched: Sequence[WatchedTable], digest: str
) -> str | None:
    if digest in _tested_digests:
        return None
    reason = find_encoding_mismatch(
        connection, [read_table_schema(connection, table) for table in watched]
    )
    if reason is None:
        _tested_digests.add(digest)
    return reason


def read_table_schema(connection: Connection, watched: WatchedTable) -> TableSchema:
    """Read the primary key, columns and unique indexes of a watched table from the database."""
    if connection.dialect.name == "postgresql" and (
        odd := _unsupported_reason(connection, watched.table)
    ):
        raise NotWatchableError(f"{watched.table} {odd}: not watchable")
    types = _types(connection, watched.table)
    key = tuple(sa.inspect(connection).get_pk_constraint(watched.table)["constrained_columns"])
    if not key:
        raise NotWatchableError(f"{watched.table} has no primary key, so its rows can't be watched")
    check_columns(watched, types, key)
    sqlite_only = connection.dialect.name == "sqlite"
    unique = (_sqlite_unique_indexes if sqlite_only else _postgresql_unique_indexes)(
        connection, watched.table
    )
    for member in (member for members in unique for member in members):
        _check_member(watched.table, member)
    if key not in [tuple(member.name for member in members) for members in unique]:
        unique.insert(0, tuple(IndexedColumn(name) for name in key))
    return TableSchema(
        watched_table=watched,
        primary_key=key,
        columns=tuple(types),
        unique_indexes=tuple(dict.fromkeys(unique)),
        types=tuple(types.values()),
    )


def _types(connection: Connection, table: str) -> dict[str, str]:
    """Return the columns of a table and their types from the database's catalogue."""
    if connection.dialect.name == "sqlite":
        query = sa.text("SELECT name, type FROM pragma_table_xinfo(:t) WHERE hidden <> 1")
        rows = connection.execute(query, {"t": table})
    else:
        rows = connection.execute(
            sa.text(postgresql_triggers.COLUMNS), {"t": sqlite_triggers.quote_identifier(table)}
        )
    return {row[0]: row[1] for row in rows}


def _check_member(table: str, member: IndexedColumn) -> None:
    if not member.name:
        raise NotWatchableError(f"{table} has a unique index on an expression: not watchable")
    if member.collation not in _BUILT_IN_COLLATIONS:
        raise NotWatchableError(
            f"{table} has a unique index with the collation {member.collation}, "
            "which not every client of the database has: not watchable",
        )


def _unsupported_reason(connection: Connection, table: str) -> str | None:
    """Return why a PostgreSQL table may show rows without triggers or hide rows; else None."""
    query = sa.text(
        "SELECT relkind, relispartition, relrowsecurity, EXISTS "
        "(SELECT FROM pg_inherits WHERE pg_class.oid IN (inhparent, inhrelid)) AS related "
        "FROM pg_class WHERE oid = CAST(:t AS regclass)",
    )
    pg_class = connection.execute(query, {"t": sqlite_triggers.quote_identifier(table)}).one()
    if pg_class.relkind != "r" or pg_class.relispartition or pg_class.related:
        return "is no ordinary table: it has or is a partition or a child table (INHERITS)"
    return (
        "has row-level security, so readers see different rows" if pg_class.relrowsecurity else None
    )


_BUILT_IN_COLLATIONS = {"", "BINARY", "NOCASE", "RTRIM"}
"""The collations that every client of SQLite has."""


def _sqlite_unique_indexes(connection: Connection, table: str) -> list[tuple[IndexedColumn, ...]]:
    """Return the columns of each unique index. SQLAlchemy omits expressions and collations."""
    listed = sa.text('SELECT name FROM pragma_index_list(:t) WHERE "unique" ORDER BY name')
    columns = sa.text("SELECT name, coll FROM pragma_index_xinfo(:i) WHERE key ORDER BY seqno")
    return [
        tuple(
            IndexedColumn(name or "", coll)
            for name, coll in connection.execute(columns, {"i": index})
        )
        for index in connection.scalars(listed, {"t": table}).all()
    ]


def _postgresql_unique_indexes(
    connection: Connection, table: str
) -> list[tuple[IndexedColumn, ...]]:
    """Return the columns of each unique index. PostgreSQL has no REPLACE: ignore collations."""
    look = sa.inspect(connection)
    unique = [
        tuple(map(IndexedColumn, c["column_names"])) for c in look.get_unique_constraints(table)
    ]
    return unique + [
        tuple(IndexedColumn(name or "") for name in index["column_names"])
        for index in look.get_indexes(table)
        if index["unique"]
    ]


def trigger_digest(connection: Connection, watched: Sequence[WatchedTable]) -> str:
    """Return a digest of the tables, their actual triggers and their expected triggers."""
    schemas = [read_table_schema(connection, table) for table in watched]
    digest_input = [
        [list(table.trigger_definition) for table in watched],
        connection.dialect.name,
        [[list(row) for row in connection.exec_driver_sql(q)] for q in _catalogue(connection)],
        [_columns(connection, table.table) for table in watched],
        [schema.unique_indexes for schema in schemas],
        [list(_trigger_module(connection).create_statements(schema)) for schema in schemas],
    ]
    return hashlib.sha256(json.dumps(digest_input, default=str).encode()).hexdigest()


def _columns(connection: Connection, table: str) -> list[tuple[str, str]]:
    """Return a table's columns; on SQLite also its DDL, which contains the collations."""
    columns_info = sa.inspect(connection).get_columns(table)
    columns = [(column["name"], str(column["type"])) for column in columns_info]
    if connection.dialect.name == "sqlite":
        table_sql = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t")
        columns.append(("", str(connection.scalar(table_sql, {"t": table}))))
    return columns


def _catalogue(connection: Connection) -> tuple[str, ...]:
    return _SQLITE_CATALOGUE if connection.dialect.name == "sqlite" else _POSTGRESQL_CATALOGUE


_SQLITE_CATALOGUE = (
    r"""
    SELECT name, sql FROM sqlite_master
    WHERE type = 'trigger' AND name LIKE 'edge\_%' ESCAPE '\' ORDER BY name
    """,
)

_POSTGRESQL_CATALOGUE = (
    """
    SELECT tgname, tgenabled::text, pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal AND starts_with(tgname, 'edge_') ORDER BY tgname, tgrelid
    """,
    """
    SELECT proname, pg_get_functiondef(pg_proc.oid)
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE starts_with(proname, 'edge_') AND nspname = current_schema() ORDER BY proname
    """,
)


class _TriggerModule(Protocol):
    """The DDL of one database: `sqlite_triggers` or `postgresql_triggers`."""

    INSTALLED: str

    def create_statements(self, schema: TableSchema, /) -> Iterator[str]: ...

    def drop_statements(self, name: str, /) -> str: ...


def _trigger_module(connection: Connection) -> _TriggerModule:
    return sqlite_triggers if connection.dialect.name == "sqlite" else postgresql_triggers


def _escape_percent(connection: Connection, statement: str) -> str:
    """Double percent signs, which the PostgreSQL driver treats as the start of a parameter."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("%", "%%")


def _describe_missing(connection: Connection, missing: list[str]) -> str:
    """Return which tables are missing, with similar names, and the line that mends it."""
    existing = set(sa.inspect(connection).get_table_names()) - {CHANGE, META}
    names = ", ".join(f"{name}{suggest_name(name, existing)}" for name in missing)
    sentence = f"the database has no table {names}: run `flask db upgrade`"
    if CHANGE in missing or META in missing:
        return (
            f"{sentence}, or call define_tables(metadata) of changes, pages and purge before "
            "metadata.create_all(engine)"
        )
    return f"{sentence}, or correct the name in its WatchedTable"


def _missing(connection: Connection, watched: Sequence[WatchedTable]) -> list[str]:
    """Return the tables that the triggers need and the database lacks."""
    names = set(sa.inspect(connection).get_table_names())
    needed = dict.fromkeys((CHANGE, META, *(table.table for table in watched)))
    missing = [name for name in needed if name not in names]
    if not missing and (lacking := LOG_COLUMNS - _types(connection, CHANGE).keys()):
        missing = [f"{CHANGE} with the column {name}" for name in sorted(lacking)]
    return missing
