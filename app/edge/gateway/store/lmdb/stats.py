"""The statistics of a store for operators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import refill_queue
from .counters import StoreCounters

if TYPE_CHECKING:
    from .environment import Environment, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """The size and counters of a store; `purges` counts those of this incarnation."""

    pages: int
    variants: int
    used: int
    limit: int
    purges: int
    evicted: int
    refill_queue: int

    @classmethod
    def of(cls, environment: Environment) -> StoreStats:
        """Return the current statistics."""
        with environment.read_transaction() as transaction:
            return cls.load(environment, transaction)

    @classmethod
    def load(cls, environment: Environment, transaction: Transaction) -> StoreStats:
        """Return the statistics as of this transaction."""
        counters = StoreCounters.load(environment, transaction)
        return cls(
            pages=transaction.stat(environment.pages)["entries"],
            variants=counters.variants,
            used=environment.used_bytes(transaction),
            limit=environment.limit,
            purges=counters.purge_count,
            evicted=counters.evicted,
            refill_queue=refill_queue.count(environment, transaction),
        )
