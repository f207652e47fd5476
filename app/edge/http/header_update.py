"""Update stored header fields from a 304 or HEAD (RFC 9111 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from .fields import FieldLine

#: Fields that describe the stored bytes, which did not change.
_BYTES: Final = frozenset({"content-encoding", "content-length", "content-range"})


def update_stored_fields(
    stored: Iterable[FieldLine], newer: Iterable[FieldLine], left_out: Collection[str]
) -> tuple[FieldLine, ...]:
    """Return the stored lines with each received field replaced by its new lines."""
    fresh = tuple(
        (name, value)
        for name, value in newer
        if name.lower() not in _BYTES and name.lower() not in left_out
    )
    replaced = {name.lower() for name, _ in fresh}
    return (*(pair for pair in stored if pair[0].lower() not in replaced), *fresh)
