"""Several edges that are purged as one: the nodes of a cluster, or two CDNs side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from .base import CallLimits, Driver, PurgeError, PurgeTarget


class FanoutDriver:
    """Purges every one of its edges; it failed when one of them failed.

    All of them are tried each time: purging one twice does no harm, leaving one out does.
    """

    def __init__(self, drivers: Sequence[Driver]) -> None:
        if not drivers:
            raise ValueError("a fan-out needs at least one edge")
        self._drivers = tuple(drivers)
        self.limits = _narrowest([driver.limits for driver in self._drivers])
        self.by_url = any(getattr(driver, "by_url", False) for driver in self._drivers)

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Make every edge forget these pages."""
        self._each(lambda driver: driver.purge(targets))

    def purge_everything(self) -> None:
        """Make every edge forget all pages."""
        self._each(lambda driver: driver.purge_everything())

    def _each(self, call: Callable[[Driver], None]) -> None:
        errors = []
        for driver in self._drivers:
            try:
                call(driver)
            except PurgeError as error:
                errors.append(error)
        if errors:
            raise PurgeError.combine(errors)


def _narrowest(limits: Sequence[CallLimits]) -> CallLimits:
    rates = [limit.per_second for limit in limits if limit.per_second is not None]
    return CallLimits(
        batch=min(limit.batch for limit in limits),
        per_second=min(rates, default=None),
        burst=min(limit.burst for limit in limits),
        timeout=sum((limit.timeout for limit in limits), timedelta(0)),
        claim_margin=max(limit.claim_margin for limit in limits),
        ignored_lifetime=min(limit.ignored_lifetime for limit in limits),
    )
