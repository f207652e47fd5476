"""The files of one store: created atomically, verified before use, discarded as a whole.

Files are never repaired, truncated or overwritten in place. A store is discarded by renaming it, so
that a process which still maps it reads valid memory until it notices, by the inode, that another
store is at the path.
"""

import fcntl
import os
import secrets
import shutil
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import lmdb
import lmdb.verify

from .... import name as library
from . import InvalidStoreError, access_counters
from .counters import NAME, StoreCounters
from .machine_boot import boot_id, pid_namespace

FORMAT = 2
_LABEL = f"{library.NAME}-store"
READERS_FILE = 1 << 16
_GUARD_WAIT = 5.0
_PLATFORM = f"{sys.platform}-{sys.byteorder}-{struct.calcsize('P')}-{os.sysconf('SC_PAGESIZE')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """The format and origin of a store, in a separate file that is read before LMDB opens."""

    incarnation: int
    limit: int
    boot: str
    platform: str = _PLATFORM
    format: int = FORMAT

    def __str__(self) -> str:
        words = (self.format, self.platform, self.limit, self.incarnation, self.boot)
        return " ".join((_LABEL, *map(str, words)))

    @classmethod
    def parse(cls, text: str) -> "StoreIdentity":
        """Parse the text that `str` wrote; raise ValueError for any other."""
        name, form, platform, limit, incarnation, boot = text.split(" ")
        if name != _LABEL:
            raise ValueError("the text is not the identity of a store")
        return cls(
            incarnation=int(incarnation),
            limit=int(limit),
            boot=boot,
            platform=platform,
            format=int(form),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFolder:
    """The folder that contains a store, and its files."""

    path: Path

    @property
    def store(self) -> Path:
        """The folder of the current store; discarding renames it."""
        return self.path / "store"

    @property
    def data(self) -> Path:
        """LMDB's data file, whose inode identifies the incarnation."""
        return self.store / "data.mdb"

    @contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Lock opening, creating and discarding the store; raise TimeoutError on a timeout."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / "guard", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, within=_GUARD_WAIT)
            yield
        finally:
            os.close(descriptor)

    def discard(self) -> None:
        """Discard the store atomically; raise OSError if that fails.

        Needs no lock: a process that is opening the store finds its files missing.
        """
        with suppress(OSError):
            access_counters.condemn(self.store / "visits")
        grave = self.path / f"discarded-{secrets.token_hex(8)}"
        with suppress(FileNotFoundError, NotADirectoryError):
            self.store.rename(grave)
        _delete(grave)

    def delete_leftovers(self) -> None:
        """Delete incomplete and discarded folders that killed processes left; needs the lock."""
        for pattern in ("discarded-*", "making-*"):
            for rest in self.path.glob(pattern):
                _delete(rest)

    def create(self, *, limit: int) -> None:
        """Create an empty store atomically; needs the lock."""
        making = self.path / f"making-{secrets.token_hex(8)}"
        making.mkdir(mode=0o700)
        born = StoreIdentity(incarnation=time.time_ns(), limit=limit, boot=boot_id())
        (making / "identity").write_text(str(born), "ascii")
        (making / "users").touch(mode=0o600)
        # Written in full, not sparse: LMDB maps this file, and a full disk would raise SIGBUS.
        (making / "lock.mdb").write_bytes(bytes(READERS_FILE))
        access_counters.create_file(making / "visits")
        # This creates the data file: a store without one has lost purges and is discarded.
        with lmdb.open(os.fspath(making), map_size=limit, max_dbs=1, sync=False) as environment:
            small = environment.open_db(b"small")
            with environment.begin(write=True) as transaction:
                transaction.put(NAME, bytes(StoreCounters(born.incarnation)), db=small)
        making.rename(self.store)

    def identity(self) -> StoreIdentity:
        """Return the identity of the store; raise InvalidStoreError if this code can't read it."""
        try:
            identity = StoreIdentity.parse((self.store / "identity").read_text("ascii"))
        except (OSError, ValueError) as error:
            raise InvalidStoreError(f"the identity can't be read: {error}") from error
        if replace(identity, platform=_PLATFORM, format=FORMAT) != identity:
            raise InvalidStoreError(
                "the store was created by another version or on another platform"
            )
        return identity

    def require_files(self) -> None:
        """Raise if a file is missing that LMDB would silently recreate: purges would be lost."""
        for path in (self.data, self.store / "lock.mdb"):
            if not path.is_file():
                raise InvalidStoreError(f"{path.name} is gone")

    def verify(self, *, limit: int) -> None:
        """Check every page of a store that no process has open; raise InvalidStoreError."""
        identity = self.identity()
        if identity.boot != boot_id():
            raise InvalidStoreError("the machine was rebooted, and writes are not synced")
        if identity.limit != limit:
            raise InvalidStoreError("the store was created with another size")
        if (self.store / "lock.mdb").stat().st_size < READERS_FILE:
            raise InvalidStoreError("the lock file is too short")
        self.verify_pages()

    def verify_pages(self) -> None:
        """Check every page of the data file without mapping it."""
        try:
            check: Callable[..., list[str]] = lmdb.verify.verify
            findings = check(os.fspath(self.store), subdir=True)
        except Exception as error:  # any error of the checker means that the bytes are invalid
            raise InvalidStoreError(f"the data file can't be checked: {error}") from error
        if findings:
            raise InvalidStoreError(f"the data file is damaged: {findings[0]}")


class UsersLock:
    """The shared lock of every process with the store open, to detect that one is alone."""

    __slots__ = ("_descriptor", "is_only_user")

    def __init__(self, folder: StoreFolder) -> None:
        """Open the users file, under the lock; raise InvalidStoreError if it is missing."""
        path = folder.store / "users"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidStoreError("the users file of the store is missing") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_only_user = True
        except BlockingIOError:
            self.is_only_user = False

    def downgrade_to_shared(self) -> None:
        """Change to a shared lock."""
        here = pid_namespace().encode()
        if self.is_only_user:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, here, 0)
        elif os.pread(self._descriptor, 256, 0) != here:
            # LMDB identifies readers by pid, so two pid namespaces must not share a store.
            raise PermissionError("the store is in use by processes of another container")
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def _delete(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
    with suppress(OSError):
        path.unlink()


def _lock(descriptor: int, *, within: float) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process holds the lock of the store") from None
            time.sleep(0.002)
        else:
            return
