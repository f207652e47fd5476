"""The bounds and tables of the LMDB store: what is counted, evicted, queued and listed."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lmdb
import pytest

from app.edge.gateway.sites import Sites
from app.edge.gateway.store.base import SaveResult
from app.edge.gateway.store.lmdb import InvalidStoreError, access_counters
from app.edge.gateway.store.lmdb.access_counters import AccessCounters
from app.edge.gateway.store.lmdb.body_cache import BodyCache
from app.edge.gateway.store.lmdb.environment import Environment, EnvironmentClosedError
from app.edge.gateway.store.lmdb.store import LmdbStore
from app.edge.http.cache_key import build_cache_key
from tests.edge.gateway.store_contract import BODIES, KEY, stored
from tests.edge.gateway.test_lmdb_model import count_rows
from tests.edge.gateway.test_lmdb_store import save, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from app.edge.gateway.store.lmdb.stats import StoreStats

SMALLEST = 512 * 1024
MEBI = 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LmdbStore]:
    """Give the smallest store that is possible, with a queue for refills."""
    store = LmdbStore(tmp_path / "cache", max_bytes=SMALLEST, refill=True)
    yield store
    store.close()


@pytest.fixture
def large(tmp_path: Path) -> Iterator[LmdbStore]:
    """Give a store with room for about 400 pages of 4 kB."""
    store = LmdbStore(tmp_path / "large", max_bytes=2 * MEBI)
    yield store
    store.close()


def stats(store: LmdbStore) -> StoreStats:
    """Return the statistics."""
    result = store.stats()
    assert result is not None
    return result


def test_half_of_the_store_is_the_limit_of_one_page(store: LmdbStore) -> None:
    """A larger setting has no effect; a key has a limit as well."""
    assert save(store, KEY, bytes(SMALLEST // 2 + 1)) is SaveResult.TOO_LARGE
    assert save(store, b"k" * 16_384, b"a") is SaveResult.SAVED
    assert save(store, b"k" * 16_385, b"a") is SaveResult.TOO_LARGE
    with pytest.raises(ValueError, match="524288 bytes or more, not 524287"):
        LmdbStore.__init__(store, None, max_bytes=SMALLEST - 1)  # type: ignore[arg-type] # raises before


def test_each_page_is_either_stored_or_counted_as_evicted(large: LmdbStore) -> None:
    """Also if all pages were requested: then the order decides."""
    for number in range(800):
        assert save(large, b"%d" % number, os.urandom(4000)) is SaveResult.SAVED
        large.load(b"%d" % number)
    remaining = [number for number in range(800) if large.peek(b"%d" % number)]
    result = stats(large)
    assert result.pages == result.variants == len(remaining)
    assert result.evicted == 800 - len(remaining)
    assert 0 < len(remaining) < 800
    assert count_rows(large) == dict.fromkeys(("pages", "bodies", "eviction_order"), len(remaining))
    assert 799 in remaining


def test_the_oldest_pages_are_evicted_first(large: LmdbStore) -> None:
    """Without requests the order is that of the saves."""
    for number in range(800):
        assert save(large, b"%d" % number, os.urandom(4000)) is SaveResult.SAVED
    remaining = [number for number in range(800) if large.peek(b"%d" % number)]
    assert remaining == list(range(800 - len(remaining), 800))


def test_a_look_is_no_request(store: LmdbStore) -> None:
    """`peek` counts nothing."""
    save(store, KEY, b"a")
    assert store.peek(KEY) == store.load(KEY)
    store.peek(KEY)
    assert store.most_requested(1) == [(KEY, 1)]
    assert store.peek(b"other") == ()


def test_purges_are_counted_for_as_many_keys_as_fit(store: LmdbStore) -> None:
    """One more drops all counts: tokens that were read before are then refused."""
    token = store.purge_token()
    for number in range(512):
        store.purge(b"%d" % number)
    assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.SAVED
    store.purge(b"one more")
    assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
    later = store.purge_token()
    store.purge(b"0")
    assert store.save(KEY, stored(), BODIES, token=later) is SaveResult.SAVED
    assert store.save(b"0", stored(), BODIES, token=later) is SaveResult.PURGED_SINCE_FETCH


def keep(store: LmdbStore, path: str, *, times: int = 2, query: str = "", **changes: Any) -> bytes:
    """Store a page that was requested some times; return its key."""
    key = build_cache_key("http://example.org", path, query)
    assert key is not None
    response = stored(**{"lifetime": 600.0, **changes})
    assert store.save(key, response, BODIES, token=store.purge_token()) is SaveResult.SAVED
    for _ in range(times):
        store.load(key)
    return key


QUEUED: dict[str, tuple[dict[str, Any], bool]] = {
    "a page": ({}, True),
    "requested once": ({"times": 1}, False),
    "short-lived": ({"lifetime": 599.9}, False),
    "an error": ({"status": 404}, False),
    "with a query": ({"query": "a=b"}, False),
    "varies on the coding": ({"vary": (("accept-encoding", "br"),)}, True),
    "varies on another field": ({"vary": (("accept-language", "de"),)}, False),
    "varies on two fields": (
        {"vary": (("accept-encoding", "br"), ("accept-language", "de"))},
        False,
    ),
}


@pytest.mark.parametrize("purges_all", [False, True])
@pytest.mark.parametrize(("changes", "is_queued"), QUEUED.values(), ids=QUEUED)
def test_a_page_is_queued_if_a_plain_request_restores_it(
    store: LmdbStore, changes: dict[str, Any], is_queued: bool, purges_all: bool
) -> None:
    """It was requested twice, lives ten minutes, and is the same for all."""
    key = keep(store, "/a", **changes)
    if purges_all:
        store.purge_all()
    else:
        store.purge(key)
    assert stats(store).refill_queue == is_queued
    assert store.pop_refill_key() == (key if is_queued else None)
    assert store.pop_refill_key() is None


def test_one_variant_that_can_be_restored_is_enough(store: LmdbStore) -> None:
    """The others are fetched for their next readers."""
    keep(store, "/a", vary=(("accept-language", "de"),))
    key = keep(store, "/a", vary=())
    store.purge(key)
    assert store.pop_refill_key() == key


def test_the_queue_is_short_and_ordered(tmp_path: Path) -> None:
    """Its bound follows from the size of the store; its other small rows count as well."""
    store = LmdbStore(tmp_path / "cache", max_bytes=MEBI, refill=True)
    keys = [keep(store, f"/{number}", times=2 + number) for number in range(6)]
    for key in keys:
        store.purge(key)
    assert stats(store).refill_queue == 3
    assert [store.pop_refill_key() for _ in range(4)] == [keys[2], keys[1], keys[0], None]
    store.close()


def test_a_queued_page_that_is_stored_again_is_skipped(store: LmdbStore) -> None:
    """A reader was faster."""
    key = keep(store, "/a")
    store.purge(key)
    keep(store, "/a")
    assert stats(store).refill_queue == 1
    assert store.pop_refill_key() is None
    assert stats(store).refill_queue == 0


def test_the_list_of_sites_has_each_site_once(store: LmdbStore) -> None:
    """A list that is full says so instead of leaving a site out."""
    sites = Sites(store)
    assert sites.list_sites() == ()
    for site in ("https://a.example", "https://b.example", "https://a.example"):
        assert sites.add(site)
    assert sites.list_sites() == ("https://a.example", "https://b.example")
    for number in range(400):
        assert sites.add(f"https://{number}.example")
    assert sites.list_sites() is None
    value = store.get_metadata(b"sites")
    assert value is not None
    assert len(value) <= 4096
    assert value.endswith(b"\n*")


@pytest.mark.parametrize(("length", "is_listed"), [(3, True), (4, False)])
def test_a_list_keeps_room_for_its_last_entry(
    store: LmdbStore, length: int, is_listed: bool
) -> None:
    """The entry that says that the list is full fits in any case."""
    assert store.set_metadata(b"list", b"x" * 4090)
    assert store.enlist(b"list", b"y" * length, full=b"*")
    value = store.get_metadata(b"list") or b""
    assert value == b"x" * 4090 + b"\n" + (b"y" * length if is_listed else b"*")
    assert store.enlist(b"list", b"z", full=b"*")
    assert (store.get_metadata(b"list") == value) is not is_listed


NAMES = [(256, 4096, True), (257, 1, False), (1, 4097, False)]


@pytest.mark.parametrize(("name", "value", "fits"), NAMES)
def test_a_small_value_has_a_bound(store: LmdbStore, name: int, value: int, fits: bool) -> None:
    """Its name as well; a line of a list has the same bound."""
    if fits:
        assert store.set_metadata(b"n" * name, b"v" * value)
        assert store.get_metadata(b"n" * name) == b"v" * value
        return
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        store.set_metadata(b"n" * name, b"v" * value)
    with pytest.raises(ValueError, match="at most 4096 bytes"):
        store.enlist(b"n" * name, b"v" * value, full=b"*")


def test_a_store_that_can_not_be_opened_is_empty(tmp_path: Path) -> None:
    """Nothing raises but a purge, and nothing claims to be stored."""
    (tmp_path / "file").write_text("in the way")
    store = LmdbStore(tmp_path / "file")
    assert (store.purge_token(), store.load(KEY), store.peek(KEY)) == (0, (), ())
    assert store.read_body(KEY, stored(), "identity") is None
    assert save(store, KEY, b"a") is SaveResult.FAILED
    assert store.freshen(KEY, stored(), token=0) is SaveResult.FAILED
    assert (store.stats(), store.get_metadata(b"a"), store.pop_refill_key()) == (None, None, None)
    assert store.most_requested(3) == []
    assert not store.set_metadata(b"a", b"b")
    assert not store.enlist(b"a", b"b", full=b"*")
    store.close()


class FailingWrites:
    """Raises the errors one after the other, instead of beginning a write transaction."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.begin = Environment.write_transaction

    def method(self) -> Callable[[Environment], Any]:
        """Return a method of the environment that raises the next error, or begins."""

        def write_transaction(environment: Environment) -> Any:
            if self.errors:
                raise self.errors.pop(0)
            return self.begin(environment)

        return write_transaction


