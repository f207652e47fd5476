"""How a tier stands to one page, as its outbox has it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Engine

from app.edge.cdn import PurgeError
from app.edge.purge.page_status import PageTierStatus, page_status
from app.edge.testing import DriverCall, MemoryDriver

from .conftest import CDN, NOW, SECOND, Clock, owe, relay


def told(engine: Engine, url: str, clock: Clock) -> PageTierStatus:
    """How the one tier stands to a page."""
    with engine.connect() as connection:
        (found,) = page_status(connection, url, clock.now)
    return found


def test_a_page_is_owed_then_purged_then_purged_again(engine: Engine) -> None:
    """Each with its instant; another page has nothing to do with it."""
    clock = Clock()
    found = relay(engine, {CDN: MemoryDriver()}, clock)
    owe(engine, [CDN], "/a")
    assert told(engine, "/a", clock).owed == NOW
    assert "is owed its purge since 2026-05-01" in " ".join(told(engine, "/a", clock).to_lines())
    found.run_once(clock.now)
    sent = told(engine, "/a", clock)
    assert (sent.owed, sent.purged, sent.again) == (None, NOW, NOW + CDN.max_flight_time)
    assert told(engine, "/b", clock) == PageTierStatus(tier="cdn", worked=NOW)
    clock.advance(CDN.max_flight_time)
    found.run_once(clock.now)
    settled = told(engine, "/a", clock)
    assert (settled.again, settled.purged) == (None, NOW + CDN.max_flight_time)
    assert settled.to_json()["purged"] == (NOW + CDN.max_flight_time).isoformat()


def test_a_purge_of_everything_is_one_of_the_page(engine: Engine) -> None:
    """Whatever the page is."""
    clock = Clock()
    owe(engine, [CDN], everything="anything may have changed")
    assert told(engine, "/a", clock).owed == NOW


def test_a_tier_that_is_broken_says_since_when(engine: Engine) -> None:
    """And a page that was refused for good says so."""
    clock, fails = Clock(), False

    def answer(_call: DriverCall) -> None:
        if fails:
            raise PurgeError("no such zone", retryable=False)

    found = relay(engine, {CDN: MemoryDriver(on_call=answer)}, clock)
    owe(engine, [CDN], "/a")
    found.run_once(clock.now)
    clock.advance(CDN.max_flight_time + SECOND)
    found.run_once(clock.now)
    fails = True
    owe(engine, [CDN], "/b", now=clock.now)
    found.run_once(clock.now)
    clock.advance(timedelta(minutes=1))
    refused = told(engine, "/b", clock)
    assert refused.refused
    said = " ".join(refused.to_lines())
    assert "cdn can't be purged since 2026-05-01 00:00:31 UTC: 1 purges were refused." in said
    assert "refused its purge for good" in said
