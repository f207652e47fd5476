"""Hours of fake time before an edge that misbehaves over real sockets, with a real driver."""

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

from .conftest import NOW, Clock, owe, relay
from .test_outage import memory

GATEWAY = Tier(name="gateway", depth=0)
CDN = Tier(name="cdn", depth=1, max_flight_time=timedelta(seconds=30))
TURN = timedelta(minutes=1)
OUTAGE = timedelta(hours=3)
URLS = tuple(f"/{number}" for number in range(40))
HASTE = timedelta(seconds=0.1)
"""How long the driver waits for an answer, in real time."""

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
    """Cloudflare with an outage; it notes when calls arrive, and what was old inside it then."""

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
        """A request that its sender gave up on may come in the middle of the next write."""

    @property
    def ill(self) -> bool:
        """Tell whether the outage lasts."""
        return self.wall.now < NOW + OUTAGE

    def reply(self, asked: FakeRequest) -> FakeResponse | Ending:
        """Act, misbehave, or both."""
        with self.still:
            return self._reply(asked)

    def _reply(self, asked: FakeRequest) -> FakeResponse | Ending:
        self.clock.at = self.wall.now
        self.arrived.append(self.wall.ticks())
        kept = self.gateway.entries.items()
        self.early |= {url for url, body in kept if body != str(self.versions[url])}
        kind = self.random.choice(sorted(FAULTS)) if self.ill else ""
        self.ended.append(kind)
        if kind:
            self.ends(FAULTS[kind])
        return super().reply(asked)


class Impatient:
    """The driver, which waits no long time for an edge that is ill."""

    def __init__(self, edge: Moody) -> None:
        self.edge = edge
        self.hasty, self.patient = by_cloudflare(edge, timeout=HASTE), by_cloudflare(edge)
        self.limits = self.patient.limits

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget these pages."""
        (self.hasty if self.edge.ill else self.patient).purge(targets)

    def purge_everything(self) -> None:
        """Forget all pages."""
        (self.hasty if self.edge.ill else self.patient).purge_everything()


class Site:
    """An editor who writes each turn, readers everywhere, and the relay between."""

    def __init__(self, engine: sa.Engine, edge: Moody, clock: Clock) -> None:
        self.engine, self.edge, self.clock = engine, edge, clock
        tiers = {GATEWAY: edge.gateway, CDN: Impatient(edge)}
        self.relay: Relay = relay(engine, tiers, clock)
        self.flying: list[tuple[datetime, str, str]] = []

    def write(self, *urls: str) -> None:
        """Commit, purge the gateway, and go on; the edge in front hears nothing of it yet."""
        with self.edge.still:
            for url in urls:
                self.edge.versions[url] = self.edge.versions.get(url, 0) + 1
            owe(self.engine, (GATEWAY, CDN), *urls, now=self.clock.now)
            heard = len(self.edge.requests)
            self.relay.flush(self.clock.now)
        assert len(self.edge.requests) == heard, "the editor waited for the edge"
        for url in urls:
            assert self.edge.gateway.get_body(url) is None

    def read(self) -> None:
        """Ask for everything; an answer takes its time to the edge."""
        for url, version in self.edge.versions.items():
            self.edge.gateway.store(url, str(version))
            if url not in self.edge.pages:
                late = self.edge.random.random() * CDN.max_flight_time
                self.flying.append((self.clock.now + late, url, str(version)))

    def turn(self) -> None:
        """Let the relay work, answers arrive, and time pass."""
        self.relay.run_once(self.clock.now)
        self.clock.advance(TURN)
        for landing in [found for found in self.flying if found[0] <= self.clock.now]:
            self.flying.remove(landing)
            _, url, version = landing
            self.edge.store(PurgeTarget(url=url, tag=f"p{url[1:]}"))
            self.edge.bodies[url] = version

    def owed(self) -> int:
        """How many purges the edge has not had, or not twice."""
        with self.engine.connect() as connection:
            (found,) = (
                t for t in purge_status(connection, self.clock.now).tiers if t.name == CDN.name
            )
        return found.backlog + found.resting + found.dead


@pytest.fixture
def clock() -> Clock:
    """Time that passes when the test says so."""
    return Clock()


@pytest.fixture
def edge(clock: Clock) -> Iterator[Moody]:
    """The edge, listening."""
    with Moody(clock, Random(4)) as edge:
        yield edge


@pytest.fixture
def site(edge: Moody, clock: Clock) -> Iterator[Site]:
    """The site behind it, after the outage."""
    engine = memory()
    site = Site(engine, edge, clock)
    while edge.ill:
        site.write(*edge.random.sample(URLS, edge.random.randint(1, 3)))
        site.read()
        site.turn()
    yield site
    engine.dispose()


@pytest.mark.slow
def test_an_edge_that_is_ill_for_hours_hears_everything_in_the_end(site: Site, edge: Moody) -> None:
    """Order and quota were kept, nothing was lost, and no editor waited for it."""
    assert set(edge.ended) == set(FAULTS)
    for _ in range(60):
        site.read()
        site.turn()
        if not site.owed() and not site.flying:
            break
    assert not site.owed()
    assert not edge.early, "it was purged before the gateway inside it"
    assert {edge.bodies[url] == str(edge.versions[url]) for url in edge.pages} == {True}
    limits = site.relay.deliveries[1].driver.limits
    assert over(edge.arrived, limits.burst, limits.per_second or 0) == []
    for kind, passed in zip(edge.ended, gaps(edge.arrived), strict=False):
        asked = FAULTS[kind].headers.get("Retry-After", "0") if kind else "0"
        assert passed >= float(asked)


def gaps(times: Sequence[float]) -> list[float]:
    """What passed between one and the next."""
    return [after - before for before, after in pairwise(times)]


def over(times: Sequence[float], burst: int, per_second: float) -> list[tuple[float, float]]:
    """The spans of time with more calls than the quota allows."""
    return [
        (times[first], times[last])
        for last in range(len(times))
        for first in range(last)
        if last - first + 1 > burst + (times[last] - times[first]) * per_second + 1e-6
    ]
