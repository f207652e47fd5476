"""A gateway without contact to the relay stops serving from its store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import Connection

from app.edge.flask.worker import local_gateway_tier
from app.edge.purge.claim import OVERDUE_AFTER
from app.edge.purge.lease import (
    HEARTBEAT_TIMEOUT,
    LEASE_SECONDS,
    RENEWAL_INTERVAL,
    ClockReading,
    GatewayLease,
)
from app.edge.purge.maintenance import retire_tier
from app.edge.purge.membership import (
    RETIRE_SILENT_AFTER,
    join,
    member_tiers,
    retire_silent_gateways,
)
from app.extensions import db
from app.publishing.models import Site
from app.publishing.transaction import transaction

Make = Callable[..., Flask]


class MemoryMetadata:
    """The metadata of a store, in a dict."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}

    def get_metadata(self, name: bytes) -> bytes | None:
        """Return the stored value."""
        return self.values.get(name)

    def set_metadata(self, name: bytes, value: bytes) -> bool:
        """Store a value."""
        self.values[name] = value
        return True


class Ticks:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Return the time in seconds."""
        return self.now


def renewed(lease: GatewayLease) -> None:
    """Renew a lease now."""
    lease.renew(lease.read_clocks())


AGES = {
    "new": (0, True),
    "before its end": (LEASE_SECONDS - 1, True),
    "over": (LEASE_SECONDS, False),
    "a clock that was set back a little": (-1, True),
    "a clock that was set back": (-3600, False),
}


@pytest.mark.parametrize(("age", "holds"), AGES.values(), ids=AGES)
def test_a_lease_holds_until_it_ends(age: float, holds: bool) -> None:
    """This holds for every process that reads the same store."""
    clock, ticks, notes = Ticks(), Ticks(), MemoryMetadata()
    renewed(GatewayLease(notes, clock=clock, ticks=ticks))
    clock.now += age
    assert GatewayLease(notes, clock=clock, ticks=ticks)() is holds


COUNTED = {
    "before its end": (LEASE_SECONDS - 1, True),
    "over, by a clock that was set back": (LEASE_SECONDS, False),
    "a machine that was started again": (-1, False),
}


@pytest.mark.parametrize(("elapsed", "holds"), COUNTED.values(), ids=COUNTED)
def test_setting_the_clock_prolongs_no_lease(elapsed: float, holds: bool) -> None:
    """The monotonic clock counts too; an unknown age counts as expired."""
    clock, ticks, notes = Ticks(), Ticks(), MemoryMetadata()
    renewed(GatewayLease(notes, clock=clock, ticks=ticks))
    ticks.now += elapsed
    assert GatewayLease(notes, clock=clock, ticks=ticks)() is holds


def test_a_lease_ends_before_its_gateway_counts_as_silent() -> None:
    """The lease plus all margins is shorter than the heartbeat timeout."""
    assert HEARTBEAT_TIMEOUT.total_seconds() > LEASE_SECONDS + 2
    assert LEASE_SECONDS > 2 * RENEWAL_INTERVAL


def test_a_lease_starts_before_its_heartbeat_is_written() -> None:
    """A slow database makes the lease shorter."""
    clock, ticks, notes = Ticks(), Ticks(), MemoryMetadata()
    lease = GatewayLease(notes, clock=clock, ticks=ticks)
    began = lease.read_clocks()
    ticks.now += LEASE_SECONDS
    lease.renew(began)
    assert lease.has_expired


def test_without_a_relay_a_lease_does_not_end() -> None:
    """Without a relay a lease has no meaning."""
    lease = GatewayLease(MemoryMetadata())
    assert lease()
    assert lease.is_due
    assert not lease.has_been_renewed


def is_due(lease: GatewayLease) -> bool:
    """Read the property again: a type checker assumes that it does not change."""
    return lease.is_due


def test_a_lease_is_renewed_only_when_it_is_due() -> None:
    """Only one of the processes that share it renews it."""
    clock, notes = Ticks(), MemoryMetadata()
    one, other = GatewayLease(notes, clock=clock), GatewayLease(notes, clock=clock)
    renewed(one)
    assert not is_due(other)
    clock.now += RENEWAL_INTERVAL
    assert is_due(other)
    renewed(other)
    assert not is_due(one)


def test_the_lease_is_read_once_a_second() -> None:
    """Checking the lease for a HIT is cheap."""
    clock, ticks, notes = Ticks(), Ticks(), MemoryMetadata()
    lease = GatewayLease(notes, clock=clock, ticks=ticks)
    renewed(lease)
    assert lease()
    clock.now += LEASE_SECONDS
    assert lease()
    ticks.now += 1
    assert not lease()


def fetch_page(app: Flask) -> tuple[str, str]:
    """Return whether a page shows the new name, and its Cache-Status."""
    answer = app.test_client().get("/topics")
    name = "new" if "A New Name" in answer.text else "old"
    return name, answer.headers["Cache-Status"].partition("; ")[2].partition(";")[0]


def name_it(title: str) -> None:
    """Change the name of the site, which is on every page."""
    with transaction() as session:
        session.merge(Site(id=1, title=title))
    db.session.remove()


def end(app: Flask) -> None:
    """End the lease of a gateway."""
    lease = app.extensions["edge"].embedded_gateway.lease
    now = lease.read_clocks()
    lease.renew(ClockReading(clock=now.clock - LEASE_SECONDS, ticks=now.ticks - LEASE_SECONDS))


@pytest.fixture
def cut_off(make_app: Make, tmp_path: Path) -> Flask:
    """A gateway with a stale page that has not been purged."""
    web = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "web"))
    web.extensions["edge"].worker.catch_up()
    web.extensions["edge"].worker.renew_lease()
    for expected in ("fwd=uri-miss", "hit"):
        assert fetch_page(web) == ("old", expected)
    shell = make_app(EDGE_GATEWAY=False)
    with shell.app_context():
        name_it("A New Name")
    return web


def test_a_gateway_whose_lease_is_over_asks_before_it_answers(cut_off: Flask) -> None:
    """Its stored pages may be stale."""
    assert fetch_page(cut_off) == ("old", "hit")
    end(cut_off)
    assert fetch_page(cut_off) == ("new", "fwd=stale")


def test_a_gateway_that_has_not_been_purged_does_not_renew_its_lease(cut_off: Flask) -> None:
    """It has not accepted its outstanding purges."""
    end(cut_off)
    cut_off.extensions["edge"].worker._clock = lambda: datetime.now(UTC) + 2 * OVERDUE_AFTER
    cut_off.extensions["edge"].worker.renew_lease()
    assert fetch_page(cut_off) == ("new", "fwd=stale")


def names(connection: Connection) -> list[str]:
    """Return the names of the member tiers."""
    return [tier.name for tier in member_tiers(connection)]


def test_a_retired_gateway_starts_empty_when_it_is_back(cut_off: Flask) -> None:
    """No purges were queued for it while it was retired."""
    state = cut_off.extensions["edge"]
    mine = local_gateway_tier(state.embedded_gateway).name
    late = datetime.now(UTC) + RETIRE_SILENT_AFTER
    with db.engine.begin() as connection:
        retire_silent_gateways(connection, late - timedelta(seconds=5), [mine])
        retire_silent_gateways(connection, late + timedelta(seconds=5), [])
        assert names(connection) == [mine]
        retire_silent_gateways(connection, late + timedelta(seconds=5), [mine])
        assert names(connection) == []
    end(cut_off)
    state.worker.renew_lease()
    assert fetch_page(cut_off) == ("new", "fwd=uri-miss")
    with db.engine.connect() as connection:
        assert names(connection) == [mine]


def test_a_gateway_that_another_process_joined_again_starts_empty(cut_off: Flask) -> None:
    """Its own process may resolve a change before it notices the retirement."""
    state = cut_off.extensions["edge"]
    mine = local_gateway_tier(state.embedded_gateway)
    with db.engine.begin() as connection:
        retire_tier(connection, mine.name)
        join(connection, mine, datetime.now(UTC))
    end(cut_off)
    state.worker.renew_lease()
    assert fetch_page(cut_off) == ("new", "fwd=uri-miss")


def test_a_gateway_takes_its_purges_before_it_serves_again(
    cut_off: Flask,
) -> None:
    """Outer tiers did not wait for it, so it must not send them the old page."""
    end(cut_off)
    cut_off.extensions["edge"].worker.renew_lease()
    assert fetch_page(cut_off) == ("new", "fwd=uri-miss")


def test_a_lease_that_is_renewed_in_time_purges_nothing(cut_off: Flask) -> None:
    """Renewing the lease in time does not purge the store."""
    lease = cut_off.extensions["edge"].embedded_gateway.lease
    now = lease.read_clocks()
    lease.renew(
        ClockReading(clock=now.clock - RENEWAL_INTERVAL, ticks=now.ticks - RENEWAL_INTERVAL)
    )
    cut_off.extensions["edge"].worker.renew_lease()
    assert not lease.is_due
    assert fetch_page(cut_off) == ("old", "hit")


def test_a_gateway_without_a_relay_is_not_retired_after_a_day(make_app: Make) -> None:
    """It never sent a heartbeat, so it does not count as silent."""
    web: Any = make_app(EDGE_GATEWAY=True)
    web.extensions["edge"].worker.catch_up()
    with db.engine.begin() as connection:
        retire_silent_gateways(connection, datetime.now(UTC) + timedelta(days=1))
        assert len(names(connection)) == 1
