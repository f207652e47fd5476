"""Doubt: what caches further out are told instead, while it is not sure that they can be purged.

The application says both at once, so that a page which was stored in good times is sent with
short lives in bad ones. A word says how far the doubt goes; it is the application's own.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..http.fields import FieldLine

#: The response field in which an application tells a gateway what to say in doubt.
FIELD: Final = "Broadsheet-In-Doubt"
FIELD_LOWER: Final = FIELD.lower()

ALL_CAPPED: Final = "0"
"""The word for the deepest doubt; also for what is sent though it is stale."""


def format_capped_headers(lines_by_level: Mapping[str, Iterable[FieldLine]]) -> str:
    """Spell, for each word, the lines that take the place of those that stand there."""
    return json.dumps(
        {level: dict(lines) for level, lines in lines_by_level.items()}, sort_keys=True
    )


def apply_capped_headers(
    headers: list[FieldLine], internal_lines: Iterable[FieldLine], cap_level: str
) -> list[FieldLine] | None:
    """Return the headers as they are to be sent in doubt; None where that changes nothing."""
    values = [value for name, value in internal_lines if name.lower() == FIELD_LOWER]
    capped_lines = _parse(values[0]).get(cap_level) if values else None
    if not capped_lines:
        return None
    return [(name, capped_lines.get(name.lower(), value)) for name, value in headers]


@lru_cache(maxsize=256)
def _parse(value: str) -> dict[str, dict[str, str]]:
    """Read what `written` wrote; the field is internal, so nobody else writes it."""
    lines_by_level: dict[str, dict[str, str]] = json.loads(value)
    return {
        level: {name.lower(): line for name, line in lines.items()}
        for level, lines in lines_by_level.items()
    }
