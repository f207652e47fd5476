"""The trigger DDL for PostgreSQL: one function and five triggers for each table.

The function sets its own search path and time zone, so row images do not depend on the session
that writes. The triggers also fire during a restore and on a replica that applies changes. If the
table was altered, they log "everything changed", because SQL that names a dropped column would
make the write fail.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from sqlalchemy.engine import Connection

from .sqlite_triggers import PREFIX, TEST_ROW_COLUMN, TEST_TABLE, quote_identifier, quote_literal
from .tables import CHANGE
from .watched_table import TableSchema

NOW_SQL = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""SQL for the current time in microseconds since 1970."""
_SEARCH_TEMP_SCHEMA_LAST = """
    SELECT set_config('search_path', path || ', pg_temp', true)
    FROM current_setting('search_path') AS path WHERE path NOT LIKE '%pg_temp%'
"""
"""Put `pg_temp` last in the search path: a temporary table could shadow the change log."""


COLUMNS = """
    SELECT attname, concat_ws('.', nullif(nspname, 'pg_catalog'), typname) FROM pg_attribute
    JOIN pg_type ON pg_type.oid = atttypid JOIN pg_namespace ON pg_namespace.oid = typnamespace
    WHERE attrelid = CAST(:t AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
"""The query for the columns and types of a table; it does not depend on the search path."""

INSTALLED = f"""
    SELECT proname FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE starts_with(proname, '{PREFIX}') AND nspname = current_schema()
    AND prosrc LIKE '%INSERT INTO {CHANGE}(%'
