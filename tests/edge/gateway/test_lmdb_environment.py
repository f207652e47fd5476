"""One open incarnation of the LMDB store: when its data may be used, and what it caches."""

from __future__ import annotations

import fcntl
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.lmdb import InvalidStoreError, access_counters, environment
from app.edge.gateway.store.lmdb.entry import BodyRef, CacheEntry
from app.edge.gateway.store.lmdb.environment import Environment, EnvironmentClosedError
from app.edge.gateway.store.lmdb.folder import StoreFolder
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.edge.gateway.child_processes import run, running
from tests.edge.gateway.store_contract import BODIES, KEY, stored
from tests.edge.gateway.test_lmdb_store import save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.edge.gateway.store.lmdb.environment import Transaction

LIMIT = 1 << 20


class FakeTime:
    """A monotonic clock that stands still until the test moves it; sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.now += max(seconds, 0.1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """Give the environment a clock of the test."""
    fake = FakeTime()
    monkeypatch.setattr(environment, "time", fake)
    return fake


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    """Return the folder of a new store."""
    folder = StoreFolder(path=tmp_path / "cache")
    with folder.exclusive_lock():
        folder.create(limit=LIMIT)
    return folder


@pytest.fixture
def env(folder: StoreFolder) -> Iterator[Environment]:
    """Open the new store."""
    env = Environment(folder, limit=LIMIT)
    yield env
    env.pid = os.getpid()
    if not env.is_closed:
        env.close()


def grow(folder: StoreFolder) -> None:
    """Append a page of zeros to the data file."""
    os.truncate(folder.data, folder.data.stat().st_size + 4096)


def shrink(folder: StoreFolder) -> None:
    """Cut a page off the data file."""
    os.truncate(folder.data, folder.data.stat().st_size - 4096)


def replace_file(folder: StoreFolder) -> None:
    """Put a copy with another inode at the path of the data file."""
    copy = folder.data.with_name("copy")
    copy.write_bytes(folder.data.read_bytes())
    copy.rename(folder.data)


def replace_by_larger_file(folder: StoreFolder) -> None:
    """Put a longer file there, which hides that the old one is gone from a look at the size."""
    replace_file(folder)
    grow(folder)


def condemn(folder: StoreFolder) -> None:
    """Mark the store as discarded, as another process does."""
    access_counters.condemn(folder.store / "visits")


def delete(folder: StoreFolder) -> None:
    """Delete the data file."""
    folder.data.unlink()


CHANGES: dict[str, tuple[list[Callable[[StoreFolder], None]], bool]] = {
    "nothing": ([], True),
    "it has grown": ([grow], True),
    "it was cut": ([shrink], False),
    "it has grown and was cut to its former size": ([grow, grow, shrink], False),
    "it was replaced": ([replace_file], False),
    "it was replaced by a larger file": ([replace_by_larger_file], False),
    "it was deleted": ([delete], False),
    "it was discarded": ([condemn], False),
}


@pytest.mark.parametrize(("changes", "is_current"), CHANGES.values(), ids=CHANGES)
def test_each_change_under_an_open_store_is_noticed(
    env: Environment,
    folder: StoreFolder,
    changes: list[Callable[[StoreFolder], None]],
    *,
    is_current: bool,
) -> None:
    """Growth by another process is the only harmless change of the data file."""
    for change in changes:
        assert env.is_current()
        change(folder)
    assert env.is_current() is is_current
    assert env.was_current_within(0) is is_current


def test_the_files_are_looked_at_once_in_an_interval(
    env: Environment, folder: StoreFolder, clock: FakeTime
) -> None:
    """A store that was deleted from outside is noticed after the interval, and not before."""
    assert env.is_current()
    delete(folder)
    clock.now += 0.9
    assert env.was_current_within(1.0)
    clock.now += 0.1
    assert not env.was_current_within(1.0)


def test_a_look_that_failed_starts_no_interval(
    env: Environment, folder: StoreFolder, clock: FakeTime
) -> None:
    """The next request looks again."""
    clock.now += 100
    delete(folder)
    assert not env.was_current_within(1.0)
    assert not env.was_current_within(1.0)


def test_within_the_interval_a_discarded_closed_or_forked_store_is_not_used(
    env: Environment, folder: StoreFolder, clock: FakeTime
) -> None:
    """These three are seen without a system call, so they are checked for each request."""
    assert env.is_current()
    assert clock.now == 1000.0
    env.pid += 1
    assert not env.was_current_within(1.0)
    assert not env.is_current()
    env.pid = os.getpid()
    assert env.was_current_within(1.0)
    assert env.is_alive()
    condemn(folder)
    assert not env.was_current_within(1.0)
    assert not env.is_alive()


def test_a_closed_store_is_neither_current_nor_alive(env: Environment, clock: FakeTime) -> None:
    """Each of its reads and writes raises, and it is closed at once."""
    assert env.is_current()
    assert env.close()
    assert not env.is_alive()
    assert not env.is_current()
    assert not env.was_current_within(1.0)
    with pytest.raises(EnvironmentClosedError):
        env.get(env.pages, b"a")
    with pytest.raises(EnvironmentClosedError):
        env.has(env.pages, b"a")
    with pytest.raises(EnvironmentClosedError), env.read_transaction():
        pytest.fail("the transaction has begun")
    with pytest.raises(EnvironmentClosedError), env.write_transaction():
        pytest.fail("the transaction has begun")
    assert clock.now == 1000.0


def test_close_waits_for_transactions_and_gives_up_after_two_seconds(
    env: Environment, clock: FakeTime
) -> None:
    """A transaction of a closed LMDB environment would crash the process."""
    for transaction in (env.read_transaction, env.write_transaction):
        with transaction() as reading:
            assert not env.close()
            assert reading.get(b"a", db=env.pages) is None
        env.is_closed = False
    assert 1004.0 <= clock.now <= 1005.0
    assert env.close()
    assert clock.now <= 1005.0


def test_a_child_does_not_wait_for_the_threads_of_its_parent(
    env: Environment, clock: FakeTime
) -> None:
    """They do not exist in the child."""

    def close() -> None:
        env.pid += 1
        assert env.close()
        assert clock.now == 1000.0

    with env.read_transaction():
        assert run(close) == 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_an_open_store_has_its_files_open_until_it_is_closed(
    env: Environment, folder: StoreFolder
) -> None:
    """Otherwise the test of a store that can't be opened could not fail."""
    assert open_lmdb_files(folder) == {"data.mdb", "lock.mdb"}
    env.close()
    assert open_lmdb_files(folder) == set()


