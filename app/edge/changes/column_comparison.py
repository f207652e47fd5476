"""Whether the values of a column can be compared by their text encoding."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa


def is_byte_comparable(column: sa.Column[Any]) -> bool:
    """Return whether values are equal exactly if their encodings are (no collation, padding)."""
    kind = column.type
    if isinstance(kind, sa.CHAR) or kind.__visit_name__ == "CITEXT":
        return False
    if isinstance(kind, sa.Enum):
        return not kind.native_enum
    if isinstance(kind, sa.String):
        return kind.collation is None
    return isinstance(kind, sa.Integer | sa.Boolean)
