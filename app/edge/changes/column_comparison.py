"""Whether the values of a column can be compared by their text encoding."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from .encoding import ValueKind


def is_byte_comparable(column: sa.Column[Any]) -> bool:
    """Return whether values are equal exactly if their encodings are (no collation, padding)."""
    kind = column.type
    if isinstance(kind, sa.CHAR) or kind.__visit_name__ == "CITEXT":
        return False
    if isinstance(kind, sa.Enum):
        return True
    if isinstance(kind, sa.String):
        return kind.collation is None
    if isinstance(kind, sa.Uuid):
        return kind.native_uuid  # otherwise a CHAR
    return isinstance(kind, sa.Integer | sa.Boolean | sa.Date)


def value_kind(column: sa.Column[Any], dialect: sa.Dialect) -> ValueKind:
    """Return how a database compares the values of a column with a text."""
    kind = column.type
    if isinstance(kind, sa.Integer | sa.Boolean):
        return ValueKind.NUMBER
    if isinstance(kind, sa.Date):
        return ValueKind.DATE
    is_uuid = isinstance(kind, sa.Uuid) and dialect.supports_native_uuid
    return ValueKind.UUID if is_uuid else ValueKind.TEXT