def test_a_write_is_undone_by_an_exception(env: Environment) -> None:
    """The transaction ends, so that the store can be closed."""
    with pytest.raises(ZeroDivisionError), env.write_transaction() as transaction:
        transaction.put(b"a", b"b", db=env.pages)
        raise ZeroDivisionError
    assert env.get(env.pages, b"a") is None
    assert not env.has(env.pages, b"a")
    with env.write_transaction() as transaction:
        transaction.put(b"a", b"b", db=env.pages)
    assert env.get(env.pages, b"a") == b"b"
    assert env.has(env.pages, b"a")
    assert env.get(env.bodies, b"a") is None


def open_lmdb_files(folder: StoreFolder) -> set[str]:
    """Return the names of LMDB's files that this process has open."""
    files = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
    return {name for name in ("data.mdb", "lock.mdb") if str(folder.store / name) in files}


def forget_boot(folder: StoreFolder) -> None:
    """Change the boot in the identity file."""
    path = folder.store / "identity"
    path.write_text(path.read_text().rpartition(" ")[0] + " another")


def forget_incarnation(folder: StoreFolder) -> None:
    """Change the incarnation in the identity file, so that it is not that of the data."""
    path = folder.store / "identity"
    words = path.read_text().split(" ")
    path.write_text(" ".join([*words[:4], "7", words[5]]))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("damage", [condemn, forget_boot, forget_incarnation])