@pytest.mark.parametrize("error", [EnvironmentClosedError(), lmdb.MapFullError("full")])
def test_a_purge_is_repeated(
    store: LmdbStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A store that was closed by another thread, or is full, loses no page but the purged one."""
    save(store, KEY, b"a")
    save(store, b"other", b"b")
    failing = FailingWrites(*[error] * 4)
    monkeypatch.setattr(Environment, "write_transaction", failing.method())
    assert store.purge(KEY) == 1
    assert failing.errors == []
    assert (served(store, KEY), served(store, b"other")) == (None, b"b")


@pytest.mark.parametrize(
    "errors",
    [
        [EnvironmentClosedError()] * 5,
        [lmdb.MapFullError("full")] * 5,
        [lmdb.DiskError("broken")],
        [InvalidStoreError("another store")],
    ],
)
def test_a_purge_that_can_not_be_written_discards_the_store(
    store: LmdbStore, monkeypatch: pytest.MonkeyPatch, errors: list[Exception]
) -> None:
    """No old page is served; tokens from before are refused."""
    save(store, KEY, b"a")
    token = store.purge_token()
    failing = FailingWrites(*errors)
    monkeypatch.setattr(Environment, "write_transaction", failing.method())
    store.purge(KEY)
    assert failing.errors == []
    assert store.load(KEY) == ()
    assert store.save(KEY, stored(), BODIES, token=token) is SaveResult.PURGED_SINCE_FETCH
    assert save(store, KEY, b"new") is SaveResult.SAVED


@pytest.mark.parametrize(
    ("error", "is_discarded"),
    [(lmdb.CorruptedError("bad page"), True), (lmdb.ReadersFullError("many"), False)],
)
def test_a_damaged_store_is_discarded_when_it_is_read(
    store: LmdbStore, monkeypatch: pytest.MonkeyPatch, error: Exception, is_discarded: bool
) -> None:
    """Another error is a miss, and the pages stay."""
    for reads_body in (False, True):
        save(store, KEY, b"a")
        (head,) = store.load(KEY)
        with monkeypatch.context() as patch:
            patch.setattr(Environment, "get", _raising(error))
            body = store.read_body(KEY, head, "identity") if reads_body else None
            assert body is None
            assert reads_body or store.load(KEY) == ()
        assert bool(store.load(KEY)) is not is_discarded


def _raising(error: Exception) -> Any:
    def get(*_arguments: object) -> bytes:
        raise error

    return get


def test_the_counters_of_a_slot_are_halved_when_its_page_gets_one_more_turn(
    tmp_path: Path,
) -> None:
    """Old requests count less and less."""
    access_counters.create_file(tmp_path / "visits")
    counters = AccessCounters(tmp_path / "visits")
    for _ in range(5):
        counters.record_access(7)
    assert [counters.clear_reference_bit(7) for _ in range(2)] == [True, False]
    assert [counters.access_count(slot) for slot in (6, 7, 8)] == [0, 1, 0]
    flags = [counters.is_discarded]
    access_counters.condemn(tmp_path / "visits")
    assert [*flags, counters.is_discarded] == [False, True]
    assert AccessCounters(tmp_path / "visits").is_discarded


def test_the_body_cache_drops_its_older_half() -> None:
    """A body of exactly the limit is cached, and so are bodies of exactly the total."""
    cache, size = BodyCache(), 256 * 1024
    cache.add(0, bytes(size + 1))
    for serial in range(1, 65):
        cache.add(serial, bytes(size))
    assert cache.get(0) is None
    assert all(cache.get(serial) for serial in range(1, 65))
    cache.add(65, b"x")
    cached = [serial for serial in range(66) if cache.get(serial)]
    assert cached == list(range(34, 66))
    for serial in range(66, 98):
        cache.add(serial, bytes(size))
    assert cache.get(34) is not None
    cache.add(98, bytes(size))
    assert cache.get(34) is None
    assert cache.get(98) is not None


def test_no_body_stays_without_its_page(store: LmdbStore) -> None:
    """A variant that is replaced by a 304, or compressed again, leaves no body behind."""
    heads = [stored(vary=(("a", value),)) for value in "12"]
    for head in heads:
        store.save(KEY, head, BODIES, token=store.purge_token())
    assert count_rows(store)["bodies"] == 4
    same = replace(heads[1], vary=heads[0].vary)
    assert store.freshen(KEY, same, token=store.purge_token()) is SaveResult.SAVED
    assert count_rows(store)["bodies"] == 2
    renewed = replace(same, needs_compression=True)
    assert store.freshen(KEY, renewed, token=store.purge_token()) is SaveResult.SAVED
    codings = {"gzip": b"smaller", "br": b"small"}
    saved = store.add_codings(KEY, renewed.id, codings, token=store.purge_token())
    assert saved is SaveResult.SAVED
    assert count_rows(store)["bodies"] == 3
    assert store.purge(KEY) == 1
    assert count_rows(store) == {"pages": 0, "eviction_order": 0, "bodies": 0}
