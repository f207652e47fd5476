"""The canary: rows that are written and taken back, to see whether the database spells as we do.

A page's conditions are kept as spellings of their parameters, and compared with spellings of what
the triggers log. That is sound as long as the database calls nothing equal that is spelt
differently, which only it knows: a table may have another collation or type than the model says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..reads.encoding import encode, is_unspelt, spelt, whole
from . import postgresql, sqlite
from .change import Image
from .log import last, own
from .sqlite import NUMBER, TWIN, quote
from .watched import Shape

_log = logging.getLogger(__name__)

_TEXTS = ("a", "A", "a ", "\u00e9", "e\u0301", "5", "05", "5.0")
_NUMBERS = (5, 1)
_INSTANT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_MOST = 100
_TOLD = (f"{_INSTANT:%Y-%m-%d %H:%M:%S}", f"{_INSTANT:%Y-%m-%d %H:%M:%S.%f}")

Samples = Mapping[str, Sequence[Any]]


def disagreement(connection: Connection, shapes: Iterable[Shape]) -> str | None:
    """Where the database and the encoder don't agree, and what to do about it.

    Nothing is raised: a test that fails for a reason of its own is a disagreement, too.
    """
    nested = connection.begin_nested()
    try:
        return next(filter(None, (_tested(connection, shape) for shape in shapes)), None)
    except sa.exc.DBAPIError as error:
        first_line = str(error.orig).partition("\n")[0]
        return f"no row could be written to test the watched columns with ({first_line})"
    except Exception as error:  # noqa: BLE001 - a request may wait for this; the reason is told
        _log.exception("edge.self_test_failed: the watched columns could not be tested")
        return f"the watched columns could not be tested ({type(error).__name__}: {error})"
    finally:
        nested.rollback()


def _tested(connection: Connection, shape: Shape) -> str | None:
    samples = _samples(connection, shape)
    words = sqlite if _sqlite(connection) else postgresql
    words.twin(connection, shape, tuple(samples))
    before = last(connection)
    _write(connection, samples)
    logged = own(connection, after=before, most=_MOST)
    images = [change.new for change in logged if change.new is not None]
    reason = _unequal(connection, shape, samples, images) or _astray(shape, samples, images)
    if reason is None and not _sqlite(connection):
        _change(connection, samples)
    connection.exec_driver_sql(f"DROP TABLE {TWIN}")
    return reason


def _change(connection: Connection, samples: Samples) -> None:
    """Update and delete the rows, to see that the trigger fails neither; SQLite has but inserts."""
    columns = ", ".join(f"{quote(name)} = NULL" for name, values in samples.items() if values)
    if columns:
        connection.exec_driver_sql(f"UPDATE {TWIN} SET {columns}".replace("%", "%%"))
    connection.exec_driver_sql(f"DELETE FROM {TWIN}")


def _samples(connection: Connection, shape: Shape) -> Samples:
    """What is written into each column whose value stands in an image."""
    if _sqlite(connection):
        found: dict[str, Sequence[Any]] = dict.fromkeys(shape.imaged, (*_TEXTS, *_NUMBERS))
        return found | dict.fromkeys(shape.watched.instants, _TOLD)
    columns = sa.inspect(connection).get_columns(shape.watched.table)
    kinds = {column["name"]: column["type"] for column in columns}
    wanted = (*shape.imaged, *shape.watched.instants)
    return {name: _of_kind(kinds[name]) for name in wanted}


def _of_kind(kind: Any) -> Sequence[Any]:
    """Values that PostgreSQL takes for a column of a type; none of a type that is not compared."""
    if isinstance(kind, sa.Enum):
        return tuple(kind.enums[:3])
    if isinstance(kind, sa.String):
        return [text for text in _TEXTS if kind.length is None or len(text) <= kind.length]
    if isinstance(kind, sa.DateTime):
        return (_INSTANT if kind.timezone else _INSTANT.replace(tzinfo=None),)
    values: Sequence[Any] = next((v for known, v in _PLAIN if isinstance(kind, known)), ())
    if isinstance(kind, sa.Numeric) and kind.precision and not isinstance(kind, sa.Float):
        return [
            value for value in values if abs(value) < 10 ** (kind.precision - (kind.scale or 0))
        ]
    return values


_PLAIN: tuple[tuple[type, Sequence[Any]], ...] = (
    (sa.Boolean, (True, False)),
    (sa.Integer, _NUMBERS),
    (sa.Numeric, (5, Decimal("5.0"))),
)


def _write(connection: Connection, samples: Samples) -> None:
    """Write the samples, one of each column in a row; without any, a row of nothing but NULLs."""
    filled = {name: values for name, values in samples.items() if values}
    names = dict(zip((f"p{number}" for number in range(len(filled))), filled, strict=True))
    columns = ", ".join([NUMBER, *(_column(name) for name in filled)])
    row = ", ".join([":number", *(f":{parameter}" for parameter in names)])
    insert = sa.text(f"INSERT INTO {TWIN} ({columns}) VALUES ({row})")
    longest = max(map(len, filled.values()), default=1)
    values = {p: [*filled[name], *[None] * longest] for p, name in names.items()}
    connection.execute(
        insert,
        [{"number": n} | {p: each[n] for p, each in values.items()} for n in range(longest)],
    )


def _unequal(
    connection: Connection, shape: Shape, samples: Samples, images: Sequence[Image]
) -> str | None:
    """A value that the database finds by a parameter which is spelt differently."""
    asked = [(name, v) for name in shape.imaged for v in samples[name] if spelt(v) is not None]
    parameters = {f"p{number}": value for number, (_, value) in enumerate(asked)}
    # As text, so that a parameter has no type and the database takes it for the column's.
    equal = [f"{_column(name)} = :p{number}" for number, (name, _) in enumerate(asked)]
    query = sa.text(f"SELECT {', '.join([*equal, '1'])} FROM {TWIN} ORDER BY {NUMBER}")
    rows = connection.execute(query, parameters).all()
    if len(rows) != len(images):
        return f"the trigger of {shape.watched.table} logged {len(images)} of {len(rows)} rows"
    for image, row in zip(images, rows, strict=True):
        for (name, value), same in zip(asked, row, strict=False):
            if same and _differs(shape, name, image[name], value):
                return (
                    f"{shape.watched.table}.{name} calls {value!r} and {image[name]!r} equal, "
                    "which are spelt differently: give it a binary collation and a type of "
                    "text or whole numbers, or don't name it in the watched columns"
                )
    return None


def _differs(shape: Shape, name: str, logged: Any, value: Any) -> bool:
    """Tell whether a page that was found by a value would miss the change that was logged.

    A key of numbers with a fraction has to be watched; what has no spelling matches every page.
    """
    if name not in shape.watched.columns and is_unspelt(logged):
        return False
    return encode(logged) != spelt(value)


def _column(name: str) -> str:
    return quote(name).replace(":", r"\:")


def _astray(shape: Shape, samples: Samples, images: Sequence[Image]) -> str | None:
    """An instant that has another place in the log than in a page's interval."""
    for name in shape.watched.instants:
        for value, image in zip(samples[name], images, strict=False):
            if image[name] is not None and image[name] != whole(value):
                return (
                    f"{shape.watched.table}.{name} logs {value} as {image[name]}: "
                    "make it a date with a time, or don't name it in the watched instants"
                )
    return None


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
