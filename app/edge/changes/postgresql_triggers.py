"""The triggers in PostgreSQL's words: one function a table, the same whoever writes.

The function fixes its search path and time zone, so that an image does not depend on the
writer's session; the triggers fire always, for a restore or a replica's apply as well. Once the
table is altered they log "everything": to name a column that is gone would fail the write.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sqlalchemy.engine import Connection

from .sqlite_triggers import PREFIX, TEST_ROW_COLUMN, TEST_TABLE, quote_identifier, quote_literal
from .tables import CHANGE
from .watched_table import TableSchema

NOW_SQL = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The instant of writing in microseconds since 1970."""
_SEARCH_TEMP_SCHEMA_LAST = """
    SELECT set_config('search_path', path || ', pg_temp', true)
    FROM current_setting('search_path') AS path WHERE path NOT LIKE '%pg_temp%'
"""
"""Unless it is said, a writer's temporary tables come first, and one may be called like the log."""


COLUMNS = """
    SELECT attname, concat_ws('.', nullif(nspname, 'pg_catalog'), typname) FROM pg_attribute
    JOIN pg_type ON pg_type.oid = atttypid JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
"""The query for the columns of a table and their types, which no search path can rename."""

INSTALLED = f"""
    SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE starts_with(proname, '{PREFIX}') AND nspname = current_schema()
    AND prosrc LIKE '%INSERT INTO {CHANGE}(%'
