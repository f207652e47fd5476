"""Every member tier gets the purges of a change, whichever process resolves it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.pages import Resolution
from app.edge.pages.page import AffectedPage
from app.edge.purge import EntryState, Tier, enqueue_resolution, purge_status
from app.edge.purge.membership import join, member_tiers, retire_unconfigured_tiers
from app.edge.testing import MemoryDriver

from .conftest import (
    CDN,
    GATEWAY,
    NOW,
    SECOND,
    Clock,
    create_relay,
    enqueue_pages,
    post,
    register_post_page,
    states,
)

OTHER = Tier(name="other", depth=2)


def enqueue_page(engine: Engine, *, hard_purge: bool) -> None:
    """Queue the purge of a page at the CDN, as resolving does."""
    pages = (AffectedPage(id=1, url="/a", tag="p-a", hard_purge=hard_purge),)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        enqueue_resolution(connection, Resolution(change_count=1, pages=pages), [CDN], NOW)


def hard_purges(driver: MemoryDriver) -> list[bool]:
    """Return whether the driver got a hard purge, for each page of each call."""
    return [target.hard_purge for call in driver.calls for target in call.targets]


def test_a_member_tier_gets_purges_from_every_process(engine: Engine) -> None:
    """A command without edges queues purges that another relay delivers."""
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        join(connection, CDN, NOW)
        register_post_page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    create_relay(engine, {}, clock).enqueue_changes(clock.now)
    assert states(engine, CDN) == {"/1": EntryState.PENDING}
    create_relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert [target.url for call in cdn.calls for target in call.targets] == ["/1"]
    assert states(engine, CDN) == {"/1": EntryState.SENT}


def test_joining_again_updates_a_tier(engine: Engine) -> None:
    """Joining again updates depth and time of flight."""
    moved_tier = replace(CDN, depth=3, max_flight_time=timedelta(minutes=7))
    with engine.begin() as connection:
        assert [join(connection, tier, NOW) for tier in (CDN, CDN, moved_tier)] == [
            True,
            False,
            False,
        ]
        assert member_tiers(connection) == [moved_tier]


def test_a_process_uses_its_own_settings_of_a_tier(engine: Engine) -> None:
    """The tier gets one entry, with the time of flight of the process's settings."""
    with engine.begin() as connection:
        join(connection, replace(CDN, max_flight_time=timedelta(0)), NOW)
        register_post_page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    cdn = MemoryDriver()
    create_relay(engine, {CDN: cdn}, Clock()).run_once(NOW)
    assert len(cdn.calls) == 1
    assert states(engine, CDN) == {"/1": EntryState.SENT}


def test_an_edge_that_is_not_in_the_settings_is_removed(engine: Engine) -> None:
    """Its entries are deleted too; gateways are not affected by the settings."""
    with engine.begin() as connection:
        for tier in (GATEWAY, CDN, OTHER):
            join(connection, tier, NOW)
    enqueue_pages(engine, [CDN, OTHER], "/a")
    with engine.begin() as connection:
        assert retire_unconfigured_tiers(connection, [CDN]) == ["other"]
        assert [tier.name for tier in purge_status(connection, NOW).tiers] == ["cdn", "gateway"]
    assert states(engine, OTHER) == {}


JOINED = {
    "kept, kept": ([False, False], [False]),
    "kept, gone": ([False, True], [True]),
    "gone, kept": ([True, False], [True]),
}


@pytest.mark.parametrize(("hard_purge_flags", "expected"), JOINED.values(), ids=JOINED)
def test_a_pending_hard_purge_stays_hard(
    engine: Engine, hard_purge_flags: list[bool], expected: list[bool]
) -> None:
    """A joining change can turn a soft purge into a hard one, never back."""
    for each in hard_purge_flags:
        enqueue_page(engine, hard_purge=each)
    cdn = MemoryDriver()
    create_relay(engine, {CDN: cdn}, Clock()).run_once(NOW)
    assert hard_purges(cdn) == expected


def test_the_second_purge_is_as_hard_as_the_first(engine: Engine) -> None:
    """A late response may contain removed content."""
    clock, cdn = Clock(), MemoryDriver()
    enqueue_page(engine, hard_purge=True)
    relay = create_relay(engine, {CDN: cdn}, clock)
    for _ in range(2):
        relay.run_once(clock.now)
        clock.advance(CDN.max_flight_time + SECOND)
    assert hard_purges(cdn) == [True, True]


def test_a_commit_does_not_wait_for_an_edge_in_front(engine: Engine) -> None:
    """The purge is left to the relay, also without a gateway."""
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        register_post_page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    relay = create_relay(engine, {CDN: cdn}, clock)
    assert [affected.url for affected in relay.flush(clock.now).pages] == ["/1"]
    assert cdn.calls == []
    relay.run_once(clock.now)
    assert len(cdn.calls) == 1
