"""Door: the one way into a store's folder for all threads of a process.

Laws: one environment a folder and process; none is carried across a fork; and while a purge is
owed that could not be carried out, nobody gets in.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from logging import getLogger
from typing import TYPE_CHECKING

import lmdb

from . import UnsoundError
from .environment import Environment
from .folder import Folder

if TYPE_CHECKING:
    from pathlib import Path

#: How long a store that could not be opened is left alone, so that passing costs nothing.
_RETRY = 1.0
_ATTEMPTS = 3

log = getLogger(__name__)


class Door:
    """Opens, reopens and discards the store of one folder."""

    def __init__(self, folder: Folder, *, limit: int, recheck: float) -> None:
        self._folder = folder
        self._limit = limit
        self._recheck = recheck
        self._lock = threading.Lock()
        self._environment: Environment | None = None
        self._retry_at = 0.0
        self._owing = False
        self._users = 0

    def enter(self) -> Environment | None:
        """Return the store as it is now; None when nothing may be read or written."""
        environment = self._environment
        if environment is not None and environment.was_current(self._recheck) and not self._owing:
            return environment
        with self._lock:
            return self._enter()

    def enter_again(self) -> Environment | None:
        """Return the store for what follows an `enter` of the same request; cheaper than that."""
        environment = self._environment
        if environment is not None and environment.is_alive() and not self._owing:
            return environment
        return self.enter()

    def _enter(self) -> Environment | None:
        environment = self._environment
        if environment is not None and environment.is_current() and not self._owing:
            return environment
        self._leave()
        if time.monotonic() < self._retry_at or (self._owing and not self._settle()):
            return None
        self._environment = self._open()
        if self._environment is None:
            self._retry_at = time.monotonic() + _RETRY
        return self._environment

    def _open(self) -> Environment | None:
        try:
            with self._folder.guarded():
                self._folder.sweep()
                return self._open_sound()
        except (OSError, lmdb.Error) as error:
            log.warning("gateway_store_unavailable", extra={"reason": str(error)})
            return None

    def _open_sound(self) -> Environment | None:
        for _ in range(_ATTEMPTS):
            if not os.path.lexists(self._folder.store):
                self._folder.make(limit=self._limit)
                # Who still believes in one that was deleted from outside looks again meanwhile:
                # nothing is purged in the new one before that.
                time.sleep(2 * self._recheck)
            try:
                return Environment(self._folder, limit=self._limit)
            except UnsoundError as error:
                log.warning("gateway_store_discarded", extra={"reason": str(error)})
                self._folder.discard()
            except (OSError, lmdb.Error):
                # Discarded by another process in the midst of it, or a trouble that will last?
                if self._folder.data.exists():
                    raise
        return None

    def discard(self, reason: str) -> bool:
        """Throw the store away for every process; False when not even that is possible."""
        with self._lock:
            self._owing = True
            log.warning("gateway_store_discarded", extra={"reason": reason})
            return self._settle()

    def _settle(self) -> bool:
        if self._environment is not None:
            self._environment.visits.condemn()
        try:
            self._folder.discard()
        except OSError as error:
            log.warning("gateway_store_passes", extra={"reason": str(error)})
            self._retry_at = time.monotonic() + _RETRY
            return False
        self._owing = False
        self._leave()
        self._retry_at = 0.0
        return True

    def _leave(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            with suppress(lmdb.Error, OSError):
                environment.close()

    def join(self) -> Door:
        """Count one more store that goes in here."""
        self._users += 1
        return self

    def part(self) -> bool:
        """Count one less; the last one closes. True when nobody goes in here any more."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._leave()
            return self._users == 0

    def before_fork(self) -> None:
        """Close, and let nobody open until the fork is done: LMDB must not be carried across."""
        self._lock.acquire()
        self._leave()

    def after_fork(self) -> None:
        """Let everybody in again, in the parent and in the child."""
        self._lock.release()


_doors: dict[str, Door] = {}
_doors_lock = threading.RLock()


def open_door(path: Path, *, limit: int, recheck: float = 0) -> Door:
    """Return this process's door to a folder, the same for all who ask.

    A store that was there `recheck` seconds ago is taken to be there. One that a process of ours
    discards is dead at once for all of them; this is about what is deleted from outside.
    """
    name = os.path.realpath(path)
    with _doors_lock:
        if name not in _doors:
            _doors[name] = Door(Folder(path=path), limit=limit, recheck=recheck)
        return _doors[name].join()


def close_door(door: Door) -> None:
    """Give back what `open_door` gave."""
    with _doors_lock:
        if door.part():
            for name in [name for name, other in _doors.items() if other is door]:
                del _doors[name]


def _before_fork() -> None:
    _doors_lock.acquire()
    for door in _doors.values():
        door.before_fork()


def _after_fork() -> None:
    for door in _doors.values():
        door.after_fork()
    _doors_lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
