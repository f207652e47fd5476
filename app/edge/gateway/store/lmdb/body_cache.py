"""Hot bodies: bytes that a process sends often, kept where they were copied to once.

Law: never an answer by themselves. Who takes a body from here has just seen that it is in LMDB.
"""

from __future__ import annotations

_MOST = 16 * 1024 * 1024
_LARGEST = 256 * 1024


class BodyCache:
    """Bodies by serial, bounded in bytes; who came first leaves first.

    Serials are never given out twice, so what is kept under one is right for good. Threads may
    count a body twice or not at all; the next eviction counts anew.
    """

    __slots__ = ("_bodies", "_size")

    def __init__(self) -> None:
        self._bodies: dict[int, bytes] = {}
        self._size = 0

    def get(self, serial: int) -> bytes | None:
        """Return a body that is held; None when it is not."""
        return self._bodies.get(serial)

    def add(self, serial: int, body: bytes) -> None:
        """Hold a body, unless it is large."""
        if len(body) > _LARGEST:
            return
        self._bodies[serial] = body
        self._size += len(body)
        if self._size > _MOST:
            for oldest in list(self._bodies)[: len(self._bodies) // 2 + 1]:
                self._bodies.pop(oldest, None)
            self._size = sum(map(len, list(self._bodies.values())))
