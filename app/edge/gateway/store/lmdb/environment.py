"""Environment: one incarnation of the store, opened by one process.

Laws: never used by another process than the one that opened it, never closed while a thread is
within a transaction, and never believed before `is_current` was asked.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import lmdb

from . import InvalidStoreError
from .access_counters import AccessCounters
from .body_cache import BodyCache
from .counters import NAME, StoreCounters
from .entry import CacheEntry
from .folder import UsersLock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .entry import BodyRef
    from .folder import StoreFolder

#: How many decoded records a process keeps; each is used only while LMDB holds the same bytes.
_DECODED = 2048
_PROVEN = 1 << 16
_DRAIN = 2.0
_SPARE_TRANSACTIONS = 16

Transaction = Any  # lmdb has no types of its own for the compiled module
Table = Any


class EnvironmentClosedError(Exception):
    """The environment was closed by another thread, or before a fork."""


class Environment:
    """The open files of one incarnation, its tables, and what this process knows of them."""

    __slots__ = (
        "_active",
        "_checked",
        "_decoded",
        "_device",
        "_env",
        "_inode",
        "_path",
        "_size",
        "_users",
        "_verified",
        "access_counters",
        "bodies",
        "body_cache",
        "eviction_order",
        "incarnation",
        "is_closed",
        "limit",
        "metadata_table",
        "pages",
        "pid",
        "purge_counts",
    )

    def __init__(self, folder: StoreFolder, *, limit: int) -> None:
        """Open the store that is there, under the guard; UnsoundError when it must be discarded."""
        self.pid = os.getpid()
        self.is_closed = False
        self._checked = 0.0
        self._decoded: dict[bytes, tuple[bytes, CacheEntry]] = {}
        self._verified: set[int] = set()
        self.body_cache = BodyCache()
        # Appending to and popping from a list is atomic: a count of the threads within.
        self._active: list[None] = []
        self._users = UsersLock(folder)
        try:
            folder.require_files()
            if self._users.is_only_user:
                folder.verify(limit=limit)
            identity = folder.identity()
            self.incarnation, self.limit = identity.incarnation, identity.limit
            self._path = os.fspath(folder.data)
            self._open(folder)
            self._users.downgrade_to_shared()
        except BaseException:
            self._users.release()
            raise

    def _open(self, folder: StoreFolder) -> None:
        try:
            self.access_counters = AccessCounters(folder.store / "visits")
            self._require_not_discarded()
            # sync=False: a store from before the last boot is thrown away instead, and what a
            # process wrote before it was killed is in the kernel's hands, purges included.
            self._env = lmdb.open(
                os.fspath(folder.store),
                map_size=self.limit,
                max_dbs=5,
                mode=0o600,
                sync=False,
                metasync=False,
                readahead=False,
                max_spare_txns=_SPARE_TRANSACTIONS,
            )
        except (
            lmdb.InvalidError,
            lmdb.VersionMismatchError,
            FileNotFoundError,
            ValueError,
        ) as error:
            raise InvalidStoreError(f"the store can't be opened: {error}") from error
        try:
            info = self._env.info()
            if (info["last_pgno"] + 1) * self._env.stat()["psize"] > folder.data.stat().st_size:
                # A touch beyond the end would be a SIGBUS; the last pages may be free, though.
                folder.verify_pages()
            self.pages, self.bodies, self.eviction_order, self.purge_counts, self.metadata_table = (
                self._env.open_db(name)
                for name in (b"pages", b"bodies", b"order", b"generations", b"small")
            )
            StoreCounters.parse(self.get(self.metadata_table, NAME), self.incarnation)
            self._env.reader_check()
            file_stat = folder.data.stat()
        except BaseException:
            self._env.close()
            raise
        self._device, self._inode, self._size = (
            file_stat.st_dev,
            file_stat.st_ino,
            file_stat.st_size,
        )

    def _require_not_discarded(self) -> None:
        if self.access_counters.is_discarded:
            raise InvalidStoreError("a process has declared it dead")

    def is_alive(self) -> bool:
        """Tell whether what was loaded a moment ago may still be served: without a system call."""
        return not self.is_closed and not self.access_counters.is_discarded

    def was_current_within(self, within: float) -> bool:
        """Tell whether this was the store at the path so many seconds ago, and is not dead now."""
        if within and time.monotonic() - self._checked < within:
            return (
                not self.is_closed
                and not self.access_counters.is_discarded
                and self.pid == os.getpid()
            )
        return self.is_current()

    def is_current(self) -> bool:
        """Tell whether the store at the path is still this one, whole, and open in this process."""
        if self.is_closed or self.access_counters.is_discarded or self.pid != os.getpid():
            return False
        now = time.monotonic()
        try:
            file_stat = os.stat(self._path)  # noqa: PTH116 - Path.stat costs a HIT a microsecond more
        except OSError:
            return False
        if file_stat.st_size != self._size:
            if file_stat.st_size < self._size:  # truncated: its pages must not be touched any more
                return False
            self._size = file_stat.st_size
        if file_stat.st_ino != self._inode or file_stat.st_dev != self._device:
            return False
        self._checked = now
        return True

    def get(self, table: Table, name: bytes) -> bytes | None:
        """Read one value, without ever waiting for a writer."""
        self._active.append(None)
        try:
            if self.is_closed:
                raise EnvironmentClosedError
            with self._env.begin() as transaction:
                value: bytes | None = transaction.get(name, db=table)
                return value
        finally:
            self._active.pop()

    def has(self, table: Table, name: bytes) -> bool:
        """Tell whether there is a value, without copying it."""
        self._active.append(None)
        try:
            if self.is_closed:
                raise EnvironmentClosedError
            with self._env.begin(buffers=True) as transaction:
                return transaction.get(name, db=table) is not None
        finally:
            self._active.pop()

    @contextmanager
    def read_transaction(self) -> Iterator[Transaction]:
        """Read several values as of one instant."""
        self._active.append(None)
        try:
            if self.is_closed:
                raise EnvironmentClosedError
            with self._env.begin() as transaction:
                yield transaction
        finally:
            self._active.pop()

    @contextmanager
    def write_transaction(self) -> Iterator[Transaction]:
        """Write, one process at a time; all of it or, on an exception, nothing."""
        self._active.append(None)
        try:
            if self.is_closed:
                raise EnvironmentClosedError
            with self._env.begin(write=True) as transaction:
                yield transaction
        finally:
            self._active.pop()

    def used_bytes(self, transaction: Transaction) -> int:
        """Return the bytes of all pages in use."""
        pages = 0
        for table in (
            self.pages,
            self.bodies,
            self.eviction_order,
            self.purge_counts,
            self.metadata_table,
        ):
            stat = transaction.stat(table)
            pages += stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"]
            size: int = stat["psize"]
        return pages * size

    def release_readers(self) -> None:
        """Free the reader slots of processes that were killed, and the pages they held."""
        self._env.reader_check()

    def verify_body(self, place: BodyRef, body: bytes) -> bool:
        """Tell whether the body is the one put there; checked once, as serials never come back."""
        if place.serial in self._verified:
            return True
        if not place.matches(body):
            return False
        if len(self._verified) >= _PROVEN:
            self._verified.clear()
        self._verified.add(place.serial)
        return True

    def decode_entry(self, key: bytes, data: bytes) -> CacheEntry | None:
        """Return the record that these bytes, just read, mean; None when they are torn."""
        cached_pair = self._decoded.get(key)
        if cached_pair is not None and cached_pair[0] == data:
            return cached_pair[1]
        record = CacheEntry.parse(data, key=key)
        if record is not None:
            if len(self._decoded) >= _DECODED:
                for oldest in list(islice(self._decoded, _DECODED // 4)):
                    self._decoded.pop(oldest, None)
            self._decoded[key] = (data, record)
        return record

    def last_decoded(self, key: bytes) -> CacheEntry | None:
        """Return the record as this process last read it: good for places, not for serving."""
        cached_pair = self._decoded.get(key)
        return None if cached_pair is None else cached_pair[1]

    def close(self) -> bool:
        """Close once no thread is within; False when one stays within for too long."""
        self.is_closed = True
        deadline = time.monotonic() + _DRAIN
        while self._active and self.pid == os.getpid():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        self._env.close()
        self._users.release()
        return True
