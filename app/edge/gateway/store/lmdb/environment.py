"""One incarnation of the store, opened by one process.

Only the process that opened an environment uses it, it is not closed while a thread is in a
transaction, and its data is used only after `is_current` was checked.
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

#: The maximum number of decoded entries in a process; each is used only while LMDB holds its bytes.
_DECODED = 2048
_PROVEN = 1 << 16
_DRAIN = 2.0
_SPARE_TRANSACTIONS = 16

Transaction = Any  # the compiled module of lmdb has no types
Table = Any


class EnvironmentClosedError(Exception):
    """The environment was closed by another thread, or before a fork."""


class Environment:
    """The open files and tables of one incarnation, with the caches of this process."""

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
        """Open the store under its lock; raise InvalidStoreError if it must be discarded."""
        self.pid = os.getpid()
        self.is_closed = False
        self._checked = 0.0
        self._decoded: dict[bytes, tuple[bytes, CacheEntry]] = {}
        self._verified: set[int] = set()
        self.body_cache = BodyCache()
        # The number of threads in a transaction: append and pop of a list are atomic.
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
            # sync=False: a store from before the last boot is discarded instead, and what a
            # process wrote before it was killed is in the kernel's page cache, purges included.
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
                # An access beyond the end would raise SIGBUS; but the last pages may be free.
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
            raise InvalidStoreError("a process has marked it as discarded")

    def is_alive(self) -> bool:
        """Return whether data loaded a moment ago may be served; makes no system call."""
        return not self.is_closed and not self.access_counters.is_discarded

    def was_current_within(self, within: float) -> bool:
        """Return whether `is_current` held within these seconds, and it is not discarded."""
        if within and time.monotonic() - self._checked < within:
            return (
                not self.is_closed
                and not self.access_counters.is_discarded
                and self.pid == os.getpid()
            )
        return self.is_current()

    def is_current(self) -> bool:
        """Return whether this is still the store at the path, complete, and open here."""
        if self.is_closed or self.access_counters.is_discarded or self.pid != os.getpid():
            return False
        now = time.monotonic()
        try:
            file_stat = os.stat(self._path)  # noqa: PTH116 - Path.stat costs a HIT a microsecond more
        except OSError:
            return False
        if file_stat.st_size != self._size:
            if file_stat.st_size < self._size:  # truncated: its missing pages must not be accessed
                return False
            self._size = file_stat.st_size
        if file_stat.st_ino != self._inode or file_stat.st_dev != self._device:
            return False
        self._checked = now
        return True

    def get(self, table: Table, name: bytes) -> bytes | None:
        """Read one value; never waits for a writer."""
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
        """Return whether a value exists, without copying it."""
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
        """Read several values from one snapshot."""
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
        """Write, one process at a time; an exception rolls everything back."""
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
        """Free the reader slots of killed processes, and the pages that these slots pinned."""
        self._env.reader_check()

    def verify_body(self, body_ref: BodyRef, body: bytes) -> bool:
        """Return whether the body is undamaged; checked once, as serials are never reused."""
        if body_ref.serial in self._verified:
            return True
        if not body_ref.matches(body):
            return False
        if len(self._verified) >= _PROVEN:
            self._verified.clear()
        self._verified.add(body_ref.serial)
        return True

    def decode_entry(self, key: bytes, data: bytes) -> CacheEntry | None:
        """Decode an entry that was just read; return None if it is damaged."""
        cached_pair = self._decoded.get(key)
        if cached_pair is not None and cached_pair[0] == data:
            return cached_pair[1]
        entry = CacheEntry.parse(data, key=key)
        if entry is not None:
            if len(self._decoded) >= _DECODED:
                for oldest in list(islice(self._decoded, _DECODED // 4)):
                    self._decoded.pop(oldest, None)
            self._decoded[key] = (data, entry)
        return entry

    def last_decoded(self, key: bytes) -> CacheEntry | None:
        """Return the entry as this process last read it: only for body references."""
        cached_pair = self._decoded.get(key)
        return None if cached_pair is None else cached_pair[1]

    def close(self) -> bool:
        """Close when no thread is in a transaction; return False on a timeout."""
        self.is_closed = True
        deadline = time.monotonic() + _DRAIN
        while self._active and self.pid == os.getpid():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        self._env.close()
        self._users.release()
        return True
