"""Hours of fake time with an edge that fails over real sockets, and a real driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from threading import Lock

import pytest
import sqlalchemy as sa

from app.edge.cdn import PurgeTarget
from app.edge.purge import Relay, Tier, purge_status
from app.edge.testing import Ending, MemoryDriver
from tests.edge.cdn.driver_stages import by_cloudflare
from tests.edge.cdn.fakes.cloudflare import Cloudflare
from tests.edge.cdn.fakes.server import FakeRequest, FakeResponse

from .conftest import NOW, Clock, create_relay, enqueue_pages
from .test_outage import memory

GATEWAY = Tier(name="gateway", depth=0)
CDN = Tier(name="cdn", depth=1, max_flight_time=timedelta(seconds=30))
TURN = timedelta(minutes=1)
OUTAGE = timedelta(hours=3)
URLS = tuple(f"/{number}" for number in range(40))
HASTE = timedelta(seconds=0.1)
"""How long the driver waits for a response, in real time."""

NO = b'{"success": false, "errors": [{"code": 1, "message": "not today"}], "result": null}'
FAULTS = {
    "too many": Ending(status=429, headers={"Retry-After": "45"}),
    "far too many": Ending(status=429, headers={"Retry-After": "900"}),
    "broken": Ending(status=500),
    "broken, though it acts": Ending(status=502, acts=True),
    "acts, then says nothing": Ending(how="late", acts=True),
    "cut off": Ending(how="reset"),
    "cut off, though it acts": Ending(how="reset", acts=True),
    "not a success": Ending(status=200, body=NO),
    "a page for people": Ending(status=200, body=b"<html>We'll be back</html>"),
}


class Moody(Cloudflare):
    """Cloudflare with an outage; it records the times of calls and stale inner pages."""

    def __init__(self, clock: Clock, random: Random) -> None:
        super().__init__()
        self.wall, self.random = clock, random
        self.gateway = MemoryDriver()
        self.versions: dict[str, int] = {}
        self.bodies: dict[str, str] = {}
        self.arrived: list[float] = []
        self.ended: list[str] = []
        self.early: set[str] = set()
        self.still = Lock()
        """A request that timed out at its sender may still arrive during the next write."""

    @property
    def ill(self) -> bool:
        """Return whether the outage lasts."""
        return self.wall.now < NOW + OUTAGE

    def reply(self, request: FakeRequest) -> FakeResponse | Ending:
        """Act, fail, or both."""
        with self.still:
            return self._reply(request)

    def _reply(self, request: FakeRequest) -> FakeResponse | Ending:
        self.clock.at = self.wall.now
        self.arrived.append(self.wall.ticks())
        entries = self.gateway.entries.items()
        self.early |= {url for url, body in entries if body != str(self.versions[url])}
        kind = self.random.choice(sorted(FAULTS)) if self.ill else ""
        self.ended.append(kind)
        if kind:
            self.ends(FAULTS[kind])
        return super().reply(request)


class Impatient:
    """The driver, with a short timeout during the outage."""

    def __init__(self, edge: Moody) -> None:
        self.edge = edge
        self.hasty, self.patient = by_cloudflare(edge, timeout=HASTE), by_cloudflare(edge)
        self.limits = self.patient.limits

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        (self.hasty if self.edge.ill else self.patient).purge(targets)

    def purge_everything(self) -> None:
        """Purge everything."""
        (self.hasty if self.edge.ill else self.patient).purge_everything()


class Site:
    """An editor who writes in each turn, readers, and the relay."""

    def __init__(self, engine: sa.Engine, edge: Moody, clock: Clock) -> None:
        self.engine, self.edge, self.clock = engine, edge, clock
        tiers = {GATEWAY: edge.gateway, CDN: Impatient(edge)}
        self.relay: Relay = create_relay(engine, tiers, clock)
        self.flying: list[tuple[datetime, str, str]] = []

    def write(self, *urls: str) -> None:
        """Commit and purge the gateway; the edge in front is not called yet."""
        with self.edge.still:
            for url in urls:
                self.edge.versions[url] = self.edge.versions.get(url, 0) + 1
            enqueue_pages(self.engine, (GATEWAY, CDN), *urls, now=self.clock.now)
            request_count = len(self.edge.requests)
            self.relay.flush(self.clock.now)
        assert len(self.edge.requests) == request_count, "the editor waited for the edge"
        for url in urls:
            assert self.edge.gateway.get_body(url) is None

    def request_pages(self) -> None:
        """Request all pages; responses reach the edge later."""
        for url, version in self.edge.versions.items():
            self.edge.gateway.store(url, str(version))
            if url not in self.edge.pages:
                late = self.edge.random.random() * CDN.max_flight_time
                self.flying.append((self.clock.now + late, url, str(version)))

    def turn(self) -> None:
        """Run the relay, deliver responses and advance the clock."""
        self.relay.run_once(self.clock.now)
        self.clock.advance(TURN)
        for landing in [flight for flight in self.flying if flight[0] <= self.clock.now]:
            self.flying.remove(landing)
            _, url, version = landing
            self.edge.store(PurgeTarget(url=url, tag=f"p{url[1:]}"))
            self.edge.bodies[url] = version

    def count_outstanding(self) -> int:
        """Return how many purges the edge has not received twice."""
        with self.engine.connect() as connection:
            (tier,) = (
                t for t in purge_status(connection, self.clock.now).tiers if t.name == CDN.name
            )
        return tier.backlog + tier.resting + tier.dead


@pytest.fixture
def clock() -> Clock:
    """A clock that the test advances."""
    return Clock()


@pytest.fixture
def edge(clock: Clock) -> Iterator[Moody]:
    """The edge, listening."""
    with Moody(clock, Random(4)) as edge:
        yield edge


@pytest.fixture
def site(edge: Moody, clock: Clock) -> Iterator[Site]:
    """The site after the outage."""
    engine = memory()
    site = Site(engine, edge, clock)
    while edge.ill:
        site.write(*edge.random.sample(URLS, edge.random.randint(1, 3)))
        site.request_pages()
        site.turn()
    yield site
    engine.dispose()


@pytest.mark.slow
def test_an_edge_gets_all_purges_after_hours_of_outage(site: Site, edge: Moody) -> None:
    """Order and quota hold, no purge is lost, and no editor waits for the edge."""
    assert set(edge.ended) == set(FAULTS)
    for _ in range(60):
        site.request_pages()
        site.turn()
        if not site.count_outstanding() and not site.flying:
            break
    assert not site.count_outstanding()
    assert not edge.early, "it was purged before the gateway inside it"
    assert {edge.bodies[url] == str(edge.versions[url]) for url in edge.pages} == {True}
    limits = site.relay.deliveries[1].driver.limits
    assert over(edge.arrived, limits.burst, limits.per_second or 0) == []
    for kind, gap in zip(edge.ended, gaps(edge.arrived), strict=False):
        retry_after = FAULTS[kind].headers.get("Retry-After", "0") if kind else "0"
        assert gap >= float(retry_after)


def gaps(times: Sequence[float]) -> list[float]:
    """Return the time between consecutive calls."""
    return [after - before for before, after in pairwise(times)]


def over(times: Sequence[float], burst: int, per_second: float) -> list[tuple[float, float]]:
    """Return the spans with more calls than the quota allows."""
    return [
        (times[first], times[last])
        for last in range(len(times))
        for first in range(last)
        if last - first + 1 > burst + (times[last] - times[first]) * per_second + 1e-6
    ]
