"""Delivery to one tier: claim, call, record; no transaction is open while the edge is called."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from ..drivers import Driver, PurgeError, Target
from ..index.lock import WRITING
from .claim import Claim, Idle, being_sent, claim, look
from .heard import Heard, Unheard
from .outcome import Failure, accepted, failed
from .tier import Tier
from .world import World

logger = logging.getLogger(__name__)

MOST_CALLS = 200
"""Calls that are made before anybody else gets a turn."""


class Delivery:
    """Sends one tier what it is owed; any number of processes may do so at a time."""

    def __init__(
        self,
        engine: Engine,
        tier: Tier,
        driver: Driver,
        world: World,
        heard: Heard | None = None,
    ) -> None:
        self.tier = tier
        self.driver = driver
        self.calls = 0
        self._reading = engine
        self._engine = engine.execution_options(**WRITING)
        self._world = world
        self._heard = heard or Heard(world.ticks)

    def drain(self, now: datetime) -> timedelta | None:
        """Send all that may be sent now; return when to come back, None when nothing is owed."""
        began = self._world.ticks()
        for _ in range(MOST_CALLS):
            at = now + self._world.since(began)
            idle = self.step(at)
            if idle is not None:
                return None if idle.until is None else max(idle.until - at, timedelta(0))
        return timedelta(0)

    def step(self, now: datetime) -> Idle | None:
        """Make at most one call; say how long nothing can be sent when there was none to make."""
        with self._reading.connect() as connection:
            idle = look(connection, self.tier, now)
        if idle is not None:
            return idle
        with self._engine.begin() as connection:
            unheard = self._unheard(connection)
            found = claim(connection, self.tier, self.driver.limits, now, unheard=unheard)
        if isinstance(found, Idle):
            return found
        self._world.reached("claimed")
        self.calls += 1
        began = self._world.ticks()
        error = self._call(found)
        self._world.reached("called")
        self._record(found, error, now + self._world.since(began))
        self._world.reached("recorded")
        return None

    def _unheard(self, connection: Connection) -> Unheard:
        if not self.tier.depth:
            return Unheard()  # nothing stands further in
        return self._heard.unheard(connection, self.tier.flight)

    def claimed(self) -> bool:
        """Tell whether somebody is sending to this tier."""
        with self._reading.connect() as connection:
            return being_sent(connection, self.tier)

    def _call(self, found: Claim) -> PurgeError | None:
        try:
            if found.everything:
                self.driver.purge_everything()
            else:
                for targets in self._batches(found.targets):
                    self.driver.purge(targets)
        except PurgeError as error:
            return error
        except Exception as error:  # a driver's mistake must not stop the relay
            logger.exception("purge.driver_failed", extra={"tier": self.tier.name})
            return PurgeError(f"the driver failed: {type(error).__name__}")
        return None

    def _batches(self, targets: tuple[Target, ...]) -> Iterator[tuple[Target, ...]]:
        """The targets of one claim in calls that the edge accepts.

        Short-lived pages share one tag, so an edge that is purged by tags needs one of them.
        """
        if getattr(self.driver, "by_tag", False):
            targets = tuple({target.tag or target.url: target for target in targets}.values())
        most = self.driver.limits.batch
        for start in range(0, len(targets), most):
            yield targets[start : start + most]

    def _record(self, found: Claim, error: PurgeError | None, now: datetime) -> None:
        with self._engine.begin() as connection:
            if error is None:
                accepted(connection, self.tier, found, now)
                rest = None
            else:
                failure = Failure(error=error, at=now)
                rest = failed(connection, self.tier, found, failure, self._world.random)
        if error is not None and rest is not None:
            logger.warning(
                "purge.failed",
                extra={
                    "tier": self.tier.name,
                    "reason": str(error),
                    "pages": len(found.targets),
                    "everything": found.everything,
                    "rest": rest.total_seconds(),
                },
            )
