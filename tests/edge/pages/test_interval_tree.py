from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.edge.pages.interval_tree import HIGHEST, OFFSET, nodes, placed, shifted

keys = st.integers(-OFFSET, HIGHEST - OFFSET)


@given(st.none() | keys, st.none() | keys, keys)
def test_a_key_finds_every_interval_that_holds_it(
    low: int | None, high: int | None, key: int
) -> None:
    """The node of an interval is among the nodes of each key inside it."""
    if low is not None and high is not None and low > high:
        low, high = high, low
    node, bottom, top = placed(low, high)
    inside = (low is None or low <= key) and (high is None or key <= high)
    assert not inside or (node in set(nodes(key)) and bottom <= shifted(key) <= top)


@given(keys)
def test_a_key_asks_few_nodes(key: int) -> None:
    """The number of nodes is bounded by the bits of a key, not by the number of intervals."""
    assert len(set(nodes(key))) <= 106
