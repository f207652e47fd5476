from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from app.edge.cdn import Driver, PurgeTarget
from app.edge.cdn.gateway import GatewayDriver
from app.edge.testing import DriverContract, FanoutDriver, MemoryDriver, NetworkDriverContract

from .driver_stages import DRIVER_CASES, Stage
from .fakes.server import FakeEdge


@pytest.fixture(scope="module")
def edges() -> Iterator[dict[str, FakeEdge]]:
    """One fake of each kind for all tests of the module."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(play.edge()) for name, play in DRIVER_CASES.items()}


class TestNetworkDrivers(NetworkDriverContract):
    """Every driver that speaks HTTP, over a real socket."""

    @pytest.fixture(params=DRIVER_CASES)
    def stage(self, request: pytest.FixtureRequest, edges: dict[str, FakeEdge]) -> Stage:
        """Return a driver and its fake edge, which is reset."""
        return DRIVER_CASES[request.param].stage(edges[request.param])


@dataclass(slots=True)
class Kept:
    """A stage whose edges are dicts in this process."""

    driver: Driver
    pages: tuple[dict[str, str], ...]
    secrets: tuple[str, ...] = ()

    def store(self, target: PurgeTarget) -> None:
        """Store a page in each of them."""
        for pages in self.pages:
            pages[target.url] = target.tag

    def keeps(self, target: PurgeTarget) -> bool:
        """Return whether one of them has the page."""
        return any(target.url in pages for pages in self.pages)


class PageStore:
    """A gateway that stores pages in a dict."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    def purge(self, url: str) -> int:
        """Purge a page."""
        return int(self.pages.pop(url, None) is not None)

    def purge_all(self) -> int:
        """Purge everything."""
        count = len(self.pages)
        self.pages.clear()
        return count


def memory() -> Kept:
    """The driver for tests."""
    driver = MemoryDriver()
    return Kept(driver, (driver.entries,))


def fanout() -> Kept:
    """Two edges as one."""
    drivers = [MemoryDriver(), MemoryDriver()]
    return Kept(FanoutDriver(drivers), tuple(driver.entries for driver in drivers))


def gateway() -> Kept:
    """The embedded gateway."""
    gateway_stage = PageStore()
    return Kept(GatewayDriver(gateway_stage), (gateway_stage.pages,))


OWN = {"memory": memory, "fanout": fanout, "gateway": gateway}


class TestDriversOfThisProcess(DriverContract):
    """Drivers that send no requests."""

    @pytest.fixture(params=OWN)
    def stage(self, request: pytest.FixtureRequest) -> Kept:
        """A driver and what it purges."""
        return OWN[request.param]()
