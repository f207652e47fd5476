"""The relay delivers every change to every tier; all its state is in the database.

`run_once` plans and sends without waiting. `run` waits, and delivers to each tier in a separate
thread, so that a failing tier does not delay the others.
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
from ..changes import outage
from ..changes.log import needs_sweep, sweep, unresolved_changes
from ..pages.capacity import IndexCapacity
from ..pages.resolve import Resolution
from ..pages.resolver_lock import WRITE_OPTIONS, acquire_resolver_lock
from ..pages.wal import empty_large_log
from .clock import ClockJumpDetector, shift_schedule
from .commit_watch import POLL_INTERVAL, CommitWatcher
from .commit_watch import create_commit_watcher as keep_watch
from .delivery import Delivery
from .file_leader import Leader
from .gateway_heartbeats import HeartbeatMonitor
from .heartbeat import HEARTBEAT_INTERVAL, Deputy, create_relay_name, record_relay_heartbeat
from .leader import create_leader as elect
from .maintenance import MAINTENANCE_INTERVAL, run_maintenance
from .membership import retire_silent_gateways, tiers_to_purge
from .outbox import resolve_and_enqueue
from .runtime import RelayRuntime
from .tier import Tier, sort_inside_out

logger = logging.getLogger(__name__)

RelayHook = Callable[[datetime], datetime | None]
"""Does work that is due at an instant; returns when it must be called again at the latest."""


HOOK_RETRY = timedelta(seconds=5)
"""How soon a failed hook is called again."""

LARGE_LOG = 4 * 1024 * 1024
"""Maintenance truncates a write-ahead log of SQLite that is larger than this."""

SWEEP_PAUSE = timedelta(milliseconds=20)
"""The pause between two batches of a long deletion, so that writers get the lock."""


class Relay:
    """Delivers to the tiers that it has drivers for.

    `remote_tiers` get purges that another process delivers, such as the gateways of other machines.
    Any number of relays may run; the elected one does the work. `capacity` is that of the index.
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
            raise ValueError("two tiers have the same name: give each tier a unique name")
        self._runtime = runtime or RelayRuntime()
        self._heartbeats = HeartbeatMonitor(self._runtime.monotonic)
        self.deliveries = tuple(
            Delivery(engine, tier, tiers[tier], self._runtime, self._heartbeats)
            for tier in sort_inside_out(tiers)
        )
        self._read_engine = engine
        self._write_engine = engine.execution_options(**WRITE_OPTIONS)
        self._hooks = tuple(hooks)
        self._capacity = capacity
        self._leader = leader or elect(engine)
        self._name = create_relay_name()
        self._deputy = Deputy(
            engine,
            elect(engine, deputy=True),
            [delivery.tier.name for delivery in self.deliveries],
            by=self._name,
            monotonic=self._runtime.monotonic,
        )
        self._wake_event = Event()
        self._delivery_events = {delivery.tier: Event() for delivery in self.deliveries}
        self._is_leader = False
        self._heartbeat_at = float("-inf")
        self._jump_detector = ClockJumpDetector()
        self._last_maintenance: datetime | None = None

    def wake(self) -> None:
        """Wake the relay at once, because this process has committed."""
        self._wake_event.set()

    def enqueue_changes(self, now: datetime) -> Resolution:
        """Resolve new changes and queue purges for the tiers; cheap if there are none."""
        with self._read_engine.connect() as connection:
            if not unresolved_changes(connection, limit=0):
                return Resolution()
        with self._write_engine.begin() as connection:
            # First the lock: a tier joins either before the members are read, or after the commit.
            acquire_resolver_lock(connection)
            tiers = tiers_to_purge(connection, self.tiers)
            resolution = resolve_and_enqueue(connection, tiers, now)
            self._runtime.on_step("resolved")
        self._runtime.on_step("settled")
        return resolution

    def flush(self, now: datetime, *, within: timedelta = timedelta(seconds=1)) -> Resolution:
        """Resolve new changes and purge this process's gateways before returning.

        The committing process calls it before its request ends. It waits for entries that another
        process has claimed, but at most `within`. Failures, also of the database, are left to the
        relay: the write is committed.
        """
        try:
            return self._flush(now, within)
        except DBAPIError as error:
            if not outage.is_logged(error):
                message = "relay.database: purges could not be queued (%s); the relay retries"
                logger.warning(message, error.orig, extra={"reason": str(error.orig)})
            return Resolution()
        finally:
            self.wake()

    def _flush(self, now: datetime, within: timedelta) -> Resolution:
        resolution = self.enqueue_changes(now)
        began = self._runtime.monotonic()
        # Also if there was nothing to resolve: another process may have resolved the changes.
        for delivery in self._gateway_deliveries():
            delivery.drain(now)
            while delivery.is_being_sent() and self._runtime.elapsed_since(began) < within:
                time.sleep(0.002)
        return resolution

    def run_once(self, now: datetime) -> timedelta:
        """Do all work that is due now, without waiting; return the time until more is due."""
        waits = [self.run_leader_tasks(now)]
        for delivery in self.deliveries:
            wait = delivery.drain(now)
            if wait is not None:
                waits.append(wait)
        return min(waits)

    def run_leader_tasks(self, now: datetime) -> timedelta:
        """Resolve changes, call the hooks, run maintenance; return the time until more is due."""
        self._handle_clock_jump()
        with self._read_engine.connect() as connection:
            self._heartbeats.read_heartbeats(connection)
        due = [_call_hook(hook, now) for hook in self._hooks]
        self.enqueue_changes(now)
        if self._last_maintenance is None or now - self._last_maintenance >= MAINTENANCE_INTERVAL:
            with self._write_engine.begin() as connection:
                acquire_resolver_lock(connection)  # as in enqueue_changes
                tiers = tiers_to_purge(connection, self.tiers)
                run_maintenance(connection, tiers, now, self._capacity)
                retire_silent_gateways(connection, now, self._heartbeats.silent_names())
            empty_large_log(self._read_engine, LARGE_LOG)
            self._last_maintenance = now
        waits = [max(at - now, timedelta(0)) for at in due if at is not None]
        return min([*waits, self._sweep(), self._last_maintenance + MAINTENANCE_INTERVAL - now])

    def _sweep(self) -> timedelta:
        """Delete a batch of a large change log; return the pause before the next batch."""
        with self._read_engine.connect() as connection:
            if not needs_sweep(connection):
                return MAINTENANCE_INTERVAL
        with self._write_engine.begin() as connection:
            swept = sweep(connection)
        logger.info(
            "relay.swept: %d covered entries of the change log deleted",
            swept,
            extra={"entries": swept},
        )
        return SWEEP_PAUSE if swept else HOOK_RETRY

    def is_needed(self) -> bool:
        """Return whether no other relay is alive, so that this one has to deliver."""
        return self._deputy.leads()

    def run(self, stop: Event, *, elected: bool = True) -> None:
        """Deliver until `stop` is set, while this process is the elected relay or the deputy.

        With `elected=False` it runs only as the deputy; it sets `stop` when another relay is alive.
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
            for wake_event in self._delivery_events.values():
                wake_event.set()
            for thread in threads:
                thread.join()
            watch.close()
            self._leader.resign()
            self._deputy.resign()

    def _leads(self, *, elected: bool) -> bool:
        """Return whether this process leads: as the elected relay, or as the deputy."""
        if elected and self._leader.try_lead():
            self._deputy.resign()
            return True
        try:
            return self._deputy.leads()
        except DBAPIError:  # the database is unavailable for now
            return False

    def _lead(self, watch: CommitWatcher, stop: Event, *, elected: bool) -> None:
        """Run the leader tasks once, then wait until new work is due."""
        self._is_leader = self._leads(elected=elected)
        if not self._is_leader:
            stop.wait(POLL_INTERVAL.total_seconds())
            return
        self._wake_event.clear()
        try:
            remaining = self.run_leader_tasks(self._runtime.clock())
            self._record_heartbeat()
        except Exception as error:  # for example, the database is unavailable for now
            if not outage.is_logged(error):
                logger.exception("relay.failed: the leader tasks failed; the relay retries")
            stop.wait(POLL_INTERVAL.total_seconds())
            return
        self._wake_deliveries(self.deliveries)
        remaining = min(remaining, HEARTBEAT_INTERVAL)
        until = self._runtime.monotonic() + remaining.total_seconds()
        while not stop.is_set() and self._leads(elected=elected):
            remaining = timedelta(seconds=until - self._runtime.monotonic())
            if remaining <= timedelta(0) or watch.wait(
                self._wake_event, min(remaining, POLL_INTERVAL)
            ):
                return

    def _record_heartbeat(self) -> None:
        """Write our heartbeat, unless we are the deputy and another relay is alive again."""
        if self._runtime.monotonic() - self._heartbeat_at < HEARTBEAT_INTERVAL.total_seconds():
            return
        if self._deputy.active and not self._deputy.confirm():
            self._is_leader = False
            return
        names = [delivery.tier.name for delivery in self.deliveries]
        with self._write_engine.begin() as connection:
            record_relay_heartbeat(connection, names, self._name, self._runtime.clock())
        self._heartbeat_at = self._runtime.monotonic()

    def _deliver(self, delivery: Delivery, stop: Event) -> None:
        """Deliver to one tier until `stop` is set; runs in the thread of the tier."""
        wake_event = self._delivery_events[delivery.tier]
        while not stop.is_set():
            wait = POLL_INTERVAL
            # A gateway can be purged only by its own machine, even if this relay does not lead.
            if self._is_leader or delivery.tier.depth == 0:
                wake_event.clear()
                calls = delivery.call_count
                wait = self._drain(delivery)
                if delivery.call_count != calls:
                    outer = (d for d in self.deliveries if d.tier.depth > delivery.tier.depth)
                    self._wake_deliveries(outer)
            wake_event.wait(wait.total_seconds())

    def _drain(self, delivery: Delivery) -> timedelta:
        try:
            wait = delivery.drain(self._runtime.clock())
        except Exception as error:  # for example, the database is unavailable; the claim expires
            if not outage.is_logged(error):
                logger.exception(
                    "relay.failed: the delivery to tier %s failed; the relay retries",
                    delivery.tier.name,
                    extra={"tier": delivery.tier.name},
                )
            return POLL_INTERVAL
        return POLL_INTERVAL if wait is None else min(wait, POLL_INTERVAL)

    def _wake_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            self._delivery_events[delivery.tier].set()

    def _gateway_deliveries(self) -> list[Delivery]:
        """Return the deliveries to gateways; a commit never waits for an edge in front."""
        return [delivery for delivery in self.deliveries if not delivery.tier.depth]

    def _handle_clock_jump(self) -> None:
        by = self._jump_detector.measure_jump(self._runtime.clock(), self._runtime.monotonic())
        if not by:
            return
        logger.warning(
            "relay.clock_set: the system clock was set by %.0f s; planned purges are shifted",
            by.total_seconds(),
            extra={"by": by.total_seconds()},
        )
        with self._write_engine.begin() as connection:
            shift_schedule(connection, [tier.name for tier in self.tiers], -by)
        self._last_maintenance = None


def _call_hook(hook: RelayHook, now: datetime) -> datetime | None:
    """Call a hook; if it fails, purges go on and it is called again soon."""
    try:
        return hook(now)
    except Exception as error:
        if not outage.is_logged(error):
            logger.exception(
                "relay.hook_failed: a hook raised an exception; it is called again in %.0f s",
                HOOK_RETRY.total_seconds(),
            )
        return now + HOOK_RETRY
