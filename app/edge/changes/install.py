"""Putting the triggers in place, and noticing when they are no longer what was put there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from types import ModuleType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import postgresql, sqlite
from .canary import disagreement
from .change import EVERYTHING
from .declaration import NotWatchableError, check_columns, check_tables
from .log import append
from .meta import note, noted
from .tables import CHANGE, LOG_COLUMNS, META
from .watched import Member, Shape, Watched

_FINGERPRINT = "triggers"


def install(connection: Connection, watched: Sequence[Watched]) -> None:
    """Make the triggers of every watched table anew, in the caller's transaction.

    Nobody knows what was written while they were missing, so the log gets an entry "everything".
    Nothing happens while a table is missing; `drift` says so.

    Raises:
        NotWatchableError: a table can't be watched as it is declared; no trigger was touched.
    """
    check_tables(watched)
    if _missing(connection, watched):
        return
    shapes = [shape(connection, table) for table in watched]
    remove(connection)
    for each in shapes:
        for statement in _words(connection).create(each):
            connection.exec_driver_sql(_escaped(connection, statement))
    log_everything(connection)
    note(connection, _FINGERPRINT, fingerprint(connection, watched))


def install_and_test(connection: Connection, watched: Sequence[Watched]) -> None:
    """Install the triggers and test them; what they were before is restored if the test fails.

    Raises:
        NotWatchableError: why the triggers can't do their work.
    """
    with connection.begin_nested():
        install(connection, watched)
        if (reason := drift(connection, watched)) is not None:
            raise NotWatchableError(reason)


def remove(connection: Connection, _watched: Iterable[Watched] = ()) -> None:
    """Take all triggers away, as a migration must before it changes a table's columns."""
    words = _words(connection)
    for name in connection.scalars(sa.text(words.INSTALLED)).all():
        connection.exec_driver_sql(_escaped(connection, words.drop(name)))


def log_everything(connection: Connection) -> None:
    """Say in the log that anything may have changed."""
    append(connection, EVERYTHING)


def drift(connection: Connection, watched: Sequence[Watched]) -> str | None:
    """Why the triggers can't be trusted, or None when they are what `install` left."""
    if missing := _missing(connection, watched):
        return f"the database has no table {', '.join(missing)}: run `flask db upgrade`"
    known = noted(connection, _FINGERPRINT)
    if known is None:
        return "the triggers were never installed: run `flask edge triggers install`"
    try:
        check_tables(watched)
        found = fingerprint(connection, watched)
    except NotWatchableError as error:
        return str(error)
    if known != found:
        return "a watched table or its triggers were altered: run `flask edge triggers install`"
    return _disagreement(connection, watched, found)


_agreed: set[str] = set()
"""The fingerprints of tables that this process has tested with a canary."""


def _disagreement(connection: Connection, watched: Sequence[Watched], found: str) -> str | None:
    if found in _agreed:
        return None
    reason = disagreement(connection, [shape(connection, table) for table in watched])
    if reason is None:
        _agreed.add(found)
    return reason


def shape(connection: Connection, watched: Watched) -> Shape:
    """A watched table's key, columns and unique indexes, read from the database."""
    if connection.dialect.name == "postgresql" and (odd := _odd(connection, watched.table)):
        raise NotWatchableError(f"{watched.table} {odd}: not watchable")
    types = _types(connection, watched.table)
    key = tuple(sa.inspect(connection).get_pk_constraint(watched.table)["constrained_columns"])
    if not key:
        raise NotWatchableError(f"{watched.table} has no primary key, so its rows can't be watched")
    check_columns(watched, types, key)
    sqlite_only = connection.dialect.name == "sqlite"
    unique = (_on_sqlite if sqlite_only else _on_postgresql)(connection, watched.table)
    for member in (member for members in unique for member in members):
        _check_member(watched.table, member)
    if key not in [tuple(member.name for member in members) for members in unique]:
        unique.insert(0, tuple(Member(name) for name in key))
    return Shape(
        watched=watched,
        key=key,
        columns=tuple(types),
        unique=tuple(dict.fromkeys(unique)),
        types=tuple(types.values()),
    )


