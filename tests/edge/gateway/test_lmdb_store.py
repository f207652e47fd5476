from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.base import BodyInfo, SaveResult
from app.edge.gateway.store.lmdb.body_cache import BodyCache
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.edge.gateway.store_contract import BODIES, KEY, OTHER, PAGE, StoreContract, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MEBI = 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the path of a store that does not exist yet."""
    return tmp_path / "cache"


@pytest.fixture(params=[0, 20], ids=["looks-each-time", "looks-now-and-then"])
def store(folder: Path, request: pytest.FixtureRequest) -> Iterator[LmdbStore]:
    """Give a store with room enough."""
    store = LmdbStore(folder, recheck=timedelta(milliseconds=request.param))
    yield store
    store.close()


class TestLmdbStore(StoreContract):
    """The LMDB store follows the contract of every store."""

    @pytest.fixture
    def small(self, folder: Path) -> Callable[[], LmdbStore]:
        """Create a store with room for a few pages."""
        return lambda: LmdbStore(folder, max_bytes=1_000_000, max_entry=100_000)


def save(store: LmdbStore, key: bytes, body: bytes) -> SaveResult:
    """Save a response of one body."""
    response = stored(bodies=(BodyInfo(coding="identity", length=len(body)),))
    return store.save(key, response, {"identity": body}, token=store.purge_token())


def served(store: LmdbStore, key: bytes) -> bytes | None:
    """Return the body a reader would get, or None for a miss."""
    for response in store.load(key):
        return store.read_body(key, response, response.bodies[0].coding)
    return None


def test_a_body_that_is_held_in_memory_is_gone_with_its_page(store: LmdbStore) -> None:
    """A cached body is served only if LMDB still holds its serial."""
    save(store, KEY, PAGE)
    (response,) = store.load(KEY)
    body = store.read_body(KEY, response, "identity")
    assert store.read_body(KEY, response, "identity") is body
    store.purge(KEY)
    assert store.read_body(KEY, response, "identity") is None


def test_the_bodies_held_in_memory_are_bounded() -> None:
    """The body cache has a size limit, and large bodies are not cached."""
    hot = BodyCache()
    for serial in range(300):
        hot.add(serial, bytes(200_000))
    hot.add(300, bytes(300_000))
    cached_serials = [serial for serial in range(301) if hot.get(serial) is not None]
    assert cached_serials[-1] == 299
    assert 200_000 * len(cached_serials) <= 16 * MEBI


def test_nothing_is_opened_before_it_is_needed(folder: Path) -> None:
    """A server may build its app before it forks: the first request opens the files."""
    LmdbStore(folder).close()
    assert not folder.exists()


def test_a_store_survives_being_closed(folder: Path) -> None:
    """Pages, rejected tokens and metadata are kept when it is opened again."""
    first = LmdbStore(folder)
    assert save(first, KEY, PAGE) is SaveResult.SAVED
    token = first.purge_token()
    first.purge(OTHER)
    assert first.set_metadata(b"chain", b"42")
    first.close()
    reopened = LmdbStore(folder)
    assert served(reopened, KEY) == PAGE
    assert reopened.get_metadata(b"chain") == b"42"
    assert reopened.save(OTHER, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
    reopened.close()


def test_two_stores_of_one_folder_share_it(folder: Path) -> None:
    """One process may open the store twice; closing one leaves the other open."""
    one, two = LmdbStore(folder), LmdbStore(folder)
    assert save(one, KEY, PAGE) is SaveResult.SAVED
    assert served(two, KEY) == PAGE
    one.close()
    assert two.purge(KEY) == 1
    two.close()


def test_a_store_of_another_size_is_made_anew(folder: Path) -> None:
    """The size limit is a setting; a store with another limit is discarded."""
    large = LmdbStore(folder, max_bytes=8 * MEBI)
    save(large, KEY, PAGE)
    large.close()
    small = LmdbStore(folder, max_bytes=4 * MEBI)
    assert small.load(KEY) == ()
    assert save(small, KEY, PAGE) is SaveResult.SAVED
    small.close()


def test_too_small_a_bound_is_refused(folder: Path) -> None:
    """A limit without room for the store's own tables raises at once."""
    with pytest.raises(ValueError, match="524288 bytes or more, not 1000"):
        LmdbStore(folder, max_bytes=1000)


