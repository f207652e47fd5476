"""The triggers in PostgreSQL's words: one function a table, the same whoever writes.

The function fixes its search path and time zone, so that an image does not depend on the
writer's session; the triggers fire always, for a restore or a replica's apply as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.engine import Connection

from .sqlite import NUMBER, PREFIX, TWIN, literal, quote
from .tables import CHANGE
from .watched import Shape

NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
"""The instant of writing in microseconds since 1970."""
_TEMPORARY_LAST = """
    SELECT set_config('search_path', path || ', pg_temp', true)
    FROM current_setting('search_path') AS path WHERE path NOT LIKE '%pg_temp%'
"""
"""Unless it is said, a writer's temporary tables come first, and one may be called like the log."""


def create(shape: Shape) -> Iterator[str]:
    """The statements that make the function and the triggers of one table."""
    table, function = quote(shape.watched.table), quote(PREFIX + shape.watched.table)
    yield _TEMPORARY_LAST
    yield (
        f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
        f"SET search_path FROM CURRENT SET \"TimeZone\" = 'UTC' SET \"DateStyle\" = 'ISO' "
        f"AS $edge$ BEGIN {_body(shape)} RETURN NULL; END $edge$"
    )
    for moment, event, level in (
        ("insert", "INSERT", "ROW"),
        ("delete", "DELETE", "ROW"),
        ("update", "UPDATE", "ROW WHEN (OLD.* *<> NEW.*)"),
        ("truncate", "TRUNCATE", "STATEMENT"),
    ):
        name = quote(f"{PREFIX}{shape.watched.table}_{moment}")
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON {table} "
            f"FOR EACH {level} EXECUTE FUNCTION {function}()"
        )
        yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def twin(connection: Connection, shape: Shape, columns: Sequence[str]) -> None:
    """Make the twin of a watched table, and let the same function log its inserts."""
    del columns  # it has all of them
    table, run = quote(shape.watched.table), connection.exec_driver_sql
    run(
        f"CREATE TEMP TABLE {TWIN} ON COMMIT DROP AS "
        f"SELECT 0 AS {NUMBER}, * FROM {table} WITH NO DATA"
    )
    function = quote(PREFIX + shape.watched.table)
    run(f"CREATE TRIGGER canary AFTER INSERT ON {TWIN} FOR EACH ROW EXECUTE FUNCTION {function}()")


def drop(table: str) -> Iterator[str]:
    """The statements that take the triggers of one table away."""
    yield f"DROP FUNCTION IF EXISTS {quote(PREFIX + table)}() CASCADE"


def _body(shape: Shape) -> str:
    table = literal(shape.watched.table)
    insert = (
        f"INSERT INTO {CHANGE}(written_at, xid, of_table, op, old, new, changed) "
        f"VALUES ({NOW}, pg_current_xact_id()::text::bigint, {table}, "
    )
    heard = " OR ".join(_differs(name) for name in shape.heard)
    names = ", ".join(
        f"CASE WHEN {_differs(name)} THEN {literal(name)} END" for name in shape.columns
    )
    return (
        f"IF TG_OP = 'TRUNCATE' THEN {insert}'T', NULL, NULL, NULL); "
        f"ELSIF TG_OP = 'INSERT' THEN {insert}'I', NULL, {_image(shape, 'NEW')}, NULL); "
        f"ELSIF TG_OP = 'DELETE' THEN {insert}'D', {_image(shape, 'OLD')}, NULL, NULL); "
        f"ELSIF {heard} THEN {insert}'U', {_image(shape, 'OLD')}, {_image(shape, 'NEW')}, "
        f"to_json(array_remove(ARRAY[{names}]::text[], NULL))::text); END IF;"
    )


def _image(shape: Shape, row: str) -> str:
    pairs = [f"{literal(name)}, {row}.{quote(name)}" for name in shape.imaged]
    pairs += [
        f"{literal(name)}, {microseconds(f'{row}.{quote(name)}')}"
        for name in shape.watched.instants
    ]
    return f"json_build_object({', '.join(pairs)})::text"


def microseconds(value: str) -> str:
    """NULL for the ends of time: they are no numbers, and raising would fail the writer."""
    number = f"(extract(epoch FROM {value}) * 1000000)::bigint"
    return f"CASE WHEN isfinite({value}) THEN {number} END"


def _differs(name: str) -> str:
    """Byte for byte: `IS DISTINCT FROM` follows collations, and raises for json."""
    return f"record_image_ne(ROW(OLD.{quote(name)}), ROW(NEW.{quote(name)}))"
