"""The files of one store: which damage is noticed before LMDB opens them."""

from __future__ import annotations

import fcntl
import os
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.lmdb import InvalidStoreError, access_counters, folder
from app.edge.gateway.store.lmdb.access_counters import AccessCounters
from app.edge.gateway.store.lmdb.counters import StoreCounters
from app.edge.gateway.store.lmdb.entry import BodyRef, CacheEntry, Variant
from app.edge.gateway.store.lmdb.folder import StoreFolder, StoreIdentity, UsersLock
from tests.edge.gateway.store_contract import stored

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT = 1 << 20


@pytest.fixture
def store_folder(tmp_path: Path) -> StoreFolder:
    """Return the folder of a new store."""
    result = StoreFolder(path=tmp_path / "cache")
    with result.exclusive_lock():
        result.create(limit=LIMIT)
    return result


def test_a_new_store_is_complete(store_folder: StoreFolder) -> None:
    """Every check passes, and only its files are in the folder."""
    store_folder.require_files()
    store_folder.verify(limit=LIMIT)
    assert store_folder.identity().limit == LIMIT
    assert sorted(path.name for path in store_folder.path.iterdir()) == ["guard", "store"]


def change_identity(**changes: object) -> Callable[[StoreFolder], None]:
    """Return a function that changes fields of the identity file."""

    def change(store_folder: StoreFolder) -> None:
        text = str(replace(store_folder.identity(), **changes))  # type: ignore[arg-type] # a test names fields
        (store_folder.store / "identity").write_text(text)

    return change


def write_identity(content: bytes) -> Callable[[StoreFolder], None]:
    """Return a function that writes the identity file."""
    return lambda store_folder: _write(store_folder, "identity", content)


def _write(store_folder: StoreFolder, name: str, content: bytes) -> None:
    (store_folder.store / name).write_bytes(content)


def truncate(name: str, size: int) -> Callable[[StoreFolder], None]:
    """Return a function that cuts a file."""
    return lambda store_folder: os.truncate(store_folder.store / name, size)


DAMAGE: dict[str, tuple[Callable[[StoreFolder], None], str]] = {
    "another boot": (change_identity(boot="earlier"), "rebooted"),
    "another size": (change_identity(limit=LIMIT * 2), "another size"),
    "another format": (change_identity(format=1), "another version"),
    "another platform": (change_identity(platform="big-endian"), "on another platform"),
    "another file": (write_identity(b"other-store 2 a 1 2 b"), "can't be read"),
    "too few words": (write_identity(b"one two"), "can't be read"),
    "no number": (write_identity(b"broadsheet-store 2 a x 2 b"), "can't be read"),
    "no text": (write_identity(b"\xff\xfe"), "can't be read"),
    "a short lock file": (truncate("lock.mdb", folder.READERS_FILE - 1), "lock file is too short"),
    "an empty data file": (truncate("data.mdb", 0), "data file"),
    "a data file of noise": (
        lambda store_folder: _write(store_folder, "data.mdb", b"noise" * 9999),
        "data file",
    ),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGE.values(), ids=DAMAGE)
def test_a_store_that_must_not_be_used_is_refused_with_the_reason(
    store_folder: StoreFolder, damage: Callable[[StoreFolder], None], reason: str
) -> None:
    """The reason is logged when the store is discarded."""
    damage(store_folder)
    with pytest.raises(InvalidStoreError, match=reason):
        store_folder.verify(limit=LIMIT)


@pytest.mark.parametrize("name", ["data.mdb", "lock.mdb"])
def test_a_file_that_lmdb_would_create_again_must_be_there(
    store_folder: StoreFolder, name: str
) -> None:
    """A new data file would have lost the purges; a folder in its place is no file."""
    (store_folder.store / name).unlink()
    for makes_folder in (False, True):
        if makes_folder:
            (store_folder.store / name).mkdir()
        with pytest.raises(InvalidStoreError, match=f"{name} is gone"):
            store_folder.require_files()


def test_discarding_marks_the_store_for_all_who_map_it(store_folder: StoreFolder) -> None:
    """Nothing is left at the path; a second call finds nothing to do."""
    counters = AccessCounters(store_folder.store / "visits")
    flags = [counters.is_discarded]
    store_folder.discard()
    assert [*flags, counters.is_discarded] == [False, True]
    assert not store_folder.store.exists()
    store_folder.discard()
    assert sorted(path.name for path in store_folder.path.iterdir()) == ["guard"]


