"""What a publication will cost: renders at the origin, and purge calls at each tier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.edge.cdn import Driver
from app.edge.pages.impact import Impact

PRICES = {"cloudfront": (1_000, 0.005)}
"""The free purges of a month, and the price in US dollars of each further path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierCost:
    """The purge calls of one tier, and the most that its vendor bills for them, in dollars."""

    name: str
    calls: int
    price: float = 0.0
    free: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data."""
        return {"name": self.name, "calls": self.calls, "price": self.price, "free": self.free}


def count_calls(pages: int, batch: int) -> int:
    """Return how many calls purge this many pages."""
    return -(-pages // batch)


def cost_of(name: str, batch: int, impact: Impact) -> TierCost:
    """Return the cost of a tier, which purges `batch` pages a call."""
    if impact.everything_reason:
        return TierCost(name=name, calls=1)
    pages = len(impact.urls)
    free, price = next((v for vendor, v in PRICES.items() if vendor in name.lower()), (0, 0.0))
    return TierCost(
        name=name, calls=count_calls(pages, batch), price=round(pages * price, 2), free=free
    )


def estimate_costs(impact: Impact) -> list[TierCost]:
    """Return the cost at each tier that this process purges."""
    return [cost_of(name, driver.limits.batch, impact) for name, driver in _drivers()]


def _drivers() -> Iterable[tuple[str, Driver]]:
    worker = current_app.extensions["edge"].worker
    deliveries = () if worker is None else worker.relay.deliveries
    return [(delivery.tier.name, delivery.driver) for delivery in deliveries]
