"""One text encoding for values of parameters, of result rows and of row images."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_value(value: Any) -> str | None:
    """Return a value as text, or None if it has no unique encoding and can't be compared."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


def has_no_encoding(value: Any) -> bool:
    """Return whether an image's value has no unique encoding, so it may equal any parameter."""
    return value is not None and encode_value(value) is None


_NUMERAL = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_CANONICAL_INTEGER = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


def encode_parameter(value: Any) -> str | None:
    """Return a parameter as text; None for a numeral that a numeric column would store otherwise.

    If the model declares a text column and the table a numeric one, SQLite stores '05' as 5.
    """
    if (
        isinstance(value, str)
        and _NUMERAL.fullmatch(value)
        and not _CANONICAL_INTEGER.fullmatch(value)
    ):
        return None
    return encode_value(value)


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
