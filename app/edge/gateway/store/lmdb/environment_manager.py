"""Open and discard the environment of a store's folder, for all threads of a process.

There is one environment per folder and process, and none is used after a fork. While a failed purge
has not been replaced by discarding the store, `acquire` returns None.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from logging import getLogger
from typing import TYPE_CHECKING

import lmdb

from . import InvalidStoreError
from .environment import Environment
from .folder import StoreFolder

if TYPE_CHECKING:
    from pathlib import Path

#: Seconds before a store that could not be opened is tried again, so that passing stays fast.
_RETRY = 1.0
_ATTEMPTS = 3

log = getLogger(__name__)


class EnvironmentManager:
    """Opens, reopens and discards the store of one folder."""

    def __init__(self, folder: StoreFolder, *, limit: int, recheck: float) -> None:
        self._folder = folder
        self._limit = limit
        self._recheck = recheck
        self._lock = threading.Lock()
        self._environment: Environment | None = None
        self._retry_at = 0.0
        self._discard_pending = False
        self._users = 0

    def acquire(self) -> Environment | None:
        """Return the current environment; None if nothing may be read or written."""
        environment = self._environment
        if (
            environment is not None
            and environment.was_current_within(self._recheck)
            and not self._discard_pending
        ):
            return environment
        with self._lock:
            return self._enter()

    def acquire_cached(self) -> Environment | None:
        """Return the environment again after an `acquire` in the same request; cheaper."""
        environment = self._environment
        if environment is not None and environment.is_alive() and not self._discard_pending:
            return environment
        return self.acquire()

    def _enter(self) -> Environment | None:
        environment = self._environment
        if environment is not None and environment.is_current() and not self._discard_pending:
            return environment
        self._close_environment()
        if time.monotonic() < self._retry_at or (
            self._discard_pending and not self._finish_discard()
        ):
            return None
        self._environment = self._open()
        if self._environment is None:
            self._retry_at = time.monotonic() + _RETRY
        return self._environment

    def _open(self) -> Environment | None:
        try:
            with self._folder.exclusive_lock():
                self._folder.delete_leftovers()
                return self._open_valid()
        except (OSError, lmdb.Error) as error:
            log.warning("gateway_store_unavailable", extra={"reason": str(error)})
            return None

    def _open_valid(self) -> Environment | None:
        for _ in range(_ATTEMPTS):
            if not os.path.lexists(self._folder.store):
                self._folder.create(limit=self._limit)
                # Other processes may still use a store that was deleted from outside. Wait until
                # they have checked again, before anything is purged in the new store.
                time.sleep(2 * self._recheck)
            try:
                return Environment(self._folder, limit=self._limit)
            except InvalidStoreError as error:
                log.warning(
                    "gateway_store_discarded: the store is invalid, so a new one is created (%s)",
                    error,
                    extra={"reason": str(error)},
                )
                self._folder.discard()
            except (OSError, lmdb.Error):
                # Retry if another process discarded the store while it was opened.
                if self._folder.data.exists():
                    raise
        return None

    def discard(self, reason: str) -> bool:
        """Discard the store for every process; return False if that fails."""
        with self._lock:
            self._discard_pending = True
            log.warning(
                "gateway_store_discarded: all stored responses are deleted (%s)",
                reason,
                extra={"reason": reason},
            )
            return self._finish_discard()

    def _finish_discard(self) -> bool:
        if self._environment is not None:
            self._environment.access_counters.mark_discarded()
        try:
            self._folder.discard()
        except OSError as error:
            log.warning(
                "gateway_store_passes: the store can't be used, so the gateway passes (%s)",
                error,
                extra={"reason": str(error)},
            )
            self._retry_at = time.monotonic() + _RETRY
            return False
        self._discard_pending = False
        self._close_environment()
        self._retry_at = 0.0
        return True

    def _close_environment(self) -> None:
        environment, self._environment = self._environment, None
        if environment is not None:
            with suppress(lmdb.Error, OSError):
                environment.close()

    def add_user(self) -> EnvironmentManager:
        """Count one more LmdbStore that uses this manager."""
        self._users += 1
        return self

    def remove_user(self) -> bool:
        """Count one user less; the last one closes. Return whether there are no users left."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._close_environment()
            return self._users == 0

    def before_fork(self) -> None:
        """Close, and block opening until the fork is done: LMDB must not be used across it."""
        self._lock.acquire()
        self._close_environment()

    def after_fork(self) -> None:
        """Allow opening again, in the parent and in the child."""
        self._lock.release()


_managers: dict[str, EnvironmentManager] = {}
_managers_lock = threading.RLock()


def open_manager(path: Path, *, limit: int, recheck: float = 0) -> EnvironmentManager:
    """Return the one manager of a folder in this process.

    The folder is checked again after `recheck` seconds. This only delays noticing a store that was
    deleted from outside: one that a process discards is invalid for all processes at once.
    """
    name = os.path.realpath(path)
    with _managers_lock:
        if name not in _managers:
            _managers[name] = EnvironmentManager(
                StoreFolder(path=path), limit=limit, recheck=recheck
            )
        return _managers[name].add_user()


def release_manager(manager: EnvironmentManager) -> None:
    """Release a manager that `open_manager` returned."""
    with _managers_lock:
        if manager.remove_user():
            for name in [name for name, other in _managers.items() if other is manager]:
                del _managers[name]


def _before_fork() -> None:
    _managers_lock.acquire()
    for manager in _managers.values():
        manager.before_fork()


def _after_fork() -> None:
    for manager in _managers.values():
        manager.after_fork()
    _managers_lock.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
