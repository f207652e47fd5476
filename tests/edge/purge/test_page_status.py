"""The status of one page at a tier, read from the outbox."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.engine import Engine

from app.edge.cdn import PurgeError
from app.edge.purge.page_status import PageTierStatus, page_status
from app.edge.testing import DriverCall, MemoryDriver

from .conftest import CDN, NOW, SECOND, Clock, create_relay, enqueue_pages


def status_of(engine: Engine, url: str, clock: Clock) -> PageTierStatus:
    """Return the status of a page at the only tier."""
    with engine.connect() as connection:
        (status,) = page_status(connection, url, clock.now)
    return status


def test_a_page_is_pending_then_purged_then_purged_again(engine: Engine) -> None:
    """Each status has its instant; other pages are not affected."""
    clock = Clock()
    relay = create_relay(engine, {CDN: MemoryDriver()}, clock)
    enqueue_pages(engine, [CDN], "/a")
    assert status_of(engine, "/a", clock).waiting_since == NOW
    assert "a purge waits since 2026-05-01" in " ".join(status_of(engine, "/a", clock).to_lines())
    relay.run_once(clock.now)
    sent_status = status_of(engine, "/a", clock)
    assert (sent_status.waiting_since, sent_status.purged_at, sent_status.second_purge_at) == (
        None,
        NOW,
        NOW + CDN.max_flight_time,
    )
    assert status_of(engine, "/b", clock) == PageTierStatus(tier="cdn", last_success=NOW)
    clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    settled_status = status_of(engine, "/a", clock)
    assert (settled_status.second_purge_at, settled_status.purged_at) == (
        None,
        NOW + CDN.max_flight_time,
    )
    assert settled_status.to_json()["purged"] == (NOW + CDN.max_flight_time).isoformat()


def test_a_purge_of_everything_is_one_of_the_page(engine: Engine) -> None:
    """It counts for every page."""
    clock = Clock()
    enqueue_pages(engine, [CDN], everything="anything may have changed")
    assert status_of(engine, "/a", clock).waiting_since == NOW


def test_the_status_of_a_broken_tier_shows_its_last_success(engine: Engine) -> None:
    """The status of a refused page says so too."""
    clock, fails = Clock(), False

    def answer(_call: DriverCall) -> None:
        if fails:
            raise PurgeError("no such zone", retryable=False)

    relay = create_relay(engine, {CDN: MemoryDriver(on_call=answer)}, clock)
    enqueue_pages(engine, [CDN], "/a")
    relay.run_once(clock.now)
    clock.advance(CDN.max_flight_time + SECOND)
    relay.run_once(clock.now)
    fails = True
    enqueue_pages(engine, [CDN], "/b", now=clock.now)
    relay.run_once(clock.now)
    clock.advance(timedelta(minutes=1))
    refused_status = status_of(engine, "/b", clock)
    assert refused_status.is_refused
    text = " ".join(refused_status.to_lines())
    assert "cdn can't be purged since 2026-05-01 00:00:31 UTC: 1 purges were refused." in text
    assert "the purge was refused and is a dead letter" in text
