"""Delivery to one tier: claim, call, record; no transaction is open while the edge is called."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from ..cdn import Driver, PurgeError, PurgeTarget
from ..pages.resolver_lock import WRITE_OPTIONS
from .claim import Claim, Idle, claim_entries, has_claimed_entries, next_due
from .gateway_heartbeats import HeartbeatMonitor, SilentGateways
from .outcome import CallFailure, record_failure, record_success
from .runtime import RelayRuntime
from .tier import Tier

logger = logging.getLogger(__name__)

MAX_CALLS = 200
"""The maximum number of calls in one `drain`, so that other tiers are not delayed."""


class Delivery:
    """Delivers the outbox entries of one tier; several processes may do so at the same time."""

    def __init__(
        self,
        engine: Engine,
        tier: Tier,
        driver: Driver,
        runtime: RelayRuntime,
        heartbeats: HeartbeatMonitor | None = None,
    ) -> None:
        self.tier = tier
        self.driver = driver
        self.call_count = 0
        self._read_engine = engine
        self._engine = engine.execution_options(**WRITE_OPTIONS)
        self._runtime = runtime
        self._heartbeats = heartbeats or HeartbeatMonitor(runtime.monotonic)

    def drain(self, now: datetime) -> timedelta | None:
        """Send all entries that may be sent now; return the wait until the next, or None."""
        began = self._runtime.monotonic()
        for _ in range(MAX_CALLS):
            at = now + self._runtime.elapsed_since(began)
            idle = self.send_next(at)
            if idle is not None:
                return None if idle.until is None else max(idle.until - at, timedelta(0))
        return timedelta(0)

    def send_next(self, now: datetime) -> Idle | None:
        """Make at most one call; if nothing may be sent, return until when."""
        with self._read_engine.connect() as connection:
            idle = next_due(connection, self.tier, now)
        if idle is not None:
            return idle
        with self._engine.begin() as connection:
            silent_gateways = self._silent_gateways(connection)
            claim = claim_entries(
                connection, self.tier, self.driver.limits, now, silent_gateways=silent_gateways
            )
        if isinstance(claim, Idle):
            return claim
        self._runtime.on_step("claimed")
        self.call_count += 1
        began = self._runtime.monotonic()
        error = self._call_driver(claim)
        self._runtime.on_step("called")
        self._record_result(claim, error, now + self._runtime.elapsed_since(began))
        self._runtime.on_step("recorded")
        return None

    def _silent_gateways(self, connection: Connection) -> SilentGateways:
        if not self.tier.depth:
            return SilentGateways()  # the innermost tier waits for no other
        return self._heartbeats.silent_gateways(connection, self.tier.max_flight_time)

    def is_being_sent(self) -> bool:
        """Return whether any process is sending to this tier."""
        with self._read_engine.connect() as connection:
            return has_claimed_entries(connection, self.tier)

    def _call_driver(self, claim: Claim) -> PurgeError | None:
        try:
            if claim.purges_everything:
                self.driver.purge_everything()
            else:
                for targets in self._batches(claim.targets):
                    self.driver.purge(targets)
        except PurgeError as error:
            return error
        except Exception as error:  # a fault in a driver must not stop the relay
            logger.exception(
                "purge.driver_failed: the driver of tier %s raised an unexpected exception",
                self.tier.name,
                extra={"tier": self.tier.name},
            )
            return PurgeError(f"the driver failed: {type(error).__name__}")
        return None

    def _batches(self, targets: tuple[PurgeTarget, ...]) -> Iterator[tuple[PurgeTarget, ...]]:
        """Split the targets of one claim into calls that the edge accepts.

        Short-lived pages share one tag, so an edge that is purged by tag needs only one of them.
        """
        if getattr(self.driver, "purges_by_tag", False):
            targets = tuple({target.tag or target.url: target for target in targets}.values())
        most = self.driver.limits.batch
        for start in range(0, len(targets), most):
            yield targets[start : start + most]

    def _record_result(self, claim: Claim, error: PurgeError | None, now: datetime) -> None:
        with self._engine.begin() as connection:
            if error is None:
                record_success(connection, self.tier, claim, now)
                rest = None
            else:
                failure = CallFailure(error=error, at=now)
                rest = record_failure(connection, self.tier, claim, failure, self._runtime.random)
        if error is not None and rest is not None:
            count = "everything" if claim.purges_everything else f"{len(claim.targets)} page(s)"
            logger.warning(
                "purge.failed: tier %s did not accept the purge of %s (%s); next call in %.0f s",
                self.tier.name,
                count,
                error,
                rest.total_seconds(),
                extra={
                    "tier": self.tier.name,
                    "reason": str(error),
                    "pages": len(claim.targets),
                    "everything": claim.purges_everything,
                    "rest": rest.total_seconds(),
                },
            )
