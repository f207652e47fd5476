from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from app.edge.cdn import CallLimits, Driver, PurgeError, PurgeTarget
from app.edge.cdn.gateway import GatewayDriver
from app.edge.testing import DriverFault, FanoutDriver, MemoryDriver, NullDriver

A, B = PurgeTarget(url="/a", tag="p-a"), PurgeTarget(url="/b", tag="p-b")


class BreakableGateway:
    """A gateway whose store can be broken."""

    def __init__(self) -> None:
        self.purged: list[str] = []
        self.broken = False

    def purge(self, url: str) -> int:
        """Purge a page."""
        return self._do(url)

    def purge_all(self) -> int:
        """Purge everything."""
        return self._do("*")

    def _do(self, what: str) -> int:
        if self.broken:
            raise OSError("the disk is gone")
        self.purged.append(what)
        return 1


DRIVERS: dict[str, Callable[[], Driver]] = {
    "null": NullDriver,
    "memory": MemoryDriver,
    "fanout": lambda: FanoutDriver([MemoryDriver(), NullDriver()]),
    "gateway": lambda: GatewayDriver(BreakableGateway()),
}


@pytest.mark.parametrize("make", DRIVERS.values(), ids=DRIVERS)
def test_a_driver_takes_pages_and_everything_twice(make: Callable[[], Driver]) -> None:
    """A repeated purge and a purge without targets succeed."""
    driver = make()
    for _ in range(2):
        driver.purge([A, B])
        driver.purge([])
        driver.purge_everything()
    assert driver.limits.batch >= 1


def test_a_page_that_was_purged_is_gone_from_memory() -> None:
    """Pages are removed one by one or all at once."""
    edge = MemoryDriver()
    for url in ("/a", "/b", "/c"):
        edge.store(url, "old")
    edge.purge([A])
    assert (edge.get_body("/a"), edge.get_body("/b")) == (None, "old")
    edge.purge_everything()
    assert edge.entries == {}


@pytest.mark.parametrize("acts", [True, False])
def test_a_fault_may_come_after_the_act(acts: bool) -> None:
    """A call that timed out may still have purged the page."""
    edge = MemoryDriver(script=iter([DriverFault(error=PurgeError("timed out"), acts=acts)]))
    edge.store("/a", "old")
    with pytest.raises(PurgeError):
        edge.purge([A])
    assert (edge.get_body("/a") is None) is acts


def test_memory_refuses_what_a_vendor_would_refuse() -> None:
    """A batch over the limit is an error of the caller, so it is not retryable."""
    with pytest.raises(PurgeError) as error:
        MemoryDriver(limits=CallLimits(batch=1)).purge([A, B])
    assert not error.value.retryable


def failing(message: str, **what: object) -> MemoryDriver:
    """An edge whose next call fails."""
    return MemoryDriver(script=iter([DriverFault(error=PurgeError(message, **what))]))  # type: ignore[arg-type]


def test_a_fanout_tries_every_edge_and_fails_with_one_of_them() -> None:
    """The other edges were purged, and the next attempt purges all of them again."""
    good = MemoryDriver()
    edges = [failing("429", retry_after=timedelta(seconds=9)), good, failing("500")]
    with pytest.raises(PurgeError, match="429; 500") as error:
        FanoutDriver(edges).purge([A])
    assert error.value.retry_after == timedelta(seconds=9)
    assert len(good.calls) == 1


@pytest.mark.parametrize(
    ("errors", "retryable", "credential"),
    [
        ([{"retryable": False}, {}], True, False),
        ([{"retryable": False}, {"retryable": False}], False, False),
        ([{"retryable": False, "credentials_rejected": True}], False, True),
        ([{"retryable": False, "credentials_rejected": True}, {}], True, False),
    ],
    ids=["one may succeed", "none may", "who we are", "who we are to one of them"],
)
def test_a_fanout_is_worth_another_try_as_long_as_one_edge_is(
    errors: list[dict[str, bool]], retryable: bool, credential: bool
) -> None:
    """One edge with a permanent error does not prevent a retry for the others."""
    with pytest.raises(PurgeError) as error:
        FanoutDriver([failing("no", **what) for what in errors]).purge_everything()
    assert (error.value.retryable, error.value.credentials_rejected) == (retryable, credential)


def test_a_fanout_keeps_to_the_narrowest_limits() -> None:
    """The narrowest limit counts; the timeouts add up, because the calls run one by one."""
    narrow = CallLimits(batch=3, per_second=2, burst=9, timeout=timedelta(seconds=1))
    wide = CallLimits(batch=50, burst=4, timeout=timedelta(seconds=2))
    limits = FanoutDriver([MemoryDriver(limits=narrow), MemoryDriver(limits=wide)]).limits
    assert limits == CallLimits(batch=3, per_second=2, burst=4, timeout=timedelta(seconds=3))


def test_a_fanout_over_nothing_is_refused() -> None:
    """It would succeed without purging anything."""
    with pytest.raises(ValueError, match="at least one edge"):
        FanoutDriver([])


def test_a_gateway_whose_store_failed_is_purged_completely_by_the_next_call() -> None:
    """The purges that its store lost are not recorded."""
    gateway = BreakableGateway()
    driver = GatewayDriver(gateway)
    gateway.broken = True
    with pytest.raises(PurgeError, match="the disk is gone") as error:
        driver.purge([A])
    assert error.value.retryable
    gateway.broken = False
    driver.purge([B])
    assert gateway.purged == ["*"]
    driver.purge([B])
    assert gateway.purged == ["*", "/b"]


@pytest.mark.parametrize(
    "limits",
    [
        {"batch": 0},
        {"burst": 0},
        {"per_second": 0.0},
        {"timeout": timedelta(0)},
    ],
    ids=str,
)
def test_limits_that_allow_nothing_are_refused(limits: dict[str, int]) -> None:
    """A purge that can never be sent would stay in the outbox for ever."""
    with pytest.raises(ValueError, match="an edge"):
        CallLimits(**limits)  # type: ignore[arg-type]
