"""Collapse concurrent requests: one leader fetches a missing page, the others wait for it."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta


class CollapseRole(Enum):
    """The role of a request after a cache miss."""

    #: Fetch from the origin; the others wait until the context is left.
    LEADER = "leader"
    #: The leader has finished: look in the store again.
    FOLLOWER = "follower"
    #: The wait timed out, or locks don't work: fetch independently of other requests.
    ALONE = "alone"


class Collapser(Protocol):
    """Elects one leader per key; never raises, and never waits longer than `wait`."""

    def elect(self, key: bytes, wait: timedelta) -> AbstractContextManager[CollapseRole]:
        """Enter as leader at once, or wait until the leader has left. Do not nest."""


class ThreadCollapser:
    """Elects a leader among the threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leaders: dict[bytes, threading.Event] = {}

    @contextmanager
    def elect(self, key: bytes, wait: timedelta) -> Iterator[CollapseRole]:
        """Enter as leader at once, or wait until the leader has left."""
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
