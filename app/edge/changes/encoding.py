"""One text encoding for values of parameters, of result rows and of row images."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from typing import Any
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ValueKind(Enum):
    """How a column's values compare with a parameter that is a text."""

    TEXT = auto()
    """As bytes."""
    NUMBER = auto()
    """By value, so that several texts are equal to one number."""
    UUID = auto()
    """By value, in a database with a type for UUIDs."""
    DATE = auto()
    """By value."""


def encode_value(value: Any) -> str | None:
    """Return a value as text, or None if it has no unique encoding and can't be compared."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | UUID):
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str) else None


def has_no_encoding(value: Any) -> bool:
    """Return whether an image's value has no unique encoding, so it may equal any parameter."""
    return value is not None and encode_value(value) is None


_NUMERAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


_CANONICAL_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CANONICAL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def encode_parameter(value: Any, kind: ValueKind = ValueKind.TEXT) -> str | None:
    """Return a parameter of a column's kind as text.

    None if the column may equal it although the encodings differ: if the model declares a text
    column and the table a numeric one, SQLite stores '05' as 5.
    """
    if isinstance(value, str) and not _is_canonical(value, kind):
        return None
    return encode_value(value)


def _is_canonical(text: str, kind: ValueKind) -> bool:
    """Return whether no other text is equal to this one in a column of the kind."""
    if kind is ValueKind.UUID:
        return _CANONICAL_UUID.fullmatch(text) is not None
    if kind is ValueKind.DATE:
        return _CANONICAL_DATE.fullmatch(text) is not None
    if kind is ValueKind.NUMBER:
        return False
    return not _NUMERAL.fullmatch(text) or _CANONICAL_INTEGER.fullmatch(text) is not None


def sort_key_value(value: Any) -> int | None:
    """Return a sort key as an integer: an instant in microseconds since 1970, or the number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        value = _instant(value)
    if not isinstance(value, datetime):
        return None
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(microseconds=1)


def _instant(text: str) -> datetime | None:
    """Parse SQLite's text of an instant in the two formats that the triggers parse too."""
    try:
        return datetime.fromisoformat(text) if len(text) in {19, 26} and text[10] == " " else None
    except ValueError:
        return None
