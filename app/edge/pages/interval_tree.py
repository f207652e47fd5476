"""Intervals of a sort key in a B-tree: each lies at one node, and a key asks only its own nodes.

A relational interval tree (Kriegel, Pötke and Seidl, 2000) that needs no table of its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

BITS = 52
"""Microseconds from the year 1900 to 2040 and beyond fit in so many bits."""

OFFSET = 1 << 51
"""Added to a key, so that instants before 1970 count as well."""

ALWAYS = -1
"""The node of a dependency that has no interval."""

LOWEST = 0
HIGHEST = (1 << BITS) - 1


def placed(low: int | None, high: int | None) -> tuple[int, int, int]:
    """The node, the low and the high end of an interval; None is open to that side."""
    bottom = LOWEST if low is None else shifted(low)
    top = HIGHEST if high is None else shifted(high)
    top = max(top, bottom)  # an empty interval keeps one key: coarser, never wrong
    if bottom == LOWEST and top == HIGHEST:
        return ALWAYS, bottom, top
    apart: int = (bottom - 1) ^ top
    level = apart.bit_length() - 1 if bottom else BITS - 1
    return (top >> level) << level, bottom, top


def shifted(key: int) -> int:
    """A key within the bounds of the tree."""
    return min(max(key + OFFSET, LOWEST), HIGHEST)


def nodes(key: int) -> Iterator[int]:
    """The nodes at which an interval that holds `key` can lie."""
    at = shifted(key)
    yield ALWAYS
    yield LOWEST
    for level in range(BITS):
        below = (at >> level) << level
        yield below
        yield below + (1 << level)
