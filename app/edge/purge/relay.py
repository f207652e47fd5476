"""The relay: takes every change to every tier; all it knows stands in the database.

`step` plans and sends without waiting; `run` waits, and gives each tier a thread of its own, so
that the trouble of one is no delay to another.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from ..changes.log import sweep, to_sweep, unresolved
from ..drivers import Driver
from ..index.bound import Bound
from ..index.lock import WRITING, exclude
from ..index.resolve import Resolution
from ..index.wal import empty_large_log
from .clock import Hands, set_back
from .delivery import Delivery
from .enqueue import settle_changes
from .gateways import all_owed, retire_gone
from .heard import Heard
from .heartbeat import BEAT, Deputy, beat, identity
from .housekeeping import EVERY, keep_house
from .leader import Leader
from .leader import leader as elect
from .tier import Tier, inside_out
from .watch import POLL, Watch
from .watch import watch as keep_watch
from .world import World

logger = logging.getLogger(__name__)

Hook = Callable[[datetime], datetime | None]
"""Does what is due at an instant, and says when it wants to be called again at the latest."""


AGAIN = timedelta(seconds=5)
"""How soon a hook that failed is called again."""

LARGE_LOG = 4 * 1024 * 1024
"""Housekeeping empties a write-ahead log of SQLite that is larger than this."""

BREATH = timedelta(milliseconds=20)
"""The rest between two parts of a long work, in which writers get their turn."""


class Relay:
    """Delivers to the tiers that it has drivers for.

    `others` are tiers that changes are owed to and that another process delivers to, such as the
    gateways of other machines. Any number of relays may run; the elected one does the work.
    `bound` is that of the page index.
    """

    def __init__(  # noqa: PLR0913 - options by keyword, each with a default
        self,
        engine: Engine,
        tiers: Mapping[Tier, Driver],
        *,
        others: Iterable[Tier] = (),
        hooks: Sequence[Hook] = (),
        leader: Leader | None = None,
        bound: Bound | None = None,
        world: World | None = None,
    ) -> None:
        self.tiers = inside_out({*tiers, *others})
        if len({tier.name for tier in self.tiers}) != len(self.tiers):
            raise ValueError("two tiers have the same name: each needs its own")
        self._world = world or World()
        self._heard = Heard(self._world.ticks)
        self.deliveries = tuple(
            Delivery(engine, tier, tiers[tier], self._world, self._heard)
            for tier in inside_out(tiers)
        )
        self._reading = engine
        self._writing = engine.execution_options(**WRITING)
        self._hooks = tuple(hooks)
        self._bound = bound
        self._leader = leader or elect(engine)
        self._name = identity()
        self._deputy = Deputy(
            engine,
            elect(engine, deputy=True),
            [delivery.tier.name for delivery in self.deliveries],
            by=self._name,
            ticks=self._world.ticks,
        )
        self._woken = Event()
        self._nudges = {delivery.tier: Event() for delivery in self.deliveries}
        self._leading = False
        self._beat_at = float("-inf")
        self._hands = Hands()
        self._kept: datetime | None = None

    def wake(self) -> None:
        """Look at once: somebody in this process has committed."""
        self._woken.set()

    def settle(self, now: datetime) -> Resolution:
        """Resolve what was written and owe the tiers their purges; cheap when there is nothing."""
        with self._reading.connect() as connection:
            if not unresolved(connection, most=0):
                return Resolution()
        with self._writing.begin() as connection:
            exclude(connection)  # so that who joins does it before we look who has, or after all
            owed = all_owed(connection, self.tiers)
            resolution = settle_changes(connection, owed, now)
            self._world.reached("resolved")
        self._world.reached("settled")
        return resolution

    def flush(self, now: datetime, *, within: timedelta = timedelta(seconds=1)) -> Resolution:
        """Settle what was written and purge our gateways before returning.

        The committing process calls it before its request ends. What another process has claimed
        is waited for, and no longer than `within`; what fails is left to the relay, also when it is
        the database: the commit stands.
        """
        try:
            return self._flush(now, within)
        except DBAPIError as error:
            logger.warning("relay.database", extra={"reason": str(error.orig)})
            return Resolution()
        finally:
            self.wake()

    def _flush(self, now: datetime, within: timedelta) -> Resolution:
        resolution = self.settle(now)
        began = self._world.ticks()
        # Also when there was nothing to settle: somebody else may have settled what was written.
        for delivery in self._gateways():
            delivery.drain(now)
            while delivery.claimed() and self._world.since(began) < within:
                time.sleep(0.002)
        return resolution

    def step(self, now: datetime) -> timedelta:
        """Do all that can be done at an instant; return how long nothing else is due."""
        waits = [self.plan(now)]
        for delivery in self.deliveries:
            wait = delivery.drain(now)
            if wait is not None:
                waits.append(wait)
        return min(waits)

    def plan(self, now: datetime) -> timedelta:
        """Settle, call the hooks, keep house; return when the next of it is due."""
        self._mind_clock()
        with self._reading.connect() as connection:
            self._heard.look(connection)
        due = [_called(hook, now) for hook in self._hooks]
        self.settle(now)
        if self._kept is None or now - self._kept >= EVERY:
            with self._writing.begin() as connection:
                exclude(connection)  # as in settle
                owed = all_owed(connection, self.tiers)
                keep_house(connection, owed, now, self._bound)
                retire_gone(connection, now, self._heard.gone())
            empty_large_log(self._reading, LARGE_LOG)
            self._kept = now
        waits = [max(at - now, timedelta(0)) for at in due if at is not None]
        return min([*waits, self._sweep(), self._kept + EVERY - now])

    def _sweep(self) -> timedelta:
        """Clear a part of a large log away; return how long others may have the database."""
        with self._reading.connect() as connection:
            if not to_sweep(connection):
                return EVERY
        with self._writing.begin() as connection:
            swept = sweep(connection)
        logger.info("relay.swept", extra={"entries": swept})
        return BREATH if swept else AGAIN

    def is_needed(self) -> bool:
        """Tell whether no other relay is alive, so that this one has to stand in."""
        return self._deputy.leads()

    def run(self, stop: Event, *, elected: bool = True) -> None:
        """Relay until `stop` is set, as long as this process is the elected one or its deputy.

        Without `elected` it can be the deputy alone; it sets `stop` when another relay is alive.
        """
        watch = keep_watch(self._reading)
        threads = [
            Thread(target=self._deliver, args=(delivery, stop), daemon=True)
            for delivery in self.deliveries
        ]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self._turn(watch, stop, elected=elected)
                if not elected and not self._leading:
                    stop.set()
        finally:
            self._leading = False
            for nudge in self._nudges.values():
                nudge.set()
            for thread in threads:
                thread.join()
            watch.close()
            self._leader.resign()
            self._deputy.resign()

    def _leads(self, *, elected: bool) -> bool:
        """Tell whether this process leads: as the elected one, or as the deputy."""
        if elected and self._leader.leads():
            self._deputy.resign()
            return True
        try:
            return self._deputy.leads()
        except DBAPIError:  # a database that is away comes back
            return False

    def _turn(self, watch: Watch, stop: Event, *, elected: bool) -> None:
        """Lead for as long as nothing new is to be planned."""
        self._leading = self._leads(elected=elected)
        if not self._leading:
            stop.wait(POLL.total_seconds())
            return
        self._woken.clear()
        try:
            left = self.plan(self._world.clock())
            self._beat()
        except Exception:  # a database that is away comes back
            logger.exception("relay.failed")
            stop.wait(POLL.total_seconds())
            return
        self._nudge(self.deliveries)
        left = min(left, BEAT)
        until = self._world.ticks() + left.total_seconds()
        while not stop.is_set() and self._leads(elected=elected):
            left = timedelta(seconds=until - self._world.ticks())
            if left <= timedelta(0) or watch.wait(self._woken, min(left, POLL)):
                return

    def _beat(self) -> None:
        """Note that we are alive, unless we are the deputy of a relay that is alive again."""
        if self._world.ticks() - self._beat_at < BEAT.total_seconds():
            return
        if self._deputy.active and not self._deputy.confirm():
            self._leading = False
            return
        names = [delivery.tier.name for delivery in self.deliveries]
        with self._writing.begin() as connection:
            beat(connection, names, self._name, self._world.clock())
        self._beat_at = self._world.ticks()

    def _deliver(self, delivery: Delivery, stop: Event) -> None:
        """One tier's thread: it waits for its own next purge, and for nobody else's."""
        nudge = self._nudges[delivery.tier]
        while not stop.is_set():
            wait = POLL
            # A gateway can be purged by its own machine alone, whoever leads.
            if self._leading or delivery.tier.depth == 0:
                nudge.clear()
                calls = delivery.calls
                wait = self._drain(delivery)
                if delivery.calls != calls:
                    outer = (d for d in self.deliveries if d.tier.depth > delivery.tier.depth)
                    self._nudge(outer)
            nudge.wait(wait.total_seconds())

    def _drain(self, delivery: Delivery) -> timedelta:
        try:
            wait = delivery.drain(self._world.clock())
        except Exception:  # a database that is away comes back; the lease sees to the rest
            logger.exception("relay.failed", extra={"tier": delivery.tier.name})
            return POLL
        return POLL if wait is None else min(wait, POLL)

    def _nudge(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            self._nudges[delivery.tier].set()

    def _gateways(self) -> list[Delivery]:
        """Those that answer at once; nobody waits for an edge in front."""
        return [delivery for delivery in self.deliveries if not delivery.tier.depth]

    def _mind_clock(self) -> None:
        by = self._hands.moved(self._world.clock(), self._world.ticks())
        if not by:
            return
        logger.warning("relay.clock_set", extra={"by": by.total_seconds()})
        with self._writing.begin() as connection:
            set_back(connection, [tier.name for tier in self.tiers], -by)
        self._kept = None


def _called(hook: Hook, now: datetime) -> datetime | None:
    """Call a hook; its mistake is no reason to purge nothing, and it is called again soon."""
    try:
        return hook(now)
    except Exception:
        logger.exception("relay.hook_failed")
        return now + AGAIN
