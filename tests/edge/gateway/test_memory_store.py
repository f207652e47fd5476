from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.store.base import BodyInfo, SaveResult, StoredResponse
from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.store_contract import BODIES, KEY, StoreContract, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TestMemoryStore(StoreContract):
    """The memory store follows the contract of every store."""

    @pytest.fixture
    def store(self) -> Iterator[MemoryStore]:
        """Give a store with room enough."""
        store = MemoryStore()
        yield store
        store.close()

    @pytest.fixture
    def small(self) -> Callable[[], MemoryStore]:
        """Make a store with room for a few pages."""
        return lambda: MemoryStore(max_bytes=1_000_000, max_entry=100_000)


OVERHEAD = 2048
"""The bytes that the store counts for a variant besides its key, header texts and bodies."""


def page(size: int, **changes: Any) -> tuple[StoredResponse, dict[str, bytes]]:
    """Return a response with one header and a body of this size, and its bodies."""
    response = stored(
        headers=(("X", "1"),),
        internal_headers=(("Y", "22"),),
        bodies=(BodyInfo(coding="identity", length=size),),
        **changes,
    )
    return response, {"identity": b"x" * size}


def save(store: MemoryStore, key: bytes, size: int, **changes: Any) -> SaveResult:
    """Save a page that counts as `size` bytes."""
    response, bodies = page(size - OVERHEAD - len(key) - len("X1Y22"), **changes)
    return store.save(key, response, bodies, token=store.purge_token())


def stored_keys(store: MemoryStore, *keys: bytes) -> list[bytes]:
    """Return those of the keys that have an entry, without a use of the others."""
    return [key for key in keys if store.load(key)]


@pytest.mark.parametrize(
    ("size", "result"), [(10_000, SaveResult.SAVED), (10_001, SaveResult.FULL)]
)
def test_one_page_may_fill_the_store(size: int, result: SaveResult) -> None:
    """Key, headers, bodies and overhead count; a page of one more byte is refused."""
    store = MemoryStore(max_bytes=10_000)
    assert save(store, b"small", 3000) is SaveResult.SAVED
    assert save(store, b"large", size) is result
    keys = [b"large"] if result is SaveResult.SAVED else [b"small"]
    assert stored_keys(store, b"small", b"large") == keys


def test_pages_that_fit_exactly_evict_nothing() -> None:
    """One byte more evicts the page that was used longest ago, and no other."""
    store = MemoryStore(max_bytes=12_000)
    for key in (b"a", b"b", b"c"):
        assert save(store, key, 4000) is SaveResult.SAVED
    assert stored_keys(store, b"b", b"c", b"a") == [b"b", b"c", b"a"]
    assert save(store, b"d", 2201) is SaveResult.SAVED
    assert stored_keys(store, b"a", b"b", b"c", b"d") == [b"a", b"c", b"d"]


@pytest.mark.parametrize("turns", [1, 20])
def test_a_page_that_is_replaced_or_purged_frees_its_room(turns: int) -> None:
    """The store does not fill up with pages that are gone."""
    store = MemoryStore(max_bytes=12_000)
    assert save(store, b"a", 4000) is SaveResult.SAVED
    for _ in range(turns):
        assert save(store, b"b", 8000) is SaveResult.SAVED
        store.purge(b"b")
        assert save(store, b"b", 8000) is SaveResult.SAVED
    assert stored_keys(store, b"a", b"b") == [b"a", b"b"]
    assert store.purge_all() == 2
    assert save(store, b"c", 12_000) is SaveResult.SAVED


def test_other_pages_leave_before_variants_of_the_page_that_is_saved() -> None:
    """Then the oldest variants leave, until the new one fits."""
    store = MemoryStore(max_bytes=16_000)
    assert save(store, b"a", 4000) is SaveResult.SAVED
    for value in "123":
        assert save(store, b"b", 4000, vary=(("x", value),)) is SaveResult.SAVED
    assert stored_keys(store, b"a") == [b"a"]
    assert save(store, b"b", 4000, vary=(("x", "4"),)) is SaveResult.SAVED
    assert stored_keys(store, b"a") == []
    assert [head.vary[0][1] for head in store.load(b"b")] == ["1", "2", "3", "4"]
    assert save(store, b"b", 8000, vary=(("x", "5"),)) is SaveResult.SAVED
    assert [head.vary[0][1] for head in store.load(b"b")] == ["3", "4", "5"]


def test_a_head_that_grows_evicts_an_older_page() -> None:
    """A 304 can bring longer headers; those count as well."""
    store = MemoryStore(max_bytes=12_000)
    assert save(store, b"a", 4000) is SaveResult.SAVED
    response, bodies = page(4000 - OVERHEAD - 6)
    assert store.save(b"b", response, bodies, token=0) is SaveResult.SAVED
    for length, keys in ((4001, [b"a", b"b"]), (4002, [b"b"])):
        longer = replace(response, headers=(("X", "1" * length),))
        assert store.freshen(b"b", longer, token=0) is SaveResult.SAVED
        assert stored_keys(store, b"a", b"b") == keys


def test_codings_that_are_added_evict_an_older_page() -> None:
    """The compressed bodies count as well."""
    for length, keys in ((4000, [b"a", b"b"]), (4001, [b"b"])):
        store = MemoryStore(max_bytes=12_000)
        assert save(store, b"a", 4000) is SaveResult.SAVED
        response, bodies = page(4000 - OVERHEAD - 6, needs_compression=True)
        assert store.save(b"b", response, bodies, token=0) is SaveResult.SAVED
        codings = {"gzip": b"x" * length}
        assert store.add_codings(b"b", response.id, codings, token=0) is SaveResult.SAVED
        assert stored_keys(store, b"a", b"b") == keys


def test_purges_that_are_forgotten_refuse_only_older_tokens() -> None:
    """The purges that were made longest ago are forgotten first."""
    store = MemoryStore()
    for number in range(10_010):
        store.purge(b"other %d" % number)
    token = store.purge_token()
    for number in range(10):
        store.purge(b"later %d" % number)
    assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.SAVED
    result = store.save(b"later 0", stored(), BODIES, token=token)
    assert result is SaveResult.PURGED_SINCE_FETCH


def test_a_store_that_is_closed_holds_nothing() -> None:
    """Closing frees the memory."""
    store = MemoryStore()
    assert save(store, KEY, 4000) is SaveResult.SAVED
    store.close()
    assert store.load(KEY) == ()
