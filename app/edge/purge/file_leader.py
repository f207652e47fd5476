"""Leader election among the processes of one machine, by a lock on a file; needs no database."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Leader(Protocol):
    """A leader election."""

    def try_lead(self) -> bool:
        """Return whether this process leads; try to take the lead if no process does."""

    def resign(self) -> None:
        """Give up the lead."""


class SoleLeader:
    """The election for a single process, which always leads."""

    def try_lead(self) -> bool:
        """Return True."""
        return True

    def resign(self) -> None:
        """Do nothing, because there is no other process."""


class FileLeader:
    """Holds a lock on a file next to the SQLite database; it is released when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None
        self._owner = 0

    def try_lead(self) -> bool:
        """Return whether this process holds the lock; take it if it is free."""
        if self._handle is not None and self._owner == os.getpid():
            return True
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._handle, self._owner = handle, os.getpid()
        return True

    def resign(self) -> None:
        """Release the lock."""
        if self._handle is not None and self._owner == os.getpid():
            os.close(self._handle)
        self._handle = None
