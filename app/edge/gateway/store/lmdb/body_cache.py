"""A cache of bodies that a process sends often, which saves a copy out of LMDB.

Use a cached body only after checking that LMDB still holds its serial.
"""

from __future__ import annotations

_MAX_BYTES = 16 * 1024 * 1024
_MAX_BODY_SIZE = 256 * 1024


class BodyCache:
    """Bodies by serial, bounded in bytes; the oldest is evicted first.

    Serials are never reused, so a cached body never becomes wrong. Concurrent threads may count a
    body twice or not at all; the next eviction recomputes the size.
    """

    __slots__ = ("_bodies", "_size")

    def __init__(self) -> None:
        self._bodies: dict[int, bytes] = {}
        self._size = 0

    def get(self, serial: int) -> bytes | None:
        """Return a cached body, or None."""
        return self._bodies.get(serial)

    def add(self, serial: int, body: bytes) -> None:
        """Cache a body, unless it is large."""
        if len(body) > _MAX_BODY_SIZE:
            return
        self._bodies[serial] = body
        self._size += len(body)
        if self._size > _MAX_BYTES:
            for oldest in list(self._bodies)[: len(self._bodies) // 2 + 1]:
                self._bodies.pop(oldest, None)
            self._size = sum(map(len, list(self._bodies.values())))
