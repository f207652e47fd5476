from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.pages.interval_tree import (
    KEY_OFFSET,
    MAX_KEY,
    NO_INTERVAL,
    nodes_containing,
    place_interval,
    to_tree_key,
)

keys = st.integers(-KEY_OFFSET, MAX_KEY - KEY_OFFSET)


@given(st.none() | keys, st.none() | keys, keys)
def test_a_key_finds_every_interval_that_holds_it(
    low: int | None, high: int | None, key: int
) -> None:
    """The node of an interval is among the nodes of each key inside it."""
    if low is not None and high is not None and low > high:
        low, high = high, low
    node, bottom, top = place_interval(low, high)
    inside = (low is None or low <= key) and (high is None or key <= high)
    assert not inside or (node in set(nodes_containing(key)) and bottom <= to_tree_key(key) <= top)


@given(keys)
def test_a_key_is_looked_up_at_few_nodes(key: int) -> None:
    """The number of nodes is bounded by the bits of a key, not by the number of intervals."""
    assert len(set(nodes_containing(key))) <= 106


def instant(year: int) -> int:
    """Return the first instant of a year as a sort key."""
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


LOWEST, HIGHEST = -KEY_OFFSET, MAX_KEY - KEY_OFFSET
EDGE_KEYS = (
    *(LOWEST, LOWEST + 1, LOWEST - 1, HIGHEST, HIGHEST - 1, HIGHEST + 1, -1, 0, 1),
    *(instant(year) for year in (1, 1890, 1899, 1969, 1970, 2026, 2041, 2042, 2100, 9999)),
    *(sign * (1 << bits) for sign in (1, -1) for bits in (20, 50, 51, 52)),
)


def is_found(key: int, low: int | None, high: int | None) -> bool:
    """Return whether the resolver finds a stored interval that it looks up by this key."""
    node, bottom, top = place_interval(low, high)
    return node in set(nodes_containing(key)) and bottom <= to_tree_key(key) <= top


@pytest.mark.parametrize("low", [None, *EDGE_KEYS])
def test_keys_at_the_ends_of_the_tree_are_found(low: int | None) -> None:
    """Every key inside an interval finds it; inside the tree, no key outside of it does."""
    for high, key in itertools.product((None, *EDGE_KEYS), EDGE_KEYS):
        inside = (low is None or low <= key) and (high is None or key <= high)
        if inside:
            assert is_found(key, low, high), key
        elif _in_tree(key) and not _is_empty(low, high):
            assert not is_found(key, low, high), key


def _in_tree(key: int) -> bool:
    """Return whether a key differs from all keys that are limited to the ends of the tree."""
    return LOWEST < key < HIGHEST


def _is_empty(low: int | None, high: int | None) -> bool:
    return low is not None and high is not None and low > high


@given(keys, keys, keys)
def test_a_key_outside_of_an_interval_does_not_find_it(low: int, high: int, key: int) -> None:
    """Only rows inside of the stored bounds purge a page."""
    low, high = min(low, high), max(low, high)
    if _in_tree(key):
        assert is_found(key, low, high) is (low <= key <= high)
        assert is_found(key, low, None) is (key >= low)
        assert is_found(key, None, high) is (key <= high)


@pytest.mark.parametrize("key", [0, instant(2026), instant(2050)])
def test_an_empty_interval_is_found_by_its_lower_bound(key: int) -> None:
    """An interval whose lower bound is above the upper one becomes one key."""
    assert is_found(key, key, key - 1)
    assert not is_found(key - 1, key, key - 1) or not _in_tree(key - 1)


@pytest.mark.parametrize(
    ("low", "high", "has_interval"),
    [(None, None, False), (None, 0, True), (0, None, True), (LOWEST, HIGHEST, False)],
)
def test_only_an_interval_of_all_keys_is_stored_without_a_node(
    low: int | None, high: int | None, *, has_interval: bool
) -> None:
    """One bound is enough to narrow a dependency; its node is never `NO_INTERVAL`."""
    assert (place_interval(low, high)[0] != NO_INTERVAL) is has_interval
    assert NO_INTERVAL in set(nodes_containing(0))
