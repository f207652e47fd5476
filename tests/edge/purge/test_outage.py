"""Hours of fake time: writers, readers, edges that misbehave, relays that die.

`OUTAGES=200 pytest tests/edge/purge` runs more examples than the default.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import event

from app.edge.cdn import CallLimits, PurgeError
from app.edge.purge import EntryState, Relay, Tier
from app.edge.purge.entry_state import OPEN_STATES
from app.edge.purge.file_leader import SoleLeader
from app.edge.purge.runtime import RelayRuntime
from app.edge.purge.tables import outbox
from app.edge.testing import DriverCall, DriverFault, MemoryDriver
from tests.depth import OUTAGES

from .conftest import NOW, Clock, enqueue_pages, metadata

GATEWAY = Tier(name="gateway", depth=0, max_backlog=3)
SHIELD = Tier(name="shield", depth=1, max_flight_time=timedelta(seconds=60))
CDN = Tier(name="cdn", depth=2, max_flight_time=timedelta(seconds=30), max_backlog=3)
TIERS = (GATEWAY, SHIELD, CDN)
LIMITS = {
    GATEWAY: CallLimits(batch=50),
    SHIELD: CallLimits(batch=3, per_second=2, burst=3),
    CDN: CallLimits(batch=4, per_second=5 / 60, burst=5),
}
URLS = tuple(f"/{n}" for n in range(5))


def later(seconds: int) -> PurgeError:
    """Return the error of an edge that sends Retry-After."""
    return PurgeError("429", retry_after=timedelta(seconds=seconds))


FAULTS = {
    "too many": DriverFault(error=later(7)),
    "far too many": DriverFault(error=later(7200)),
    "broken": DriverFault(error=PurgeError("500")),
    "acts, then times out": DriverFault(error=PurgeError("timed out"), acts=True),
    "success: false": DriverFault(error=PurgeError("the edge said no")),
    "reset": DriverFault(error=ConnectionResetError("reset")),
    "refused": DriverFault(error=PurgeError("400", retryable=False)),
    "credential": DriverFault(error=PurgeError("403", retryable=False, credentials_rejected=True)),
}
STEPS = ("claimed", "called", "recorded")


class KilledError(Exception):
    """The relay's process is gone."""


