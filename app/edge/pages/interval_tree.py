"""Intervals of a sort key in a B-tree: each lies at one node, and a key is looked up at few nodes.

A relational interval tree (Kriegel, Pötke and Seidl, 2000) that needs no table of nodes.
"""

from __future__ import annotations

from collections.abc import Iterator

KEY_BITS = 52
"""Enough bits for microseconds from the year 1900 until after 2040."""

KEY_OFFSET = 1 << 51
"""Added to a key, so that instants before 1970 are not negative."""

NO_INTERVAL = -1
"""The node of a dependency that has no interval."""

MIN_KEY = 0
MAX_KEY = (1 << KEY_BITS) - 1


def place_interval(low: int | None, high: int | None) -> tuple[int, int, int]:
    """Return the node, the lower and the upper bound of an interval; None means unbounded."""
    bottom = MIN_KEY if low is None else to_tree_key(low)
    top = MAX_KEY if high is None else to_tree_key(high)
    top = max(top, bottom)  # an empty interval becomes one key: it purges more, never less
    if bottom == MIN_KEY and top == MAX_KEY:
        return NO_INTERVAL, bottom, top
    differing_bits: int = (bottom - 1) ^ top
    level = differing_bits.bit_length() - 1 if bottom else KEY_BITS - 1
    return (top >> level) << level, bottom, top


def to_tree_key(key: int) -> int:
    """Return the key, limited to the bounds of the tree."""
    return min(max(key + KEY_OFFSET, MIN_KEY), MAX_KEY)


def nodes_containing(key: int) -> Iterator[int]:
    """Yield the nodes at which an interval that contains `key` can lie."""
    at = to_tree_key(key)
    yield NO_INTERVAL
    yield MIN_KEY
    for level in range(KEY_BITS):
        below = (at >> level) << level
        yield below
        yield below + (1 << level)