"""
"""The query for all installed trigger functions, including those of tables no longer watched."""


def create_statements(schema: TableSchema) -> Iterator[str]:
    """Return the statements that create the function and the triggers of one table."""
    table, function = (
        quote_identifier(schema.watched_table.table),
        quote_identifier(PREFIX + schema.watched_table.table),
    )
    yield _SEARCH_TEMP_SCHEMA_LAST
    yield (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path FROM CURRENT SET \"TimeZone\" = 'UTC' SET \"DateStyle\" = 'ISO' "
        f"AS $edge$ DECLARE layout text; BEGIN {_body(schema)} RETURN NULL; END $edge$"
    )
    for moment, event, level in (
        ("before", "BEFORE INSERT OR UPDATE OR DELETE", "STATEMENT"),
        ("insert", "AFTER INSERT", "ROW"),
        ("delete", "AFTER DELETE", "ROW"),
        ("update", "AFTER UPDATE", "ROW WHEN (OLD.* *<> NEW.*)"),
        ("truncate", "AFTER TRUNCATE", "STATEMENT"),
    ):
        name = quote_identifier(f"{PREFIX}{schema.watched_table.table}_{moment}")
        yield (
            f"CREATE TRIGGER {name} {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def create_test_table(connection: Connection, schema: TableSchema, columns: Sequence[str]) -> None:
    """Create a temporary copy of a watched table whose changes the same function logs."""
    del columns  # the copy has all columns
    table, run = quote_identifier(schema.watched_table.table), connection.exec_driver_sql
    run(
        f"CREATE TEMP TABLE {TEST_TABLE} ON COMMIT DROP AS "
        f"SELECT 0 AS {TEST_ROW_COLUMN}, * FROM {table} WITH NO DATA"
    )
    function = quote_identifier(PREFIX + schema.watched_table.table)
    run(
        f"CREATE TRIGGER canary AFTER INSERT OR UPDATE OR DELETE ON {TEST_TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}()"
    )
    # The copy has another layout than the table. The caller's savepoint resets the setting.
    run(f"SELECT set_config({_setting(schema)}, 'same', true)")


def drop_statements(function: str) -> str:
    """Return the statement that drops a function and the triggers that call it."""
    return f"DROP FUNCTION IF EXISTS {quote_identifier(function)}() CASCADE"


def _body(schema: TableSchema) -> str:
    table = quote_literal(schema.watched_table.table)
    insert = (
        f"INSERT INTO {CHANGE}(written_at, xid, of_table, op, old, new, changed) "
        f"VALUES ({NOW_SQL}, pg_current_xact_id()::text::bigint, {table}, "
    )
    logged_condition = " OR ".join(_differs_sql(name) for name in schema.logged_columns)
    names = ", ".join(
        f"CASE WHEN {_differs_sql(name)} THEN {quote_literal(name)} END" for name in schema.columns
    )
    old, new = _image_sql(schema, "OLD"), _image_sql(schema, "NEW")
    return (
        f"{_guard(schema)} "
        f"IF TG_OP = 'TRUNCATE' THEN {insert}'T', NULL, NULL, NULL); "
        f"ELSIF TG_OP = 'INSERT' THEN {insert}'I', NULL, {new}, NULL); "
        f"ELSIF TG_OP = 'DELETE' THEN {insert}'D', {old}, NULL, NULL); "
        f"ELSIF {logged_condition} THEN {insert}'U', {old}, {new}, "
        f"to_json(array_remove(ARRAY[{names}]::text[], NULL))::text); END IF;"
    )


def _guard(schema: TableSchema) -> str:
    """Return the SQL that ends the function before it uses a column that may have been dropped.

    A table can't be altered during a statement, so a BEFORE STATEMENT trigger compares the layout
    once for each. On a replica that applies changes, only row triggers fire and compare it.
    """
    setting, layout = _setting(schema), _layout(schema)
    return (
        f"IF TG_WHEN = 'BEFORE' OR TG_OP = 'TRUNCATE' THEN layout := {layout}; "
        f"ELSE layout := coalesce(nullif(current_setting({setting}, true), ''), {layout}); "
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


def _layout(schema: TableSchema) -> str:
    """Return SQL that tests whether the table still has the name, columns and types of `schema`."""
    pairs = zip(schema.columns, schema.types, strict=True)
    columns = ", ".join(quote_literal(f"{name} {kind}") for name, kind in pairs)
    current_columns = COLUMNS.replace("CAST(:t AS regclass)", "TG_RELID")
    table = quote_literal(quote_identifier(schema.watched_table.table))
    return (
        f"(SELECT CASE WHEN to_regclass('{CHANGE}') IS NULL THEN 'no log' "
        f"WHEN TG_RELID = to_regclass({table}) "
        f"AND array_agg(concat_ws(' ', name, kind)) = ARRAY[{columns}] THEN 'same' "
        f"ELSE 'altered' END FROM ({current_columns}) AS found(name, kind))"
    )


def _setting(schema: TableSchema) -> str:
    """Return the name of the transaction setting for the layout; only plain names are allowed."""
    digest = hashlib.blake2b(schema.watched_table.table.encode(), digest_size=8).hexdigest()
    return f"'edge.layout_{digest}'"


def _image_sql(schema: TableSchema, row: str) -> str:
    kinds = dict(zip(schema.columns, schema.types, strict=True))
    pairs = [
        f"{quote_literal(name)}, {_value_sql(f'{row}.{quote_identifier(name)}', kinds[name])}"
        for name in schema.image_columns
    ]
    pairs += [
        f"{quote_literal(name)}, {microseconds_sql(f'{row}.{quote_identifier(name)}')}"
        for name in schema.watched_table.instant_columns
    ]
    return f"json_build_object({', '.join(pairs)})::text"


def _value_sql(value: str, kind: str) -> str:
    """Return SQL for a value of a row image; one that has no encoding becomes an array.

    A timestamp has none: it equals a date if the model declares the column as a date.
    """
    return f"json_build_array({value})" if kind in {"timestamp", "timestamptz"} else value


def microseconds_sql(value: str) -> str:
    """Return SQL for an instant in microseconds; NULL for infinity, so that no write fails."""
    number = f"(extract(epoch FROM {value}) * 1000000)::bigint"
    return f"CASE WHEN isfinite({value}) THEN {number} END"


def _differs_sql(name: str) -> str:
    """Return SQL that compares bytes: `IS DISTINCT FROM` uses collations and fails for json."""
    return f"record_image_ne(ROW(OLD.{quote_identifier(name)}), ROW(NEW.{quote_identifier(name)}))"
