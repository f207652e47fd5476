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

from ..cdn import Driver
from ..changes.log import needs_sweep, sweep, unresolved_changes
from ..pages.capacity import IndexCapacity
from ..pages.resolve import Resolution
from ..pages.resolver_lock import WRITE_OPTIONS, acquire_resolver_lock
from ..pages.wal import empty_large_log
from .clock import ClockJumpDetector, shift_schedule
from .commit_watch import POLL_INTERVAL, CommitWatcher
from .commit_watch import create_commit_watcher as keep_watch
from .delivery import Delivery
from .gateway_heartbeats import HeartbeatMonitor
from .heartbeat import BEAT, Deputy, beat, identity
from .leader import Leader
from .leader import create_leader as elect
from .maintenance import MAINTENANCE_INTERVAL, run_maintenance
from .membership import retire_silent_gateways, tiers_to_purge
from .outbox import resolve_and_enqueue
from .runtime import RelayRuntime
from .tier import Tier, sort_inside_out

logger = logging.getLogger(__name__)

RelayHook = Callable[[datetime], datetime | None]
"""Does what is due at an instant, and says when it wants to be called again at the latest."""


HOOK_RETRY = timedelta(seconds=5)
"""How soon a hook that failed is called again."""

LARGE_LOG = 4 * 1024 * 1024
"""Housekeeping empties a write-ahead log of SQLite that is larger than this."""

