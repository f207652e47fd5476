from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.edge.pages.interval_tree import (
    KEY_OFFSET,
    MAX_KEY,
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