def memory() -> sa.Engine:
    """A database in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    metadata.create_all(engine)
    return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """A response that is on its way to a tier."""

    at: datetime
    tier: Tier
    url: str
    body: str


class Edges(RuleBasedStateMachine):
    """Three tiers in a chain, and two relays that share the work."""

    @initialize(seed=st.integers(0, 999))
    def begin(self, seed: int) -> None:
        """Start with an empty outbox and empty edges."""
        self.engine, self.clock, self.random = memory(), Clock(), Random(seed)
        self.versions = dict.fromkeys(URLS, 0)
        self.flying: list[Landing] = []
        self.faults: dict[Tier, deque[DriverFault]] = {tier: deque() for tier in TIERS}
        self.down: dict[Tier, datetime] = {}
        self.ill: set[Tier] = set()
        self.times: dict[Tier, list[float]] = {tier: [] for tier in TIERS}
        self.purge_times: dict[tuple[Tier, str], list[datetime]] = {}
        self.edges = {
            tier: MemoryDriver(
                limits=LIMITS[tier], script=self.script(tier), on_call=self.hear(tier)
            )
            for tier in TIERS
        }
        self.dies: str | None = None
        self.relays = [self.create_relay(), self.create_relay()]

    def create_relay(self) -> Relay:
        """Create the relay of another process."""
        runtime = RelayRuntime(
            clock=self.clock, monotonic=self.clock.ticks, random=self.random, on_step=self.on_step
        )
        tiers = {tier: self.edges[tier] for tier in TIERS}
        return Relay(self.engine, tiers, leader=SoleLeader(), runtime=runtime)

    def script(self, tier: Tier) -> Iterator[DriverFault | None]:
        """Yield the faults of a tier that the rules have scheduled."""
        while True:
            fault = self.faults[tier].popleft() if self.faults[tier] else None
            if self.clock.now < self.down.get(tier, NOW):
                fault = FAULTS["broken"]
            if fault is not None:
                self.ill.add(tier)
            yield fault

    def hear(self, tier: Tier) -> Any:
        """Return the function that checks each call when it arrives."""

        def received(call: DriverCall) -> None:
            self.within_quota(tier)
            urls = URLS if call.everything else [target.url for target in call.targets]
            for url in urls:
                if not call.failed:
                    self.purge_times.setdefault((tier, url), []).append(self.clock.now)
                if tier is not GATEWAY and GATEWAY not in self.ill:
                    body = self.edges[GATEWAY].get_body(url)
                    assert body in {None, self.fresh(url)}, "purged before the tier inside it"

        return received

    def within_quota(self, tier: Tier) -> None:
        """Check that no span has more calls than burst and rate allow."""
        limits, times = LIMITS[tier], self.times[tier]
        times.append(self.clock.ticks())
        if limits.per_second is None:
            return
        for back in range(len(times)):
            elapsed = times[-1] - times[-1 - back]
            assert back + 1 <= limits.burst + elapsed * limits.per_second + 1e-6, "over the quota"

    def on_step(self, step: str) -> None:
        """Kill the relay at the step that a rule chose."""
        if step == self.dies:
            self.dies = None
            raise KilledError

    def fresh(self, url: str) -> str:
        """Return the current content of a page."""
        return str(self.versions[url])

    def ask(self, tier: Tier, url: str) -> str:
        """Return the response of a tier: its own copy, or that of the inner tier."""
        body = self.edges[tier].get_body(url)
        if body is not None:
            return body
        if tier is GATEWAY:
            self.edges[GATEWAY].store(url, self.fresh(url))  # its tokens refuse a late response
            return self.fresh(url)
        return self.ask(TIERS[TIERS.index(tier) - 1], url)

    def land(self) -> None:
        """Store the responses that have arrived."""
        for landing in [flight for flight in self.flying if flight.at <= self.clock.now]:
            self.flying.remove(landing)
            self.edges[landing.tier].store(landing.url, landing.body)

    def work(self) -> timedelta:
        """Run one relay, with its tiers in random order, as their threads do."""
        which = self.random.randrange(2)
        try:
            relay = self.relays[which]
            waits = [relay.run_leader_tasks(self.clock.now)]
            for delivery in self.random.sample(relay.deliveries, len(relay.deliveries)):
                waits.append(delivery.drain(self.clock.now) or waits[0])
            return min(waits)
        except KilledError:
            self.relays[which] = self.create_relay()
            return timedelta(0)

    @rule(urls=st.lists(st.sampled_from(URLS), min_size=1, max_size=4, unique=True))
    def write(self, urls: list[str]) -> None:
        """Change some pages."""
        for url in urls:
            self.versions[url] += 1
        enqueue_pages(self.engine, TIERS, *urls, now=self.clock.now)

    @rule()
    def deploy(self) -> None:
        """Change every page."""
        for url in URLS:
            self.versions[url] += 1
        enqueue_pages(self.engine, TIERS, everything="a deploy", now=self.clock.now)

    @rule(
        tier=st.sampled_from(TIERS[1:]),
        urls=st.lists(st.sampled_from(URLS), min_size=1, max_size=5),
        share=st.floats(0, 0.999),
    )
    def request_pages(self, tier: Tier, urls: list[str], share: float) -> None:
        """Request pages; responses arrive within the time of flight of the tier."""
        inner = TIERS[TIERS.index(tier) - 1]
        for url in urls:
            if self.edges[tier].get_body(url) is None:
                at = self.clock.now + share * tier.max_flight_time
                landing = Landing(at=at, tier=tier, url=url, body=self.ask(inner, url))
                self.flying.append(landing)

    @rule(
        tier=st.sampled_from(TIERS),
        names=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=4),
    )
    def misbehave(self, tier: Tier, names: list[str]) -> None:
        """Schedule faults for the next calls of a tier."""
        self.faults[tier].extend(FAULTS[name] for name in names)

    @rule(tier=st.sampled_from(TIERS), minutes=st.integers(1, 300))
    def outage(self, tier: Tier, minutes: int) -> None:
        """Make a tier unavailable for minutes or hours."""
        self.down[tier] = self.clock.now + timedelta(minutes=minutes)

    @precondition(lambda self: self.dies is None)
    @rule(step=st.sampled_from(STEPS))
    def die(self, step: str) -> None:
        """Kill the next relay that reaches this step."""
        self.dies = step

    @rule(seconds=st.sampled_from([0, 0.05, 1, 5, 29, 31, 61, 600, 7200]))
    def pass_time(self, seconds: float) -> None:
        """Run the relays while time passes."""
        end = self.clock.now + timedelta(seconds=seconds)
        least = timedelta(seconds=seconds / 40)
        while True:
            self.land()
            wait = max(self.work(), least)
            if self.clock.now >= end:
                return
            self.clock.advance(min(max(wait, timedelta(milliseconds=1)), end - self.clock.now))

    def teardown(self) -> None:
        """After the faults end, no tier holds an old page and no purge is outstanding."""
        if not hasattr(self, "engine"):
            return
        self.down.clear()
        self.dies = None
        for _ in range(40):
            self.pass_time(600)
            if not self.count_outstanding() and not self.flying:
                break
        assert not self.count_outstanding(), "still owed after hours of good weather"
        for tier in TIERS:
            for url, body in self.edges[tier].entries.items():
                assert body == self.fresh(url), f"{tier.name} keeps an old {url}"
        self.engine.dispose()

    def count_outstanding(self) -> int:
        """Return how many purges are open or dead."""
        states = [*OPEN_STATES, EntryState.DEAD]
        with self.engine.connect() as connection:
            query = sa.select(sa.func.count()).where(outbox.c.state.in_(states))
            return connection.scalar(query) or 0


TestEdges = pytest.mark.timeout(1200)(pytest.mark.slow(Edges.TestCase))
TestEdges.settings = settings(
    max_examples=OUTAGES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
