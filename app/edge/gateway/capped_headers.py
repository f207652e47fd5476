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


def format_capped_headers(instead: Mapping[str, Iterable[FieldLine]]) -> str:
    """Spell, for each word, the lines that take the place of those that stand there."""
    return json.dumps({word: dict(lines) for word, lines in instead.items()}, sort_keys=True)


def apply_capped_headers(
    headers: list[FieldLine], kept: Iterable[FieldLine], word: str
) -> list[FieldLine] | None:
    """Return the headers as they are to be sent in doubt; None where that changes nothing."""
    said = [value for name, value in kept if name.lower() == FIELD_LOWER]
    instead = _parse(said[0]).get(word) if said else None
    if not instead:
        return None
    return [(name, instead.get(name.lower(), value)) for name, value in headers]


@lru_cache(maxsize=256)
def _parse(value: str) -> dict[str, dict[str, str]]:
    """Read what `written` wrote; the field is internal, so nobody else writes it."""
    found: dict[str, dict[str, str]] = json.loads(value)
    return {
        word: {name.lower(): line for name, line in lines.items()} for word, lines in found.items()
    }
