"""How often each page was asked for: counters in memory shared by all processes, never a write.

They are approximate by intent: increments may be lost, and two keys may share a slot.
"""

import mmap
import os
from pathlib import Path

SLOTS = 1 << 16
SIZE = SLOTS + 4 * SLOTS


def allocate(path: Path) -> None:
    """Write the file out in full, so that a full disk is an error now and not a signal later."""
    path.write_bytes(bytes(SIZE))


class Visits:
    """A visited mark and a counter for each slot, in a file that every process maps."""

    __slots__ = ("_counts", "_map", "_marks")

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_size != SIZE:
                raise ValueError(f"{path.name} does not have {SIZE} bytes")
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        whole = memoryview(self._map)
        self._marks = whole[:SLOTS]
        self._counts = whole[SLOTS:].cast("I")

    @staticmethod
    def slot(digest: bytes) -> int:
        """Return the slot of a key's digest."""
        return int.from_bytes(digest[:2], "little")

    def mark(self, slot: int) -> None:
        """Note one visit."""
        self._marks[slot] = 1
        self._counts[slot] = (self._counts[slot] + 1) & 0x7FFFFFFF

    def spare(self, slot: int) -> bool:
        """Tell whether the slot was visited since it was last asked, and let it age."""
        visited = self._marks[slot] == 1
        self._marks[slot] = 0
        self._counts[slot] >>= 1
        return visited

    def count(self, slot: int) -> int:
        """Return about how often the slot was visited of late."""
        return self._counts[slot]
