"""The counters of a store, and the purge counts against which tokens are checked."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import InvalidStoreError

if TYPE_CHECKING:
    from .environment import Environment, Transaction

_FORM = struct.Struct("<QQQQQQ")
_COUNT = struct.Struct("<Q")
NAME = b"ledger"
#: The maximum number of purged keys with a count of their own, in all and per byte of the store.
_GENERATIONS = 10_000
_BYTES_A_GENERATION = 1024


@dataclass(slots=True)
class StoreCounters:
    """Purge count, minimum accepted token, last serial, number of variants and evictions."""

    incarnation: int
    purge_count: int = 0
    min_token: int = 0
    serial: int = 0
    variants: int = 0
    evicted: int = 0

    @classmethod
    def load(cls, environment: Environment, transaction: Transaction) -> StoreCounters:
        """Return the counters as of this transaction."""
        return cls.parse(
            transaction.get(NAME, db=environment.metadata_table), environment.incarnation
        )

    @classmethod
    def parse(cls, data: bytes | None, incarnation: int) -> StoreCounters:
        """Parse the counters; raise InvalidStoreError if they belong to another store."""
        if data is None or len(data) != _FORM.size:
            raise InvalidStoreError("the data file belongs to another application")
        counters = cls(*_FORM.unpack(data))
        if counters.incarnation != incarnation:
            raise InvalidStoreError("the data file belongs to another store")
        return counters

    def __bytes__(self) -> bytes:
        numbers = (self.purge_count, self.min_token, self.serial, self.variants, self.evicted)
        return _FORM.pack(self.incarnation, *numbers)

    def write(self, environment: Environment, transaction: Transaction) -> None:
        """Write the counters as part of this transaction."""
        transaction.put(NAME, bytes(self), db=environment.metadata_table)

    def next_serial(self) -> int:
        """Return a serial that was never used in this incarnation."""
        self.serial += 1
        return self.serial

    def rejects_token(
        self, environment: Environment, transaction: Transaction, digest: bytes, token: int
    ) -> bool:
        """Return whether the key was purged, or purge counts were dropped, after the token."""
        incarnation, count = token >> 64, token & (1 << 64) - 1
        if incarnation != environment.incarnation or count < self.min_token:
            return True
        purged = transaction.get(digest, db=environment.purge_counts)
        return purged is not None and _COUNT.unpack(purged)[0] > count

    def record_purge(
        self, environment: Environment, transaction: Transaction, digest: bytes
    ) -> None:
        """Reject all tokens for this key that were read before now."""
        self.purge_count += 1
        purged_keys = transaction.stat(environment.purge_counts)["entries"]
        if purged_keys >= min(_GENERATIONS, environment.limit // _BYTES_A_GENERATION):
            # Dropping all counts at once costs each running fetch one rejected save.
            self.record_purge_all(environment, transaction)
        else:
            transaction.put(digest, _COUNT.pack(self.purge_count), db=environment.purge_counts)

    def record_purge_all(self, environment: Environment, transaction: Transaction) -> None:
        """Reject all tokens read before now, and drop the purge counts of single keys."""
        self.min_token = self.purge_count
        transaction.drop(environment.purge_counts, delete=False)


def read_purge_token(environment: Environment) -> int:
    """Return the current token: the incarnation, so that tokens expire with it, and the count."""
    data = environment.get(environment.metadata_table, NAME)
    counters = StoreCounters.parse(data, environment.incarnation)
    return counters.incarnation << 64 | counters.purge_count
