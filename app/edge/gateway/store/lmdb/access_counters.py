"""Shared memory of all processes: access counts of pages, and whether the store is discarded.

The counters are approximate on purpose: increments may be lost, and two keys may share a slot.
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
    """Write the whole file, so that a full disk raises an error now and not a SIGBUS later."""
    path.write_bytes(bytes(SIZE))


def condemn(path: Path) -> None:
    """Mark the store as discarded for every process, without mapping the file."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.pwrite(descriptor, _DEAD.to_bytes(8, sys.byteorder), _DEAD_AT)
    finally:
        os.close(descriptor)


class AccessCounters:
    """A reference bit and an access counter per slot, in a file that every process maps."""

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
        """Whether a process has marked this store as discarded, so that it must not be served."""
        return self._dead[0] == _DEAD

    def mark_discarded(self) -> None:
        """Mark the store as discarded for every process; works on a full or read-only disk."""
        self._dead[0] = _DEAD

    @staticmethod
    def slot(digest: bytes) -> int:
        """Return the slot of a key's digest."""
        return int.from_bytes(digest[:2], "little")

    def record_access(self, slot: int) -> None:
        """Record one access."""
        self._reference_bits[slot] = 1
        self._counts[slot] = (self._counts[slot] + 1) & 0x7FFFFFFF

    def clear_reference_bit(self, slot: int) -> bool:
        """Clear the reference bit, halve the counter, and return whether the bit was set."""
        visited = self._reference_bits[slot] == 1
        self._reference_bits[slot] = 0
        self._counts[slot] >>= 1
        return visited

    def access_count(self, slot: int) -> int:
        """Return the approximate number of recent accesses of the slot."""
        return self._counts[slot]
