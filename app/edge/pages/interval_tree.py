"""Intervals of a sort key in a B-tree: each lies at one node, and a key asks only its own nodes.

A relational interval tree (Kriegel, Pötke and Seidl, 2000) that needs no table of its nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

KEY_BITS = 52
"""Microseconds from the year 1900 to 2040 and beyond fit in so many bits."""

KEY_OFFSET = 1 << 51
"""Added to a key, so that instants before 1970 count as well."""

NO_INTERVAL = -1
"""The node of a dependency that has no interval."""

MIN_KEY = 0
MAX_KEY = (1 << KEY_BITS) - 1


def place_interval(low: int | None, high: int | None) -> tuple[int, int, int]:
    """The node, the low and the high end of an interval; None is open to that side."""
    bottom = MIN_KEY if low is None else to_tree_key(low)
    top = MAX_KEY if high is None else to_tree_key(high)
    top = max(top, bottom)  # an empty interval keeps one key: coarser, never wrong
    if bottom == MIN_KEY and top == MAX_KEY:
        return NO_INTERVAL, bottom, top
    differing_bits: int = (bottom - 1) ^ top
    level = differing_bits.bit_length() - 1 if bottom else KEY_BITS - 1
    return (top >> level) << level, bottom, top


def to_tree_key(key: int) -> int:
    """A key within the bounds of the tree."""
    return min(max(key + KEY_OFFSET, MIN_KEY), MAX_KEY)


def nodes_containing(key: int) -> Iterator[int]:
    """The nodes at which an interval that holds `key` can lie."""
    at = to_tree_key(key)
    yield NO_INTERVAL
    yield MIN_KEY
    for level in range(KEY_BITS):
        below = (at >> level) << level
        yield below
        yield below + (1 << level)
