"""Leader: which of many requests for one missing page asks the origin; the others wait, bounded."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta


class CollapseRole(Enum):
    """What a request that misses is to do."""

    #: Ask the origin; the others wait until the context is left.
    LEADER = "leader"
    #: Another one asked and has finished: look in the store again.
    FOLLOWER = "follower"
    #: The wait was too long, or locks don't work: ask the origin without regard to others.
    ALONE = "alone"


class Collapser(Protocol):
    """Elects one leader a key; never raises and never waits longer than it was told."""

    def elect(self, key: bytes, wait: timedelta) -> AbstractContextManager[CollapseRole]:
        """Enter as leader at once, or wait for the leader to leave. Not to be nested."""


class ThreadCollapser:
    """Elects among the threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leaders: dict[bytes, threading.Event] = {}

    @contextmanager
    def elect(self, key: bytes, wait: timedelta) -> Iterator[CollapseRole]:
        """Enter as leader at once, or wait for the leader to leave."""
        with self._lock:
            busy = self._leaders.get(key)
            if busy is None:
                mine = self._leaders[key] = threading.Event()
        if busy is not None:
            yield CollapseRole.FOLLOWER if busy.wait(wait.total_seconds()) else CollapseRole.ALONE
            return
        try:
            yield CollapseRole.LEADER
        finally:
            with self._lock:
                del self._leaders[key]
            mine.set()