def test_a_lock_that_stays_held_is_an_error_and_not_a_wait_for_ever(
    store_folder: StoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs while it holds the lock must not stop the others."""
    monkeypatch.setattr(folder, "_GUARD_WAIT", 0.01)

    def lock_twice() -> None:
        with store_folder.exclusive_lock(), store_folder.exclusive_lock():
            raise AssertionError("the lock was taken twice")

    with pytest.raises(TimeoutError, match="another process holds"):
        lock_twice()
    with store_folder.exclusive_lock():
        assert store_folder.store.exists()


def test_the_first_user_is_alone_until_another_one_comes(
    store_folder: StoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Processes of two containers must not share a store, as their process ids may be equal."""
    first = UsersLock(store_folder)
    assert first.is_only_user
    first.downgrade_to_shared()
    second = UsersLock(store_folder)
    assert not second.is_only_user
    second.downgrade_to_shared()
    monkeypatch.setattr(folder, "pid_namespace", lambda: "of another container")
    third = UsersLock(store_folder)
    with pytest.raises(PermissionError, match="another container"):
        third.downgrade_to_shared()
    for lock in (first, second, third):
        lock.release()
    later = UsersLock(store_folder)
    assert later.is_only_user
    later.downgrade_to_shared()
    assert (store_folder.store / "users").read_text() == "of another container"
    later.release()


def test_a_missing_users_file_is_damage(store_folder: StoreFolder) -> None:
    """So is a folder in its place, which can't be locked."""
    (store_folder.store / "users").unlink()
    with pytest.raises(InvalidStoreError, match="users file of the store is missing"):
        UsersLock(store_folder)
    (store_folder.store / "users").mkdir()
    with pytest.raises(InvalidStoreError, match="users file of the store is missing"):
        UsersLock(store_folder)


def test_the_identity_is_read_as_it_was_written() -> None:
    """All words are part of it."""
    identity = StoreIdentity(incarnation=7, limit=9, boot="b")
    assert StoreIdentity.parse(str(identity)) == identity


@pytest.mark.parametrize("size", [0, access_counters.SIZE - 1, access_counters.SIZE + 1])
def test_a_file_of_counters_with_another_size_is_not_mapped(tmp_path: Path, size: int) -> None:
    """An access beyond its end would end the process."""
    (tmp_path / "visits").write_bytes(bytes(size))
    with pytest.raises(ValueError, match="visits does not have"):
        AccessCounters(tmp_path / "visits")


def test_counters_of_another_store_are_refused() -> None:
    """Their tokens would mean other purges."""
    data = bytes(StoreCounters(7, purge_count=3))
    assert StoreCounters.parse(data, 7).purge_count == 3
    with pytest.raises(InvalidStoreError, match="another store"):
        StoreCounters.parse(data, 8)
    for noise in (None, b"", data + b"x", data[:-1]):
        with pytest.raises(InvalidStoreError, match="another application"):
            StoreCounters.parse(noise, 7)


def test_a_damaged_entry_is_no_entry() -> None:
    """Each cut and each changed byte is noticed, and so is another key with the same digest."""
    ref = BodyRef.of(b"body", serial=5)
    entry = CacheEntry(
        key=b"key", eviction_serial=3, variants=(Variant.of(stored(), {"gzip": ref}),)
    )
    data = bytes(entry)
    assert CacheEntry.parse(data, key=b"key") == entry
    assert CacheEntry.parse(data) == entry
    assert CacheEntry.parse(data, key=b"other") is None
    other_turn = CacheEntry.parse(CacheEntry.with_serial(data, serial=9))
    assert other_turn == replace(entry, eviction_serial=9)
    for position in range(0, len(data), 7):
        assert CacheEntry.parse(data[:position]) is None
        noise = bytearray(data)
        noise[position] ^= 0xFF
        assert CacheEntry.parse(bytes(noise)) is None


def test_an_entry_whose_checksum_is_right_but_whose_content_is_cut_is_no_entry() -> None:
    """Another version of this library may have written it."""
    data = bytes(CacheEntry(key=b"key", eviction_serial=3, variants=()))
    payload = data[4:]
    more = payload[:12] + (1).to_bytes(2, "little") + payload[14:]  # one variant, which is missing
    longer_key = payload[:8] + (99).to_bytes(4, "little") + payload[12:]
    for content in (more, longer_key, payload[:3], b""):
        assert CacheEntry.parse(zlib.crc32(content).to_bytes(4, "little") + content) is None


def test_the_users_lock_is_shared_after_the_check(store_folder: StoreFolder) -> None:
    """A second process must not wait until the first one ends."""
    first = UsersLock(store_folder)
    first.downgrade_to_shared()
    with (store_folder.store / "users").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
    first.release()
