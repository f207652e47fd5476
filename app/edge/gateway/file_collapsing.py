"""Collapse requests for one missing page over all processes of a machine, with file locks.

Each key maps by its digest to one byte of an empty file; the process that holds the lock on that
byte is the leader. The file never grows, and the kernel releases a lock when its process ends.
POSIX locks belong to the process: a fork does not inherit them, and a table in each process
coordinates its threads. POSIX drops all locks of a process when *any* descriptor of the file is
closed, so this module never closes one.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING

from .collapsing import CollapseRole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta
    from pathlib import Path

#: Waiting for another process is polling, because a blocking lock has no timeout without a signal
#: or a thread. These intervals are shorter than the time to render a page.
_MIN_POLL = 0.001
_MAX_POLL = 0.02


class _PendingFetch:
    """The fetch of one key in this process, which other threads wait for."""

    __slots__ = ("finished_event", "is_complete")

    def __init__(self) -> None:
        self.finished_event = threading.Event()
        #: Whether the page was fetched; false if the wait for the lock timed out.
        self.is_complete = False


class FileCollapser:
    """Elects a leader among all threads of all processes that use the same folder."""

    def __init__(self, folder: Path) -> None:
        self._lock_file = _lock_file_for(folder)

    @contextmanager
    def elect(self, key: bytes, wait: timedelta) -> Iterator[CollapseRole]:
        """Enter as leader at once, or wait until the leader has left."""
        deadline = time.monotonic() + wait.total_seconds()
        digest = blake2b(key, digest_size=8).digest()
        pending = self._lock_file.register(digest, deadline)
        if isinstance(pending, CollapseRole):
            yield pending
            return
        role = CollapseRole.ALONE
        try:
            role = self._lock_file.acquire(digest, deadline)
            if role is not CollapseRole.LEADER:
                self._lock_file.release(digest, pending, finished=role is CollapseRole.FOLLOWER)
            yield role
        finally:
            if role is CollapseRole.LEADER:
                self._lock_file.unlock(digest)
                self._lock_file.release(digest, pending, finished=True)


class _LockFile:
    """The state of one lock file in this process, shared by all its collapsers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pending_fetches: dict[bytes, _PendingFetch] = {}
        self._pid = os.getpid()

    def register(self, digest: bytes, deadline: float) -> CollapseRole | _PendingFetch:
        """Register this thread for a key, or wait for the thread that is registered."""
        if self._pid != os.getpid():
            # After a fork, the waiting threads and the locks belong to the parent process.
            self._reset()
        while True:
            with self._lock:
                other = self._pending_fetches.get(digest)
                if other is None:
                    pending = self._pending_fetches[digest] = _PendingFetch()
                    return pending
            if not other.finished_event.wait(max(0.0, deadline - time.monotonic())):
                return CollapseRole.ALONE
            if other.is_complete:
                return CollapseRole.FOLLOWER

    def release(self, digest: bytes, pending: _PendingFetch, *, finished: bool) -> None:
        """Wake the other threads of this process that wait for the key."""
        pending.is_complete = finished
        with self._lock:
            if self._pending_fetches.get(digest) is pending:
                del self._pending_fetches[digest]
        pending.finished_event.set()

    def acquire(self, digest: bytes, deadline: float) -> CollapseRole:
        """Take the lock, or wait until the process that holds it releases it."""
        try:
            file = self._open()
            if _try_lock(file, digest, fcntl.LOCK_EX):
                return CollapseRole.LEADER
            pause = _MIN_POLL
            while (remaining := deadline - time.monotonic()) > 0:
                time.sleep(min(pause, remaining))
                pause = min(pause * 1.5, _MAX_POLL)
                # A shared lock, so that all waiting processes notice at the same time.
                if _try_lock(file, digest, fcntl.LOCK_SH):
                    self.unlock(digest)
                    return CollapseRole.FOLLOWER
        except OSError:
            return CollapseRole.ALONE
        return CollapseRole.ALONE

    def unlock(self, digest: bytes) -> None:
        """Release the lock; it is void if the file was deleted in the meantime."""
        if self._file is not None:
            with suppress(OSError):
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _byte_offset(digest))

    def _open(self) -> int:
        with self._lock:
            if self._file is None or os.fstat(self._file).st_nlink == 0:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            return self._file


_lock_files: dict[Path, _LockFile] = {}
_lock_files_lock = threading.Lock()


def _lock_file_for(folder: Path) -> _LockFile:
    path = folder.resolve() / "collapse"
    with _lock_files_lock:
        return _lock_files.setdefault(path, _LockFile(path))


def _byte_offset(digest: bytes) -> int:
    return int.from_bytes(digest, "little") >> 2


def _try_lock(file: int, digest: bytes, how: int) -> bool:
    try:
        fcntl.lockf(file, how | fcntl.LOCK_NB, 1, _byte_offset(digest))
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES: another process has it
        return False
    return True
