"""The files of one store: made whole, trusted only when proven, thrown away whole.

Laws: files are never mended, truncated or overwritten in place. A store that is not wanted is
renamed away in one step, so that whoever still maps it keeps reading sane memory until it sees,
by the inode, that the store at the path is another one.
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

from . import InvalidStoreError, access_counters
from .counters import NAME, StoreCounters
from .machine_boot import boot_id, pid_namespace

FORMAT = 2
READERS_FILE = 1 << 16
_GUARD_WAIT = 5.0
_PLATFORM = f"{sys.platform}-{sys.byteorder}-{struct.calcsize('P')}-{os.sysconf('SC_PAGESIZE')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreIdentity:
    """What a store says about itself, in a file of its own so that LMDB need not be asked."""

    incarnation: int
    limit: int
    boot: str
    platform: str = _PLATFORM
    format: int = FORMAT

    def __str__(self) -> str:
        words = (self.format, self.platform, self.limit, self.incarnation, self.boot)
        return " ".join(("broadsheet-store", *map(str, words)))

    @classmethod
    def parse(cls, text: str) -> "StoreIdentity":
        """Read back what `str` wrote; raises ValueError for anything else."""
        name, form, platform, limit, incarnation, boot = text.split(" ")
        if name != "broadsheet-store":
            raise ValueError("not the identity of a store")
        return cls(
            incarnation=int(incarnation),
            limit=int(limit),
            boot=boot,
            platform=platform,
            format=int(form),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFolder:
    """The folder that holds a store, and the files within."""

    path: Path

    @property
    def store(self) -> Path:
        """The folder that is the store, renamed away when it is discarded."""
        return self.path / "store"

    @property
    def data(self) -> Path:
        """LMDB's data file, whose inode tells one incarnation from the next."""
        return self.store / "data.mdb"

    @contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Let one process at a time open, make or discard the store; TimeoutError after a while."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path / "guard", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, within=_GUARD_WAIT)
            yield
        finally:
            os.close(descriptor)

    def discard(self) -> None:
        """Take the store out of everyone's sight at once; raises OSError when that can't be done.

        Needs no guard: a process in the midst of opening it finds its files gone.
        """
        with suppress(OSError):
            access_counters.condemn(self.store / "visits")
        grave = self.path / f"discarded-{secrets.token_hex(8)}"
        with suppress(FileNotFoundError, NotADirectoryError):
            self.store.rename(grave)
        _delete(grave)

    def delete_leftovers(self) -> None:
        """Delete what killed processes left half made or half deleted, under the guard."""
        for pattern in ("discarded-*", "making-*"):
            for rest in self.path.glob(pattern):
                _delete(rest)

    def create(self, *, limit: int) -> None:
        """Make an empty store, under the guard; it appears whole or not at all."""
        making = self.path / f"making-{secrets.token_hex(8)}"
        making.mkdir(mode=0o700)
        born = StoreIdentity(incarnation=time.time_ns(), limit=limit, boot=boot_id())
        (making / "identity").write_text(str(born), "ascii")
        (making / "users").touch(mode=0o600)
        # Written out, not sparse: LMDB maps this file, and a full disk would be a SIGBUS.
        (making / "lock.mdb").write_bytes(bytes(READERS_FILE))
        access_counters.create_file(making / "visits")
        # With the data file inside: a store that lacks it has lost purges, and is not believed.
        with lmdb.open(os.fspath(making), map_size=limit, max_dbs=1, sync=False) as environment:
            small = environment.open_db(b"small")
            with environment.begin(write=True) as transaction:
                transaction.put(NAME, bytes(StoreCounters(born.incarnation)), db=small)
        making.rename(self.store)

    def identity(self) -> StoreIdentity:
        """Return what the store says about itself; UnsoundError when this code can't read it."""
        try:
            identity = StoreIdentity.parse((self.store / "identity").read_text("ascii"))
        except (OSError, ValueError) as error:
            raise InvalidStoreError(f"the identity can't be read: {error}") from error
        if replace(identity, platform=_PLATFORM, format=FORMAT) != identity:
            raise InvalidStoreError("the store was made by another version or on another platform")
        return identity

    def require_files(self) -> None:
        """Refuse what LMDB would silently make anew: it would have lost the purges."""
        for path in (self.data, self.store / "lock.mdb"):
            if not path.is_file():
                raise InvalidStoreError(f"{path.name} is gone")

    def verify(self, *, limit: int) -> None:
        """Check every page of a store that nobody has open; UnsoundError says what is wrong."""
        identity = self.identity()
        if identity.boot != boot_id():
            raise InvalidStoreError("the machine was booted since, and writes are not synced")
        if identity.limit != limit:
            raise InvalidStoreError("the store was made for another size")
        if (self.store / "lock.mdb").stat().st_size < READERS_FILE:
            raise InvalidStoreError("the lock file is too short")
        self.verify_pages()

    def verify_pages(self) -> None:
        """Check every page of the data file without mapping it."""
        try:
            check: Callable[..., list[str]] = lmdb.verify.verify
            findings = check(os.fspath(self.store), subdir=True)
        except Exception as error:  # whatever foreign bytes make a checker raise, they are foreign
            raise InvalidStoreError(f"the data file can't be checked: {error}") from error
        if findings:
            raise InvalidStoreError(f"the data file is damaged: {findings[0]}")


class UsersLock:
    """The lock that every process with the store open shares, so that one can know it is alone."""

    __slots__ = ("_descriptor", "is_only_user")

    def __init__(self, folder: StoreFolder) -> None:
        """Join the users, under the guard; UnsoundError when there is nothing to join."""
        path = folder.store / "users"
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise InvalidStoreError("the store lacks its users file") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.is_only_user = True
        except BlockingIOError:
            self.is_only_user = False

    def downgrade_to_shared(self) -> None:
        """Stay as one user among others."""
        here = pid_namespace().encode()
        if self.is_only_user:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, here, 0)
        elif os.pread(self._descriptor, 256, 0) != here:
            # LMDB tells readers apart by pid, so two pid namespaces must not share a store.
            raise PermissionError("the store is in use by processes of another container")
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def release(self) -> None:
        """Give the lock back."""
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
                raise TimeoutError("another process holds the guard of the store") from None
            time.sleep(0.002)
        else:
            return
