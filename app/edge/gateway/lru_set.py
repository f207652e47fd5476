"""Recent: a bounded set that forgets what was added longest ago."""

from __future__ import annotations

import threading
from collections import OrderedDict


class LruSet:
    """The keys of the last answers that could not be shared; safe for threads."""

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._keys: OrderedDict[bytes, None] = OrderedDict()

    def __contains__(self, key: bytes) -> bool:
        return key in self._keys

    def add(self, key: bytes) -> None:
        """Remember a key; the oldest leaves when there are too many."""
        with self._lock:
            self._keys[key] = None
            self._keys.move_to_end(key)
            if len(self._keys) > self._limit:
                self._keys.popitem(last=False)

    def discard(self, key: bytes) -> None:
        """Forget a key, if it is there."""
        if key in self._keys:
            with self._lock:
                self._keys.pop(key, None)
