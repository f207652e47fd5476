"""Memory shared by all processes: how often pages were asked for, and whether the store is dead.

Counters are approximate by intent: increments may be lost, and two keys may share a slot.
"""

import mmap
import os
import sys
from pathlib import Path

SLOTS = 1 << 16
_DEAD_AT = SLOTS + 4 * SLOTS
SIZE = _DEAD_AT + 8
_DEAD = int.from_bytes(b"discard!", "little")


def create_file(path: Path) -> None:
    """Write the file out in full, so that a full disk is an error now and not a signal later."""
    path.write_bytes(bytes(SIZE))


def condemn(path: Path) -> None:
    """Declare the store dead for every process, without mapping the file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, _DEAD.to_bytes(8, sys.byteorder), _DEAD_AT)
    finally:
        os.close(descriptor)


class AccessCounters:
    """A visited mark and a counter for each slot, in a file that every process maps."""

    __slots__ = ("_counts", "_dead", "_map", "_reference_bits")

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if os.fstat(descriptor).st_size != SIZE:
                raise ValueError(f"{path.name} does not have {SIZE} bytes")
            self._map = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        whole = memoryview(self._map)
        self._reference_bits = whole[:SLOTS]
        self._counts = whole[SLOTS:_DEAD_AT].cast("I")
        self._dead = whole[_DEAD_AT:].cast("Q")

    @property
    def is_discarded(self) -> bool:
        """Whether some process has declared that nothing of this store may be served."""
        return self._dead[0] == _DEAD

    def mark_discarded(self) -> None:
        """Declare so, for every process at once: this works when the disk is full or read-only."""
        self._dead[0] = _DEAD

    @staticmethod
    def slot(digest: bytes) -> int:
        """Return the slot of a key's digest."""
        return int.from_bytes(digest[:2], "little")

    def record_access(self, slot: int) -> None:
        """Note one visit."""
        self._reference_bits[slot] = 1
        self._counts[slot] = (self._counts[slot] + 1) & 0x7FFFFFFF

    def clear_reference_bit(self, slot: int) -> bool:
        """Tell whether the slot was visited since it was last asked, and let it age."""
        visited = self._reference_bits[slot] == 1
        self._reference_bits[slot] = 0
        self._counts[slot] >>= 1
        return visited

    def access_count(self, slot: int) -> int:
        """Return about how often the slot was visited of late."""
        return self._counts[slot]