def test_a_store_that_can_not_be_opened_is_left_closed(
    folder: StoreFolder, damage: Callable[[StoreFolder], None]
) -> None:
    """No file of LMDB stays open, and the lock that shows a user is free for the next one."""
    damage(folder)
    with pytest.raises(InvalidStoreError) as error:
        Environment(folder, limit=LIMIT)
    assert open_lmdb_files(folder) == set()
    assert error.tb is not None  # the traceback still holds the environment
    with (folder.store / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_first_user_checks_the_size_and_the_next_takes_the_one_of_the_store(
    folder: StoreFolder,
) -> None:
    """During a deploy with another size, old and new processes use one store."""
    with pytest.raises(InvalidStoreError, match="another size"):
        Environment(folder, limit=2 * LIMIT)
    ready, leave = os.pipe(), os.pipe()

    def use_first() -> None:
        first = Environment(folder, limit=LIMIT)
        os.write(ready[1], b".")
        os.read(leave[0], 1)
        first.close()

    with running(use_first):
        assert os.read(ready[0], 1)
        second = Environment(folder, limit=2 * LIMIT)
        assert second.limit == LIMIT
        assert second.close()


def test_no_other_user_of_the_machine_may_enter_the_folder(folder: StoreFolder) -> None:
    """Its files hold the application's responses."""
    for path in (folder.path, folder.store):
        assert path.stat().st_mode & 0o777 == 0o700


def test_a_body_is_checked_once_and_a_damaged_one_each_time(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A serial is never used for other bytes, so the checksum is computed for the first reader."""
    monkeypatch.setattr(environment, "_PROVEN", 2)
    refs = [BodyRef.of(b"right", serial=serial) for serial in range(3)]
    assert [env.verify_body(refs[0], body) for body in (b"wrong", b"wrong", b"right")] == [
        False,
        False,
        True,
    ]
    assert env.verify_body(refs[0], b"wrong")
    assert env.verify_body(refs[1], b"right")
    assert env.verify_body(refs[0], b"wrong")
    assert env.verify_body(refs[2], b"right")  # forgets the two before
    assert [env.verify_body(ref, b"wrong") for ref in refs] == [False, False, True]


def entry(key: bytes, serial: int = 1) -> bytes:
    """Return an encoded entry without variants."""
    return bytes(CacheEntry(key=key, eviction_serial=serial, variants=()))


def test_an_entry_is_decoded_once_for_its_bytes(env: Environment) -> None:
    """Other bytes under the same key are decoded again; damaged ones are no entry."""
    first = env.decode_entry(b"a", entry(b"a"))
    assert first is not None
    assert env.decode_entry(b"a", entry(b"a")) is first
    second = env.decode_entry(b"a", entry(b"a", 2))
    assert second is not None
    assert second.eviction_serial == 2
    assert env.decode_entry(b"a", b"damaged") is None
    assert env.decode_entry(b"a", entry(b"b")) is None
    assert env.last_decoded(b"a") is second
    assert env.last_decoded(b"b") is None


def test_the_oldest_quarter_of_the_decoded_entries_makes_room(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of decoded entries is bounded."""
    monkeypatch.setattr(environment, "_DECODED", 8)
    keys = [b"%d" % number for number in range(9)]
    for key in keys:
        env.decode_entry(key, entry(key))
    assert [key for key in keys if env.last_decoded(key)] == keys[2:]


TABLES = ("pages", "bodies", "eviction_order", "purge_counts", "metadata_table")


@pytest.mark.parametrize("table", TABLES)
def test_the_pages_of_each_table_are_in_use(env: Environment, table: str) -> None:
    """Small values are in leaves, large ones in pages of their own; branches lead to them."""
    with env.write_transaction() as transaction:
        before = env.used_bytes(transaction)
        own = used_pages(transaction, env, table)
        transaction.put(b"large", bytes(100_000), db=getattr(env, table))
        for number in range(100):
            transaction.put(b"%d" % number, bytes(1500), db=getattr(env, table))
        used = env.used_bytes(transaction)
        assert used - before == PAGE_SIZE * (used_pages(transaction, env, table) - own)
        assert used - before > 100_000 + 100 * 1500
    with env.read_transaction() as transaction:
        assert env.used_bytes(transaction) == used


PAGE_SIZE = resource.getpagesize()


def used_pages(transaction: Transaction, env: Environment, table: str) -> int:
    """Return the number of pages of each kind of one table."""
    stat = transaction.stat(getattr(env, table))
    kinds = ("branch_pages", "leaf_pages", "overflow_pages")
    assert not stat["entries"] or stat["depth"] == 1 or stat["branch_pages"]
    return sum(stat[kind] for kind in kinds)


def test_the_statistics_tell_entries_from_variants_and_purges_from_evictions(
    tmp_path: Path,
) -> None:
    """Each number has a meaning of its own, so none is taken from another counter."""
    store = LmdbStore(tmp_path / "cache", max_bytes=LIMIT, refill=True)
    for number in range(150):
        save(store, b"%d" % number, os.urandom(10_000))
    for number in range(3):
        store.purge(b"other %d" % number)
    for value in "12":
        head = stored(vary=(("a", value),))
        store.save(KEY, head, BODIES, token=store.purge_token())
    stats = store.stats()
    assert stats is not None
    stored_numbers = [number for number in range(150) if store.peek(b"%d" % number)]
    assert (stats.pages, stats.variants) == (len(stored_numbers) + 1, len(stored_numbers) + 2)
    assert stats.evicted == 150 - len(stored_numbers) > 0
    assert (stats.purges, stats.limit, stats.refill_queue) == (3, LIMIT, 0)
    assert len(stored_numbers) * 10_000 < stats.used < LIMIT
    store.close()
