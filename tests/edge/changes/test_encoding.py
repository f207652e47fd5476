"""The encoding of values and sort keys: equal in a parameter, a result row and a row image."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from app.edge.changes.column_comparison import is_byte_comparable, value_kind
from app.edge.changes.encoding import (
    encode_parameter,
    encode_value,
    has_no_encoding,
    sort_key_value,
)
from app.edge.changes.sqlite_triggers import microseconds_sql
from app.edge.changes.timestamps import duration_microseconds, from_microseconds, to_microseconds

ENCODED: dict[str, tuple[Any, str | None]] = {
    "true": (True, "1"),
    "false": (False, "0"),
    "zero": (0, "0"),
    "a negative number": (-5, "-5"),
    "a text": ("A ", "A "),
    "an empty text": ("", ""),
    "NULL": (None, None),
    "a float": (1.0, None),
    "a decimal": (Decimal(1), None),
    "bytes": (b"a", None),
    "a list": (["a"], None),
    "a UUID": (UUID(int=10), "00000000-0000-0000-0000-00000000000a"),
    "a day": (date(999, 1, 2), "0999-01-02"),
    "an instant": (datetime(2026, 1, 2, tzinfo=UTC), None),
}


@pytest.mark.parametrize(("value", "outcome"), ENCODED.values(), ids=ENCODED)
def test_only_some_values_have_an_encoding(value: Any, outcome: str | None) -> None:
    """NULL has none either, but equals nothing, so it counts as comparable."""
    assert encode_value(value) == outcome
    assert has_no_encoding(value) is (outcome is None and value is not None)


NUMERALS = {
    **{text: text for text in ("0", "5", "-5", "123456789012345678", "a", "", "5a", "1 2", "--1")},
    **dict.fromkeys(("05", "+5", "5.0", " 5", "5 ", "5\n", "5e2", "5E-2", ".5", "5.", "-0"), None),
    "1234567890123456789": None,
    "12345678901234567890": None,
    "\u0665": "\u0665",
    "0x5": "0x5",
    "1e": "1e",
}


@pytest.mark.parametrize(("text", "outcome"), NUMERALS.items(), ids=map(repr, NUMERALS))
def test_a_numeral_that_a_numeric_column_stores_otherwise_has_no_encoding(
    text: str, outcome: str | None
) -> None:
    """SQLite stores '05' as 5 in a numeric column, so a page with '05' matches every change."""
    assert encode_parameter(text) == outcome
    if outcome is not None:
        with sa.create_engine("sqlite://").connect() as connection:
            connection.exec_driver_sql("CREATE TABLE t (v NUMERIC)")
            connection.exec_driver_sql("INSERT INTO t VALUES (?)", (text,))
            assert str(connection.exec_driver_sql("SELECT v FROM t").scalar()) == text


TYPES: dict[str, tuple[Any, bool]] = {
    "a text": (sa.Text(), True),
    "a short text": (sa.String(5), True),
    "a text with a collation": (sa.String(5, collation="NOCASE"), False),
    "padded text": (sa.CHAR(5), False),
    "caseless text": (postgresql.CITEXT(), False),
    "a number": (sa.Integer(), True),
    "a large number": (sa.BigInteger(), True),
    "a truth": (sa.Boolean(), True),
    "an enumeration of the database": (sa.Enum("a", "b", name="e"), True),
    "an enumeration as text": (sa.Enum("a", "b", native_enum=False), True),
    "a float": (sa.Float(), False),
    "a decimal": (sa.Numeric(), False),
    "an instant": (sa.DateTime(), False),
    "a day": (sa.Date(), True),
    "a UUID": (sa.Uuid(), True),
    "a UUID as padded text": (sa.Uuid(native_uuid=False), False),
    "a time": (sa.Time(), False),
    "bytes": (sa.LargeBinary(), False),
    "a document": (sa.JSON(), False),
}


@pytest.mark.parametrize(("kind", "outcome"), TYPES.values(), ids=TYPES)
def test_only_some_types_are_compared_by_their_bytes(kind: Any, *, outcome: bool) -> None:
    """A collation, padding or another notation makes different encodings equal."""
    assert is_byte_comparable(sa.Column("c", kind)) is outcome


UUID_TEXT = "00000000-0000-0000-0000-00000000000a"
KINDS: dict[str, tuple[Any, Any, Any, str | None]] = {
    "a UUID": (sa.Uuid(), postgresql, UUID(UUID_TEXT), UUID_TEXT),
    "a UUID as text": (sa.Uuid(as_uuid=False), postgresql, UUID_TEXT, UUID_TEXT),
    "a UUID in capitals": (sa.Uuid(as_uuid=False), postgresql, UUID_TEXT.upper(), None),
    "a UUID without hyphens": (
        sa.Uuid(as_uuid=False),
        postgresql,
        UUID_TEXT.replace("-", ""),
        None,
    ),
    "a UUID in braces": (sa.Uuid(as_uuid=False), postgresql, f"{{{UUID_TEXT}}}", None),
    "the digits of a UUID": (
        sa.Uuid(),
        sqlite,
        UUID_TEXT.replace("-", ""),
        UUID_TEXT.replace("-", ""),
    ),
    "a day": (sa.Date(), postgresql, date(2026, 1, 2), "2026-01-02"),
    "a day as text": (sa.Date(), sqlite, "2026-01-02", "2026-01-02"),
    "a day without zeros": (sa.Date(), postgresql, "2026-1-2", None),
    "today": (sa.Date(), postgresql, "today", None),
    "midnight of a day": (sa.Date(), postgresql, datetime(2026, 1, 2, tzinfo=UTC), None),
    "a number as text": (sa.Integer(), sqlite, "5", None),
    "a label": (sa.Enum("a", "b", name="e"), postgresql, "a", "a"),
}


@pytest.mark.parametrize(("kind", "database", "value", "outcome"), KINDS.values(), ids=KINDS)
def test_a_parameter_that_the_database_converts_must_be_canonical(
    kind: Any, database: Any, value: Any, outcome: str | None
) -> None:
    """Another notation of a UUID, a day or a number equals the stored value, so it narrows nothing."""
    column = sa.Column("c", kind)
    assert encode_parameter(value, value_kind(column, database.dialect())) == outcome


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_KEY = 1_772_366_400_000_000
SORT_KEYS: dict[str, tuple[Any, int | None]] = {
    "an instant": (NOON, NOON_KEY),
    "without a zone": (NOON.replace(tzinfo=None), NOON_KEY),
    "in another zone": (NOON.astimezone(timezone(timedelta(hours=5))), NOON_KEY),
    "a microsecond later": (NOON + timedelta(microseconds=1), NOON_KEY + 1),
    "before 1970": (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1_000_000),
    "a microsecond before 1970": (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
    "text to the second": ("2026-03-01 12:00:00", NOON_KEY),
    "text with microseconds": ("2026-03-01 12:00:00.000001", NOON_KEY + 1),
    "text with milliseconds": ("2026-03-01 12:00:00.001", None),
    "text with a T": ("2026-03-01T12:00:00", None),
    "text with a zone": ("2026-03-01 12:00:00+05:00x", None),
    "another text": ("nineteen characters", None),
    "a number": (7, 7),
    "zero": (0, 0),
    "a truth": (True, None),
    "a float": (1.5, None),
    "NULL": (None, None),
}


@pytest.mark.parametrize(("value", "outcome"), SORT_KEYS.values(), ids=SORT_KEYS)
def test_a_sort_key_is_a_number_of_microseconds(value: Any, outcome: int | None) -> None:
    """A value without a unique key has none, so that no bound is derived from it."""
    assert sort_key_value(value) == outcome


instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001 - UTC is added


@settings(deadline=None)
@given(instants, st.sampled_from(["microseconds", "seconds"]))
def test_sqlite_logs_the_sort_key_that_pages_compare(instant: datetime, precision: str) -> None:
    """For every instant and both text formats, also before 1970 and after 2041."""
    text = instant.isoformat(" ", precision)
    with sa.create_engine("sqlite://").connect() as connection:
        log_entries = connection.exec_driver_sql(
            f"SELECT {microseconds_sql('v')} FROM (SELECT ? AS v)", (text,)
        ).scalar()
    assert log_entries == sort_key_value(text)
    if precision == "microseconds":
        assert log_entries == sort_key_value(instant.replace(tzinfo=UTC))


UNREADABLE = ("2026-03-01", "2026-03-01 12:00", "2026-03-01T12:00:00", "now", "", "2026-03-01 12:00:00x",
              "2026-03-01 12:00:00.12x", "2026-03-01 12:00:00Z", 5, None)  # fmt: skip
FRACTIONS = {"": 0, ".5": 500_000, ".05": 50_000, ".000001": 1, ".1234567": 123_456, ".": 0}


@pytest.mark.parametrize("text", UNREADABLE, ids=repr)
def test_sqlite_logs_no_sort_key_for_another_text(text: object) -> None:
    """Then the row lies in every interval."""
    assert _logged_key(text) is None


@pytest.mark.parametrize(("fraction", "microseconds"), FRACTIONS.items(), ids=map(repr, FRACTIONS))
def test_sqlite_reads_fractions_of_any_length(fraction: str, microseconds: int) -> None:
    """Digits after the sixth are cut off, as in Python."""
    assert _logged_key(f"2026-03-01 12:00:00{fraction}") == NOON_KEY + microseconds


def _logged_key(value: object) -> object:
    with sa.create_engine("sqlite://").connect() as connection:
        statement = f"SELECT {microseconds_sql('v')} FROM (SELECT ? AS v)"
        return connection.exec_driver_sql(statement, (value,)).scalar()


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_000_000))
def test_instants_survive_their_number(number: int) -> None:
    """Both directions agree to the microsecond."""
    assert to_microseconds(from_microseconds(number)) == number
    span = from_microseconds(number) - from_microseconds(0)
    assert duration_microseconds(span) == number