SWEEP_PAUSE = timedelta(milliseconds=20)
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
        remote_tiers: Iterable[Tier] = (),
        hooks: Sequence[RelayHook] = (),
        leader: Leader | None = None,
        capacity: IndexCapacity | None = None,
        runtime: RelayRuntime | None = None,
    ) -> None:
        self.tiers = sort_inside_out({*tiers, *remote_tiers})
        if len({tier.name for tier in self.tiers}) != len(self.tiers):
            raise ValueError("two tiers have the same name: each needs its own")
        self._runtime = runtime or RelayRuntime()
        self._heartbeats = HeartbeatMonitor(self._runtime.monotonic)
        self.deliveries = tuple(
            Delivery(engine, tier, tiers[tier], self._runtime, self._heartbeats)
            for tier in sort_inside_out(tiers)
        )
        self._read_engine = engine
        self._write_engine = engine.execution_options(**WRITE_OPTIONS)
        self._hooks = tuple(hooks)
        self._bound = capacity
        self._leader = leader or elect(engine)
        self._name = identity()
        self._deputy = Deputy(
            engine,
            elect(engine, deputy=True),
            [delivery.tier.name for delivery in self.deliveries],
            by=self._name,
            ticks=self._runtime.monotonic,
        )
        self._wake_event = Event()
        self._delivery_events = {delivery.tier: Event() for delivery in self.deliveries}
        self._is_leader = False
        self._beat_at = float("-inf")
        self._jump_detector = ClockJumpDetector()
        self._last_maintenance: datetime | None = None

    def wake(self) -> None:
        """Look at once: somebody in this process has committed."""
        self._wake_event.set()

    def enqueue_changes(self, now: datetime) -> Resolution:
        """Resolve what was written and owe the tiers their purges; cheap when there is nothing."""
        with self._read_engine.connect() as connection:
            if not unresolved_changes(connection, limit=0):
                return Resolution()
        with self._write_engine.begin() as connection:
            acquire_resolver_lock(
                connection
            )  # so that who joins does it before we look who has, or after all
            owed = tiers_to_purge(connection, self.tiers)
            resolution = resolve_and_enqueue(connection, owed, now)
            self._runtime.on_step("resolved")
        self._runtime.on_step("settled")
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
        resolution = self.enqueue_changes(now)
        began = self._runtime.monotonic()
        # Also when there was nothing to settle: somebody else may have settled what was written.
        for delivery in self._gateway_deliveries():
            delivery.drain(now)
            while delivery.is_being_sent() and self._runtime.elapsed_since(began) < within:
                time.sleep(0.002)
        return resolution

    def run_once(self, now: datetime) -> timedelta:
        """Do all that can be done at an instant; return how long nothing else is due."""
        waits = [self.run_leader_tasks(now)]
        for delivery in self.deliveries:
            wait = delivery.drain(now)
            if wait is not None:
                waits.append(wait)
        return min(waits)

    def run_leader_tasks(self, now: datetime) -> timedelta:
        """Settle, call the hooks, keep house; return when the next of it is due."""
        self._handle_clock_jump()
        with self._read_engine.connect() as connection:
            self._heartbeats.read_heartbeats(connection)
        due = [_call_hook(hook, now) for hook in self._hooks]
        self.enqueue_changes(now)
        if self._last_maintenance is None or now - self._last_maintenance >= MAINTENANCE_INTERVAL:
            with self._write_engine.begin() as connection:
                acquire_resolver_lock(connection)  # as in settle
                owed = tiers_to_purge(connection, self.tiers)
                run_maintenance(connection, owed, now, self._bound)
                retire_silent_gateways(connection, now, self._heartbeats.silent_names())
            empty_large_log(self._read_engine, LARGE_LOG)
            self._last_maintenance = now
        waits = [max(at - now, timedelta(0)) for at in due if at is not None]
        return min([*waits, self._sweep(), self._last_maintenance + MAINTENANCE_INTERVAL - now])

    def _sweep(self) -> timedelta:
        """Clear a part of a large log away; return how long others may have the database."""
        with self._read_engine.connect() as connection:
            if not needs_sweep(connection):
                return MAINTENANCE_INTERVAL
        with self._write_engine.begin() as connection:
            swept = sweep(connection)
        logger.info("relay.swept", extra={"entries": swept})
        return SWEEP_PAUSE if swept else HOOK_RETRY

    def is_needed(self) -> bool:
        """Tell whether no other relay is alive, so that this one has to stand in."""
        return self._deputy.leads()

    def run(self, stop: Event, *, elected: bool = True) -> None:
        """Relay until `stop` is set, as long as this process is the elected one or its deputy.

        Without `elected` it can be the deputy alone; it sets `stop` when another relay is alive.
        """
        watch = keep_watch(self._read_engine)
        threads = [
            Thread(target=self._deliver, args=(delivery, stop), daemon=True)
            for delivery in self.deliveries
        ]
        for thread in threads:
            thread.start()
        try:
            while not stop.is_set():
                self._lead(watch, stop, elected=elected)
                if not elected and not self._is_leader:
                    stop.set()
        finally:
            self._is_leader = False
            for nudge in self._delivery_events.values():
                nudge.set()
            for thread in threads:
                thread.join()
            watch.close()
            self._leader.resign()
            self._deputy.resign()

    def _leads(self, *, elected: bool) -> bool:
        """Tell whether this process leads: as the elected one, or as the deputy."""
        if elected and self._leader.try_lead():
            self._deputy.resign()
            return True
        try:
            return self._deputy.leads()
        except DBAPIError:  # a database that is away comes back
            return False

    def _lead(self, watch: CommitWatcher, stop: Event, *, elected: bool) -> None:
        """Lead for as long as nothing new is to be planned."""
        self._is_leader = self._leads(elected=elected)
        if not self._is_leader:
            stop.wait(POLL_INTERVAL.total_seconds())
            return
        self._wake_event.clear()
        try:
            left = self.run_leader_tasks(self._runtime.clock())
            self._beat()
        except Exception:  # a database that is away comes back
            logger.exception("relay.failed")
            stop.wait(POLL_INTERVAL.total_seconds())
            return
        self._wake_deliveries(self.deliveries)
        left = min(left, BEAT)
        until = self._runtime.monotonic() + left.total_seconds()
        while not stop.is_set() and self._leads(elected=elected):
            left = timedelta(seconds=until - self._runtime.monotonic())
            if left <= timedelta(0) or watch.wait(self._wake_event, min(left, POLL_INTERVAL)):
                return

    def _beat(self) -> None:
        """Note that we are alive, unless we are the deputy of a relay that is alive again."""
        if self._runtime.monotonic() - self._beat_at < BEAT.total_seconds():
            return
        if self._deputy.active and not self._deputy.confirm():
            self._is_leader = False
            return
        names = [delivery.tier.name for delivery in self.deliveries]
        with self._write_engine.begin() as connection:
            beat(connection, names, self._name, self._runtime.clock())
        self._beat_at = self._runtime.monotonic()

    def _deliver(self, delivery: Delivery, stop: Event) -> None:
        """One tier's thread: it waits for its own next purge, and for nobody else's."""
        nudge = self._delivery_events[delivery.tier]
        while not stop.is_set():
            wait = POLL_INTERVAL
            # A gateway can be purged by its own machine alone, whoever leads.
            if self._is_leader or delivery.tier.depth == 0:
                nudge.clear()
                calls = delivery.call_count
                wait = self._drain(delivery)
                if delivery.call_count != calls:
                    outer = (d for d in self.deliveries if d.tier.depth > delivery.tier.depth)
                    self._wake_deliveries(outer)
            nudge.wait(wait.total_seconds())

    def _drain(self, delivery: Delivery) -> timedelta:
        try:
            wait = delivery.drain(self._runtime.clock())
        except Exception:  # a database that is away comes back; the lease sees to the rest
            logger.exception("relay.failed", extra={"tier": delivery.tier.name})
            return POLL_INTERVAL
        return POLL_INTERVAL if wait is None else min(wait, POLL_INTERVAL)

    def _wake_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            self._delivery_events[delivery.tier].set()

    def _gateway_deliveries(self) -> list[Delivery]:
        """Those that answer at once; nobody waits for an edge in front."""
        return [delivery for delivery in self.deliveries if not delivery.tier.depth]

    def _handle_clock_jump(self) -> None:
        by = self._jump_detector.measure_jump(self._runtime.clock(), self._runtime.monotonic())
        if not by:
            return
        logger.warning("relay.clock_set", extra={"by": by.total_seconds()})
        with self._write_engine.begin() as connection:
            shift_schedule(connection, [tier.name for tier in self.tiers], -by)
        self._last_maintenance = None


def _call_hook(hook: RelayHook, now: datetime) -> datetime | None:
    """Call a hook; its mistake is no reason to purge nothing, and it is called again soon."""
    try:
        return hook(now)
    except Exception:
        logger.exception("relay.hook_failed")
        return now + HOOK_RETRY
