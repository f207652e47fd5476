"""Whatever of the house fails, readers see right pages, or old ones while nothing better is there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Site
from app.publishing.permissions import SYSTEM

from . import raw_http
from .live_site import eventually
from .postgres import Postgres
from .varnish_cluster import SECRET, Peers, peers

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

TITLES = (f"Title-{n}." for n in count(1))
PAGES = ("/", "/about", "/feed.xml", "/articles/small-print")


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, sampled_postgres: str
) -> Iterator[Peers]:
    """One house for all tests: each leaves it as it was."""
    with peers(tmp_path_factory.mktemp("house"), postgres, sampled_postgres) as started:
        yield started


def write(house: Peers) -> str:
    """Give the site another title, which every page shows; return it."""
    title = next(TITLES)
    with house.acting():
        site = db.session.get(Site, 1)
        assert site is not None
        actions.save_site(
            actions.SiteDraft(title=title), expected_version=site.version, actor=SYSTEM
        )
        db.session.remove()
    return title


PATIENCE = 45.0
"""Seconds: a relay that has failed six times in a row rests for half a minute at most."""


def assert_fresh(house: Peers, title: str) -> None:
    """Soon every page shows it; from then on nobody sees an older one."""
    for page in PAGES:
        assert eventually(partial(house.shows, title, page), within=PATIENCE)
    assert all(house.shows(title, page) for _ in range(3) for page in PAGES)


def purge_softly(house: Peers) -> None:
    """Let Varnish believe that everything has changed."""
    lines = ("xkey-softpurge: all", f"Authorization: Bearer {SECRET}")
    assert (
        raw_http.exchange(house.port, raw_http.request("/", *lines, method="PURGE")).status == 200
    )


def test_a_change_reaches_readers(house: Peers) -> None:
    """By the relay, and then the page is kept anew."""
    for _ in range(3):
        for page in PAGES:
            house.warm(page)
        assert_fresh(house, write(house))
    house.warm()


def test_an_origin_dies(house: Peers) -> None:
    """No reader hears of it; changes arrive as before, also when it has come back."""
    house.warm()
    house.origins[0].stop(by=signal.SIGKILL)
    purge_softly(house)
    assert [house.ask(page).status for page in PAGES * 3] == [200] * 12
    assert_fresh(house, write(house))
    house.origins[0].start()
    assert_fresh(house, write(house))


def test_both_origins_die(house: Peers) -> None:
    """Pages stay, also those that were purged; afterwards they are new."""
    for page in PAGES:
        house.warm(page)
    for origin in house.origins:
        origin.stop(by=signal.SIGKILL)
    title = write(house)
    answers = [house.ask(page) for page in PAGES * 2]
    assert {answer.status for answer in answers} == {200}
    assert eventually(lambda: "detail=stale-if-error" in house.ask("/").cache_status)
    for origin in house.origins:
        origin.start()
    assert_fresh(house, title)


def test_the_relay_dies(house: Peers) -> None:
    """Pages stay as they were; the next relay pays what is owed."""
    house.warm()
    house.kill_relay()
    title = write(house)
    assert [house.ask(page).status for page in PAGES] == [200] * 4
    house.start_relay()
    assert_fresh(house, title)


def test_an_origin_stands_in_for_a_dead_relay(house: Peers) -> None:
    """Changes arrive though nobody starts another relay, and the log says who delivers."""
    house.warm()
    house.kill_relay()
    assert_fresh(house, write(house))
    assert any("edge.relay_dead" in origin.log for origin in house.origins)
    house.start_relay()
    assert eventually(
        lambda: any("edge.relay_back" in origin.log for origin in house.origins), within=PATIENCE
    )


def test_the_database_stops(house: Peers) -> None:
    """What is kept is served, if need be old; once the database is back it is new."""
    for page in PAGES:
        house.warm(page)
    house.kill_relay()
    title = write(house)
    with house.without_database():
        assert [house.ask(page).status for page in PAGES] == [200] * 4
        purge_softly(house)
        stale = [house.ask(page) for page in PAGES * 2]
        assert {answer.status for answer in stale} == {200}
        assert all("detail=stale-if-error" in answer.cache_status for answer in stale)
    assert eventually(lambda: all(origin.ask("/readyz").status == 200 for origin in house.origins))
    house.start_relay()
    assert_fresh(house, title)


def test_varnish_restarts(house: Peers) -> None:
    """It begins empty, so it has nothing that is old; what was written meanwhile is there."""
    house.warm()
    house.stop_varnish()
    title = write(house)
    house.start_varnish()
    assert [house.ask(page).status for page in PAGES] == [200] * 4
    assert_fresh(house, title)
    assert_fresh(house, write(house))
