"""A bounded set that discards the key that was added longest ago."""

from __future__ import annotations

import threading
from collections import OrderedDict


class LruSet:
    """A thread-safe set of at most `limit` keys."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def add(self, key: bytes) -> None:
        """Add a key; discard the oldest if there are too many."""
        with self._lock:
            self._keys[key] = None
            self._keys.move_to_end(key)
            if len(self._keys) > self._limit:
                self._keys.popitem(last=False)

    def discard(self, key: bytes) -> None:
        """Remove a key if it is present."""
        if key in self._keys:
            with self._lock:
                self._keys.pop(key, None)
