"""Header lines with capped lifetimes: they replace the normal lines while an edge can't be purged.

The application sends both sets of lines, so that a stored page can be sent with either. The cap
level, which the application defines, tells which edges can be purged.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ..name import TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..http.fields import FieldLine

#: The response field in which an application sends the capped lines to the gateway.
FIELD: Final = f"{TITLE}-In-Doubt"
FIELD_LOWER: Final = FIELD.lower()

ALL_CAPPED: Final = "0"
"""The cap level if no edge can be purged; also used for stale responses."""


def format_capped_headers(lines_by_level: Mapping[str, Iterable[FieldLine]]) -> str:
    """Return the field value: for each cap level, the lines that replace the normal ones."""
    return json.dumps(
        {level: dict(lines) for level, lines in lines_by_level.items()}, sort_keys=True
    )


def apply_capped_headers(
    headers: list[FieldLine], internal_lines: Iterable[FieldLine], cap_level: str
) -> list[FieldLine] | None:
    """Return the headers with capped lifetimes; None if nothing changes at this level."""
    values = [value for name, value in internal_lines if name.lower() == FIELD_LOWER]
    capped_lines = _parse(values[0]).get(cap_level) if values else None
    if not capped_lines:
        return None
    return [(name, capped_lines.get(name.lower(), value)) for name, value in headers]


@lru_cache(maxsize=256)
def _parse(value: str) -> dict[str, dict[str, str]]:
    """Parse a value of `format_capped_headers`; only the application can send this field."""
    lines_by_level: dict[str, dict[str, str]] = json.loads(value)
    return {
        level: {name.lower(): line for name, line in lines.items()}
        for level, lines in lines_by_level.items()
    }