def _types(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table and their types, as the database's catalogue names both."""
    if connection.dialect.name == "sqlite":
        query = sa.text("SELECT name, type FROM pragma_table_xinfo(:t) WHERE hidden <> 1")
        rows = connection.execute(query, {"t": table})
    else:
        rows = connection.execute(sa.text(postgresql.COLUMNS), {"t": sqlite.quote(table)})
    return {row[0]: row[1] for row in rows}


def _check_member(table: str, member: Member) -> None:
    if not member.name:
        raise NotWatchableError(f"{table} has a unique index on an expression: not watchable")
    if member.collation not in _EVERYWHERE:
        raise NotWatchableError(
            f"{table} has a unique index with the collation {member.collation}, "
            "which not every program that writes has: not watchable",
        )


def _odd(connection: Connection, table: str) -> str | None:
    """Why a table of PostgreSQL may show rows that it has no triggers for, or hide some."""
    query = sa.text(
        "SELECT relkind, relispartition, relrowsecurity, EXISTS "
        "(SELECT FROM pg_inherits WHERE pg_class.oid IN (inhparent, inhrelid)) AS related "
        "FROM pg_class WHERE oid = CAST(:t AS regclass)",
    )
    found = connection.execute(query, {"t": sqlite.quote(table)}).one()
    if found.relkind != "r" or found.relispartition or found.related:
        return "is no ordinary table, but has or is a partition or an heir"
    return "has row-level security, so each reader sees another" if found.relrowsecurity else None


_EVERYWHERE = {"", "BINARY", "NOCASE", "RTRIM"}
"""The collations that every program has which opens a database of SQLite."""


def _on_sqlite(connection: Connection, table: str) -> list[tuple[Member, ...]]:
    """What each unique index compares; SQLAlchemy leaves out expressions and collations."""
    listed = sa.text('SELECT name FROM pragma_index_list(:t) WHERE "unique" ORDER BY name')
    columns = sa.text("SELECT name, coll FROM pragma_index_xinfo(:i) WHERE key ORDER BY seqno")
    return [
        tuple(Member(name or "", coll) for name, coll in connection.execute(columns, {"i": index}))
        for index in connection.scalars(listed, {"t": table}).all()
    ]


def _on_postgresql(connection: Connection, table: str) -> list[tuple[Member, ...]]:
    """No row gives way to another there, so collations don't matter."""
    look = sa.inspect(connection)
    unique = [tuple(map(Member, c["column_names"])) for c in look.get_unique_constraints(table)]
    return unique + [
        tuple(Member(name or "") for name in index["column_names"])
        for index in look.get_indexes(table)
        if index["unique"]
    ]


def fingerprint(connection: Connection, watched: Sequence[Watched]) -> str:
    """A digest of the tables, of their triggers as they are, and of those that they should have."""
    found = [
        [list(table.told) for table in watched],
        connection.dialect.name,
        [[list(row) for row in connection.exec_driver_sql(q)] for q in _catalogue(connection)],
        [_columns(connection, table.table) for table in watched],
        [shape(connection, table).unique for table in watched],
        [list(_words(connection).create(shape(connection, table))) for table in watched],
    ]
    return hashlib.sha256(json.dumps(found, default=str).encode()).hexdigest()


def _columns(connection: Connection, table: str) -> list[tuple[str, str]]:
    """A table's columns; SQLite tells their collations only in the words of the table itself."""
    found = sa.inspect(connection).get_columns(table)
    columns = [(column["name"], str(column["type"])) for column in found]
    if connection.dialect.name == "sqlite":
        words = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :t")
        columns.append(("", str(connection.scalar(words, {"t": table}))))
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


def _words(connection: Connection) -> ModuleType:
    return sqlite if connection.dialect.name == "sqlite" else postgresql


def _escaped(connection: Connection, statement: str) -> str:
    """The driver of PostgreSQL reads a percent sign as the beginning of a parameter."""
    return statement if connection.dialect.name == "sqlite" else statement.replace("%", "%%")


def _missing(connection: Connection, watched: Sequence[Watched]) -> list[str]:
    """The tables that the triggers need and the database does not have."""
    names = set(sa.inspect(connection).get_table_names())
    needed = dict.fromkeys((CHANGE, META, *(table.table for table in watched)))
    missing = [name for name in needed if name not in names]
    if not missing and (lacking := LOG_COLUMNS - _types(connection, CHANGE).keys()):
        missing = [f"{CHANGE} with the column {name}" for name in sorted(lacking)]
    return missing
