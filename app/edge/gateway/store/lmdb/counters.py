"""Ledger: the few numbers of a store that change with every write, and which purges forbid what."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import UnsoundError

if TYPE_CHECKING:
    from .environment import Environment, Transaction

_FORM = struct.Struct("<QQQQQQ")
_COUNT = struct.Struct("<Q")
NAME = b"ledger"
#: How many purged keys are remembered one by one, at most and for each byte of the store.
_GENERATIONS = 10_000
_BYTES_A_GENERATION = 1024


@dataclass(slots=True)
class Ledger:
    """Purge counter, floor below which tokens are refused, last serial, variants, evictions."""

    incarnation: int
    counter: int = 0
    floor: int = 0
    serial: int = 0
    variants: int = 0
    evicted: int = 0

    @classmethod
    def read(cls, environment: Environment, transaction: Transaction) -> Ledger:
        """Return the ledger as of this transaction."""
        return cls.parse(transaction.get(NAME, db=environment.small), environment.incarnation)

    @classmethod
    def parse(cls, data: bytes | None, incarnation: int) -> Ledger:
        """Return the ledger from its bytes; UnsoundError when they are of another store."""
        if data is None or len(data) != _FORM.size:
            raise UnsoundError("the data file is of another application")
        ledger = cls(*_FORM.unpack(data))
        if ledger.incarnation != incarnation:
            raise UnsoundError("the data file is of another store")
        return ledger

    def __bytes__(self) -> bytes:
        numbers = (self.counter, self.floor, self.serial, self.variants, self.evicted)
        return _FORM.pack(self.incarnation, *numbers)

    def write(self, environment: Environment, transaction: Transaction) -> None:
        """Make it so, with whatever else the transaction does."""
        transaction.put(NAME, bytes(self), db=environment.small)

    def next_serial(self) -> int:
        """Return a number that was never used in this incarnation."""
        self.serial += 1
        return self.serial

    def forbids(
        self, environment: Environment, transaction: Transaction, digest: bytes, token: int
    ) -> bool:
        """Tell whether the key was purged, or purges were forgotten, after the token was read."""
        incarnation, count = token >> 64, token & (1 << 64) - 1
        if incarnation != environment.incarnation or count < self.floor:
            return True
        purged = transaction.get(digest, db=environment.generations)
        return purged is not None and _COUNT.unpack(purged)[0] > count

    def forbid(self, environment: Environment, transaction: Transaction, digest: bytes) -> None:
        """Refuse all tokens read before now for this key."""
        self.counter += 1
        known = transaction.stat(environment.generations)["entries"]
        if known >= min(_GENERATIONS, environment.limit // _BYTES_A_GENERATION):
            # Forgetting all of them at once costs each page under way one refused save.
            self.forbid_all(environment, transaction)
        else:
            transaction.put(digest, _COUNT.pack(self.counter), db=environment.generations)

    def forbid_all(self, environment: Environment, transaction: Transaction) -> None:
        """Refuse all tokens read before now, and forget the purges of single keys."""
        self.floor = self.counter
        transaction.drop(environment.generations, delete=False)


def token_of(environment: Environment) -> int:
    """Return the token of now: the incarnation, so that no token outlives it, and the counter."""
    data = environment.get(environment.small, NAME)
    ledger = Ledger.parse(data, environment.incarnation)
    return ledger.incarnation << 64 | ledger.counter
