"""A self-test that compares the database's notion of equality with that of the encoding.

Pages store the encoded parameters of their queries. The resolver compares them with the encoded
values that the triggers log. This is correct only if the database treats no two values as equal
whose encodings differ. A table may have another collation or type than the model, so the test
writes rows to a temporary copy of the table and rolls them back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import postgresql_triggers, sqlite_triggers
from .change import RowImage
from .encoding import encode_parameter, encode_value, has_no_encoding, sort_key_value
from .log import changes_of_this_transaction, last_change_id
from .sqlite_triggers import TEST_ROW_COLUMN, TEST_TABLE, quote_identifier
from .watched_table import TableSchema

_log = logging.getLogger(__name__)

_TEXTS = ("a", "A", "a ", "\u00e9", "e\u0301", "5", "05", "5.0")
_NUMBERS = (5, 1)
_INSTANT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_MAX_CHANGES = 100
_INSTANT_TEXTS = (f"{_INSTANT:%Y-%m-%d %H:%M:%S}", f"{_INSTANT:%Y-%m-%d %H:%M:%S.%f}")

Samples = Mapping[str, Sequence[Any]]


def find_encoding_mismatch(connection: Connection, schemas: Iterable[TableSchema]) -> str | None:
    """Return where database and encoding disagree and what to do, or None if they agree.

    No exception is raised: a test that fails for another reason counts as a mismatch too.
    """
    nested = connection.begin_nested()
    try:
        return next(filter(None, (_test_table(connection, schema) for schema in schemas)), None)
    except sa.exc.DBAPIError as error:
        first_line = str(error.orig).partition("\n")[0]
        return f"the test rows for the watched columns could not be written ({first_line})"
    except Exception as error:  # noqa: BLE001 - the caller may be a request; the reason is returned
        _log.exception("edge.self_test_failed: the watched columns could not be tested")
        return f"the watched columns could not be tested ({type(error).__name__}: {error})"
    finally:
        nested.rollback()


def _test_table(connection: Connection, schema: TableSchema) -> str | None:
    samples = _samples(connection, schema)
    trigger_module = sqlite_triggers if _is_sqlite(connection) else postgresql_triggers
    trigger_module.create_test_table(connection, schema, tuple(samples))
    before = last_change_id(connection)
    _write_samples(connection, samples)
    logged = changes_of_this_transaction(connection, after=before, limit=_MAX_CHANGES)
    images = [change.new for change in logged if change.new is not None]
    reason = _find_equality_mismatch(connection, schema, samples, images) or _find_instant_mismatch(
        schema, samples, images
    )
    if reason is None and not _is_sqlite(connection):
        _change_samples(connection, samples)
    connection.exec_driver_sql(f"DROP TABLE {TEST_TABLE}")
    return reason


def _change_samples(connection: Connection, samples: Samples) -> None:
    """Update and delete the rows to test these triggers too; on SQLite only inserts are tested."""
    columns = ", ".join(
        f"{quote_identifier(name)} = NULL" for name, values in samples.items() if values
    )
    if columns:
        connection.exec_driver_sql(f"UPDATE {TEST_TABLE} SET {columns}".replace("%", "%%"))
    connection.exec_driver_sql(f"DELETE FROM {TEST_TABLE}")


def _samples(connection: Connection, schema: TableSchema) -> Samples:
    """Return the test values of each column that is part of a row image."""
    if _is_sqlite(connection):
        samples: dict[str, Sequence[Any]] = dict.fromkeys(
            schema.image_columns, (*_TEXTS, *_NUMBERS)
        )
        return samples | dict.fromkeys(schema.watched_table.instant_columns, _INSTANT_TEXTS)
    columns = sa.inspect(connection).get_columns(schema.watched_table.table)
    kinds = {column["name"]: column["type"] for column in columns}
    column_names = (*schema.image_columns, *schema.watched_table.instant_columns)
    return {name: _sample_values(kinds[name]) for name in column_names}


def _sample_values(kind: Any) -> Sequence[Any]:
    """Return test values for a PostgreSQL type; none for a type that is never compared."""
    if isinstance(kind, sa.Enum):
        return tuple(kind.enums[:3])
    if isinstance(kind, sa.String):
        return [text for text in _TEXTS if kind.length is None or len(text) <= kind.length]
    if isinstance(kind, sa.DateTime):
        return (_INSTANT if kind.timezone else _INSTANT.replace(tzinfo=None),)
    values: Sequence[Any] = next(
        (v for type_, v in _SAMPLES_BY_TYPE if isinstance(kind, type_)), ()
    )
    if isinstance(kind, sa.Numeric) and kind.precision and not isinstance(kind, sa.Float):
        return [
            value for value in values if abs(value) < 10 ** (kind.precision - (kind.scale or 0))
        ]
    return values


_SAMPLES_BY_TYPE: tuple[tuple[type, Sequence[Any]], ...] = (
    (sa.Boolean, (True, False)),
    (sa.Integer, _NUMBERS),
    (sa.Numeric, (5, Decimal("5.0"))),
    (sa.Uuid, (UUID(int=5), UUID(int=2**128 - 1))),
    (sa.Date, (date(2026, 1, 2), date(999, 12, 31))),
)


def _write_samples(connection: Connection, samples: Samples) -> None:
    """Insert the samples, one row for each; without samples, insert one row of NULLs."""
    filled = {name: values for name, values in samples.items() if values}
    names = dict(zip((f"p{number}" for number in range(len(filled))), filled, strict=True))
    columns = ", ".join([TEST_ROW_COLUMN, *(_quote_for_text(name) for name in filled)])
    row = ", ".join([":number", *(f":{parameter}" for parameter in names)])
    insert = sa.text(f"INSERT INTO {TEST_TABLE} ({columns}) VALUES ({row})")
    longest = max(map(len, filled.values()), default=1)
    values = {p: [*filled[name], *[None] * longest] for p, name in names.items()}
    connection.execute(
        insert,
        [{"number": n} | {p: each[n] for p, each in values.items()} for n in range(longest)],
    )


def _find_equality_mismatch(
    connection: Connection, schema: TableSchema, samples: Samples, images: Sequence[RowImage]
) -> str | None:
    """Find a value that the database treats as equal to a parameter with another encoding."""
    column_values = [
        (name, v)
        for name in schema.image_columns
        for v in samples[name]
        if encode_parameter(v) is not None
    ]
    parameters = {f"p{number}": value for number, (_, value) in enumerate(column_values)}
    # In textual SQL a parameter has no type, so the database uses the type of the column.
    equal = [
        f"{_quote_for_text(name)} = :p{number}" for number, (name, _) in enumerate(column_values)
    ]
    query = sa.text(
        f"SELECT {', '.join([*equal, '1'])} FROM {TEST_TABLE} ORDER BY {TEST_ROW_COLUMN}"
    )
    rows = connection.execute(query, parameters).all()
    if len(rows) != len(images):
        return (
            f"the trigger of {schema.watched_table.table} logged {len(images)} of {len(rows)} rows"
        )
    for image, row in zip(images, rows, strict=True):
        for (name, value), same in zip(column_values, row, strict=False):
            if same and _differs(schema, name, image[name], value):
                return (
                    f"{schema.watched_table.table}.{name} compares {value!r} and "
                    f"{image[name]!r} as equal although their encodings differ: use a binary "
                    "collation and a text or integer type, or remove the column from "
                    "`compared_columns` of its WatchedTable"
                )
    return None


def _differs(schema: TableSchema, name: str, logged: Any, value: Any) -> bool:
    """Return whether a page whose query has this parameter would miss the logged change.

    A key may be a number with a fraction. Such a value has no encoding and matches every page.
    """
    if name not in schema.watched_table.compared_columns and has_no_encoding(logged):
        return False
    return encode_value(logged) != encode_parameter(value)


def _quote_for_text(name: str) -> str:
    return quote_identifier(name).replace(":", r"\:")


def _find_instant_mismatch(
    schema: TableSchema, samples: Samples, images: Sequence[RowImage]
) -> str | None:
    """Find an instant whose logged sort key differs from the sort key of a page's interval."""
    for name in schema.watched_table.instant_columns:
        for value, image in zip(samples[name], images, strict=False):
            if image[name] is not None and image[name] != sort_key_value(value):
                return (
                    f"{schema.watched_table.table}.{name} logs {value} as {image[name]}: "
                    "use a type that holds a date with a time, or remove the column from "
                    "`instant_columns` of its WatchedTable"
                )
    return None


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