def test_a_key_without_end_is_not_kept(store: LmdbStore) -> None:
    """A key is part of the entry, so its length is limited."""
    assert save(store, b"k" * 100_000, PAGE) is SaveResult.TOO_LARGE
    assert store.load(b"k" * 100_000) == ()


def test_the_file_stays_within_its_bound(folder: Path) -> None:
    """The data file never exceeds the setting."""
    store = LmdbStore(folder, max_bytes=2 * MEBI, max_entry=MEBI // 4)
    sizes = (100, 3_000, 20_000, 90_000, 1)
    for number in range(600):
        saved = save(store, b"page %d" % (number % 400), os.urandom(sizes[number % 5]))
        assert saved is SaveResult.SAVED
    assert (folder / "store" / "data.mdb").stat().st_size <= 2 * MEBI
    stats = store.stats()
    assert stats is not None
    assert stats.evicted > 100
    assert 1.2 * MEBI < stats.used <= stats.limit
    assert stats.variants == stats.pages
    store.close()


def test_a_visited_page_outlives_those_that_nobody_asks_for(folder: Path) -> None:
    """A crawler that fills the store does not evict the pages that readers request."""
    store = LmdbStore(folder, max_bytes=MEBI)
    save(store, b"home", PAGE)
    save(store, b"unseen", PAGE)
    for number in range(300):
        assert served(store, b"home") == PAGE
        save(store, b"page %d" % number, bytes(10_000))
    assert store.load(b"unseen") == ()
    store.close()


def test_a_page_that_was_wanted_once_leaves_in_the_end(folder: Path) -> None:
    """An access gives a page one more turn, not more."""
    store = LmdbStore(folder, max_bytes=MEBI)
    save(store, b"fad", PAGE)
    assert served(store, b"fad") == PAGE
    for number in range(300):
        save(store, b"page %d" % number, bytes(10_000))
    assert store.load(b"fad") == ()
    store.close()


def test_the_most_visited_pages_are_known(store: LmdbStore) -> None:
    """After a release the most requested pages can be fetched first."""
    for number in range(50):
        save(store, b"page %d" % number, PAGE)
    for times, key in ((30, b"page 7"), (20, b"page 9"), (10, b"page 11")):
        for _ in range(times):
            store.load(key)
    assert store.most_requested(3) == [(b"page 7", 30), (b"page 9", 20), (b"page 11", 10)]


def test_a_purge_is_counted(store: LmdbStore) -> None:
    """An operator sees the size of the store and the number of purges."""
    save(store, KEY, PAGE)
    store.purge(OTHER)
    stats = store.stats()
    assert stats is not None
    assert (stats.pages, stats.variants, stats.purges, stats.evicted) == (1, 1, 1, 0)


def test_a_note_is_small(store: LmdbStore) -> None:
    """A metadata value that is too long raises an error."""
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        store.set_metadata(b"name", bytes(5000))
    assert store.get_metadata(b"name") is None


def test_a_freshened_head_keeps_the_other_variants(store: LmdbStore) -> None:
    """A 304 for one variant does not change the others."""
    one, two = (stored(vary=(("a", value),)) for value in "12")
    for response in (one, two):
        store.save(KEY, response, BODIES, token=store.purge_token())
    new = replace(one, lifetime=1.0)
    assert store.freshen(KEY, new, token=store.purge_token()) is SaveResult.SAVED
    assert set(store.load(KEY)) == {new, two}
    assert store.read_body(KEY, two, "gzip") == BODIES["gzip"]


def test_more_threads_than_spare_readers_read_at_once(store: LmdbStore) -> None:
    """Forty threads read concurrently without an error."""
    save(store, KEY, PAGE)
    together, bodies = threading.Barrier(40), list[bytes | None]()

    def read() -> None:
        together.wait()
        bodies.extend(served(store, KEY) for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [PAGE] * 800
