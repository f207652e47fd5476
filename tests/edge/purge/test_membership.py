"""Who is owed a change: the tiers that have joined, whoever resolves it; and what is told of it."""

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

from .conftest import CDN, GATEWAY, NOW, SECOND, Clock, owe, page, post, relay, states

OTHER = Tier(name="other", depth=2)


def owe_one(engine: Engine, *, gone: bool) -> None:
    """Owe the CDN the purge of a page, as resolving does."""
    pages = (AffectedPage(id=1, url="/a", tag="p-a", hard_purge=gone),)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        enqueue_resolution(connection, Resolution(change_count=1, pages=pages), [CDN], NOW)


def gone(driver: MemoryDriver) -> list[bool]:
    """What the driver was told of each page of each call."""
    return [target.hard_purge for call in driver.calls for target in call.targets]


def test_a_tier_that_has_joined_is_owed_by_whoever_resolves(engine: Engine) -> None:
    """A command without edges settles what a relay elsewhere delivers."""
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        join(connection, CDN, NOW)
        page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    relay(engine, {}, clock).enqueue_changes(clock.now)
    assert states(engine, CDN) == {"/1": EntryState.PENDING}
    relay(engine, {CDN: cdn}, clock).run_once(clock.now)
    assert [target.url for call in cdn.calls for target in call.targets] == ["/1"]
    assert states(engine, CDN) == {"/1": EntryState.SENT}


def test_a_tier_is_known_as_it_joined_last(engine: Engine) -> None:
    """Another order of the edges, another flight."""
    moved = replace(CDN, depth=3, max_flight_time=timedelta(minutes=7))
    with engine.begin() as connection:
        assert [join(connection, tier, NOW) for tier in (CDN, CDN, moved)] == [True, False, False]
        assert member_tiers(connection) == [moved]


def test_a_process_knows_its_own_tier_best(engine: Engine) -> None:
    """It is owed once, with the flight that its settings give it."""
    with engine.begin() as connection:
        join(connection, replace(CDN, max_flight_time=timedelta(0)), NOW)
        page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    cdn = MemoryDriver()
    relay(engine, {CDN: cdn}, Clock()).run_once(NOW)
    assert len(cdn.calls) == 1
    assert states(engine, CDN) == {"/1": EntryState.SENT}


def test_an_edge_that_is_named_no_more_is_forgotten(engine: Engine) -> None:
    """With what it was owed; gateways are none of the settings' business."""
    with engine.begin() as connection:
        for tier in (GATEWAY, CDN, OTHER):
            join(connection, tier, NOW)
    owe(engine, [CDN, OTHER], "/a")
    with engine.begin() as connection:
        assert retire_unconfigured_tiers(connection, [CDN]) == ["other"]
        assert [tier.name for tier in purge_status(connection, NOW).tiers] == ["cdn", "gateway"]
    assert states(engine, OTHER) == {}


JOINED = {
    "kept, kept": ([False, False], [False]),
    "kept, gone": ([False, True], [True]),
    "gone, kept": ([True, False], [True]),
}


@pytest.mark.parametrize(("told", "expected"), JOINED.values(), ids=JOINED)
def test_what_has_lost_something_stays_so_while_it_waits(
    engine: Engine, told: list[bool], expected: list[bool]
) -> None:
    """A change that joins an entry can only make it harder."""
    for each in told:
        owe_one(engine, gone=each)
    cdn = MemoryDriver()
    relay(engine, {CDN: cdn}, Clock()).run_once(NOW)
    assert gone(cdn) == expected


def test_the_second_purge_is_as_hard_as_the_first(engine: Engine) -> None:
    """What came late may be what must not be shown."""
    clock, cdn = Clock(), MemoryDriver()
    owe_one(engine, gone=True)
    found = relay(engine, {CDN: cdn}, clock)
    for _ in range(2):
        found.run_once(clock.now)
        clock.advance(CDN.max_flight_time + SECOND)
    assert gone(cdn) == [True, True]


def test_nobody_who_commits_waits_for_an_edge_in_front(engine: Engine) -> None:
    """Also where there is no gateway: it is left to the relay."""
    clock, cdn = Clock(), MemoryDriver()
    with engine.begin() as connection:
        page(connection, 1)
        connection.execute(sa.insert(post).values(id=1, version=0))
    found = relay(engine, {CDN: cdn}, clock)
    assert [affected.url for affected in found.flush(clock.now).pages] == ["/1"]
    assert cdn.calls == []
    found.run_once(clock.now)
    assert len(cdn.calls) == 1