"""
"""The query for the trigger functions that are there, also those of a table watched no more."""


def create_statements(shape: TableSchema) -> Iterator[str]:
    """The statements that make the function and the triggers of one table."""
    table, function = (
        quote_identifier(shape.watched_table.table),
        quote_identifier(PREFIX + shape.watched_table.table),
    )
    yield _SEARCH_TEMP_SCHEMA_LAST
    yield (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path FROM CURRENT SET \"TimeZone\" = 'UTC' SET \"DateStyle\" = 'ISO' "
        f"AS $edge$ DECLARE layout text; BEGIN {_body(shape)} RETURN NULL; END $edge$"
    )
    for moment, event, level in (
        ("before", "BEFORE INSERT OR UPDATE OR DELETE", "STATEMENT"),
        ("insert", "AFTER INSERT", "ROW"),
        ("delete", "AFTER DELETE", "ROW"),
        ("update", "AFTER UPDATE", "ROW WHEN (OLD.* *<> NEW.*)"),
        ("truncate", "AFTER TRUNCATE", "STATEMENT"),
    ):
        name = quote_identifier(f"{PREFIX}{shape.watched_table.table}_{moment}")
        yield (
            f"CREATE TRIGGER {name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def create_test_table(connection: Connection, shape: TableSchema, columns: Sequence[str]) -> None:
    """Make the twin of a watched table, and let the same function log its changes."""
    del columns  # it has all of them
    table, run = quote_identifier(shape.watched_table.table), connection.exec_driver_sql
    run(
        f"CREATE TEMP TABLE {TEST_TABLE} ON COMMIT DROP AS "
        f"SELECT 0 AS {TEST_ROW_COLUMN}, * FROM {table} WITH NO DATA"
    )
    function = quote_identifier(PREFIX + shape.watched_table.table)
    run(
        f"CREATE TRIGGER canary AFTER INSERT OR UPDATE OR DELETE ON {TEST_TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    # The twin has another layout than the table; the caller's savepoint takes this back.
    run(f"SELECT set_config({_setting(shape)}, 'same', true)")


def drop_statements(function: str) -> str:
    """The statement that takes the triggers away which call a function."""
    return f"DROP FUNCTION IF EXISTS {quote_identifier(function)}() CASCADE"


def _body(shape: TableSchema) -> str:
    table = quote_literal(shape.watched_table.table)
    insert = (
        f"INSERT INTO {CHANGE}(written_at, xid, of_table, op, old, new, changed) "
        f"VALUES ({NOW_SQL}, pg_current_xact_id()::text::bigint, {table}, "
    )
    logged_condition = " OR ".join(_differs_sql(name) for name in shape.logged_columns)
    names = ", ".join(
        f"CASE WHEN {_differs_sql(name)} THEN {quote_literal(name)} END" for name in shape.columns
    )
    old, new = _image_sql(shape, "OLD"), _image_sql(shape, "NEW")
    return (
        f"{_guard(shape)} "
        f"IF TG_OP = 'TRUNCATE' THEN {insert}'T', NULL, NULL, NULL); "
        f"ELSIF TG_OP = 'INSERT' THEN {insert}'I', NULL, {new}, NULL); "
        f"ELSIF TG_OP = 'DELETE' THEN {insert}'D', {old}, NULL, NULL); "
        f"ELSIF {logged_condition} THEN {insert}'U', {old}, {new}, "
        f"to_json(array_remove(ARRAY[{names}]::text[], NULL))::text); END IF;"
    )


def _guard(shape: TableSchema) -> str:
    """What ends the function before it names a column that the table may not have any more.

    The layout is compared once a statement, by a trigger that fires before it, since a table can't
    be altered during one. Only row triggers fire where a replica applies changes.
    """
    setting = _setting(shape)
    return (
        f"IF TG_WHEN = 'BEFORE' OR TG_OP = 'TRUNCATE' THEN layout := {_layout(shape)}; "
        f"ELSE layout := coalesce(nullif(current_setting({setting}, true), ''), {_layout(shape)}); "
        f"END IF; "
        f"IF TG_WHEN = 'BEFORE' THEN PERFORM set_config({setting}, layout, true); RETURN NULL; "
        f"ELSIF layout = 'no log' THEN RETURN NULL; "
        f"ELSIF layout = 'altered' THEN "
        f"IF NOT EXISTS (SELECT FROM {CHANGE} WHERE op = 'E' "
        f"AND xid = pg_current_xact_id()::text::bigint) THEN "
        f"INSERT INTO {CHANGE}(written_at, xid, of_table, op) "
        f"VALUES ({NOW_SQL}, pg_current_xact_id()::text::bigint, '*', 'E'); END IF; "
        f"RETURN NULL; END IF;"
    )


def _layout(shape: TableSchema) -> str:
    """Whether the table has the name, columns and types that the function was made for."""
    pairs = zip(shape.columns, shape.types, strict=True)
    columns = ", ".join(quote_literal(f"{name} {kind}") for name, kind in pairs)
    current_columns = COLUMNS.replace("CAST(:t AS regclass)", "TG_RELID")
    table = quote_literal(quote_identifier(shape.watched_table.table))
    return (
        f"(SELECT CASE WHEN to_regclass('{CHANGE}') IS NULL THEN 'no log' "
        f"WHEN TG_RELID = to_regclass({table}) "
        f"AND array_agg(concat_ws(' ', name, kind)) = ARRAY[{columns}] THEN 'same' "
        f"ELSE 'altered' END FROM ({current_columns}) AS found(name, kind))"
    )


def _setting(shape: TableSchema) -> str:
    """The setting of a transaction that keeps the answer; it allows only plain names."""
    digest = hashlib.blake2b(shape.watched_table.table.encode(), digest_size=8).hexdigest()
    return f"'edge.layout_{digest}'"


def _image_sql(shape: TableSchema, row: str) -> str:
    pairs = [
        f"{quote_literal(name)}, {row}.{quote_identifier(name)}" for name in shape.image_columns
    ]
    pairs += [
        f"{quote_literal(name)}, {microseconds_sql(f'{row}.{quote_identifier(name)}')}"
        for name in shape.watched_table.instant_columns
    ]
    return f"json_build_object({', '.join(pairs)})::text"


def microseconds_sql(value: str) -> str:
    """NULL for the ends of time: they are no numbers, and raising would fail the writer."""
    number = f"(extract(epoch FROM {value}) * 1000000)::bigint"
    return f"CASE WHEN isfinite({value}) THEN {number} END"


def _differs_sql(name: str) -> str:
    """Byte for byte: `IS DISTINCT FROM` follows collations, and raises for json."""
    return f"record_image_ne(ROW(OLD.{quote_identifier(name)}), ROW(NEW.{quote_identifier(name)}))"
