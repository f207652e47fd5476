"""Stats: what an operator asks of a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import refill_queue
from .counters import Ledger

if TYPE_CHECKING:
    from .environment import Environment, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """How full a store is and what became of it; `purges` counts those of this incarnation."""

    pages: int
    variants: int
    used: int
    limit: int
    purges: int
    evicted: int
    wanted: int

    @classmethod
    def of(cls, environment: Environment) -> Stats:
        """Return them as of now."""
        with environment.reading() as transaction:
            return cls.read(environment, transaction)

    @classmethod
    def read(cls, environment: Environment, transaction: Transaction) -> Stats:
        """Return them as of this transaction."""
        ledger = Ledger.read(environment, transaction)
        return cls(
            pages=transaction.stat(environment.pages)["entries"],
            variants=ledger.variants,
            used=environment.used(transaction),
            limit=environment.limit,
            purges=ledger.counter,
            evicted=ledger.evicted,
            wanted=refill_queue.count(environment, transaction),
        )
