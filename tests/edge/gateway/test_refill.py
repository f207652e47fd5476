"""Tests of the refill: which purged pages are queued, and how they are fetched again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import pytest

from app.edge.gateway.gateway import Gateway
from app.edge.gateway.options import Options
from app.edge.gateway.refill import Refill, RefillPace
from app.edge.gateway.store.lmdb.store import LmdbStore
from app.edge.http import cache_key as keys
from tests.edge.gateway.scripted_origin import call, get
from tests.edge.gateway.store_contract import BODIES, stored

SITE = "https://example.org"
OPTIONS = Options.shield(site=SITE)


class CountingApp:
    """An application that records its requests and can fail."""

    def __init__(self) -> None:
        self.environs: list[dict[str, Any]] = []
        self.during: Callable[[], object] = lambda: None
        self.fails = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        """Respond with the number of this page."""
        self.environs.append(environ)
        self.during()
        if self.fails:
            raise ZeroDivisionError
        start_response("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "max-age=900")])
        return [environ["PATH_INFO"].encode("latin-1")]

    @property
    def paths(self) -> list[str]:
        """Return the requested paths in order."""
        return [environ["PATH_INFO"] for environ in self.environs]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LmdbStore]:
    """Return a store with a refill queue."""
    store = LmdbStore(tmp_path / "store", refill=True)
    yield store
    store.close()


@pytest.fixture
def origin() -> CountingApp:
    """Return an application."""
    return CountingApp()


@pytest.fixture
def gateway(origin: CountingApp, store: LmdbStore) -> Gateway:
    """Return a gateway in front of the application."""
    return Gateway(validator(origin), store=store, options=OPTIONS)


class Ticks:
    """A monotonic clock that advances only when a test sets it."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    """Return a stopped clock."""
    return Ticks()


@pytest.fixture
def refill(gateway: Gateway, store: LmdbStore, ticks: Ticks) -> Refill:
    """Return the only refill of the store."""
    return Refill(gateway, store, is_leader=lambda: True, monotonic=ticks)


def visit(gateway: Gateway, path: str, times: int = 3) -> None:
    """Request a page often enough for the refill queue."""
    for _ in range(times):
        call(gateway, get(target=path))


def calm(refill: Refill, ticks: Ticks) -> None:
    """Advance the clock past the quiet period."""
    refill.step()
    ticks.now += 1


def key(path: str, query: str = "") -> bytes:
    """Return the key of a page of the site."""
    cache_key = keys.build_cache_key(SITE, path, query)
    assert cache_key is not None
    return cache_key


def keep(store: LmdbStore, name: bytes, *, visits: int = 3, **changes: object) -> None:
    """Save a page and record so many accesses."""
    store.save(name, stored(**{"lifetime": 900.0, **changes}), BODIES, token=store.purge_token())
    for _ in range(visits):
        store.load(name)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (key("/a"), {"visits": 1}),
        (key("/search", "q=a"), {}),
        (key("/a"), {"status": 404, "reason": "Not Found"}),
        (key("/a"), {"status": 301, "reason": "Moved"}),
        (key("/a"), {"lifetime": 60.0}),
        (key("/a"), {"vary": (("accept-language", "de"),)}),
        (b"k" * 5000, {}),
    ],
    ids=["asked once", "search", "missing", "moved", "brief", "another form", "no URL"],
)
def test_what_a_plain_request_would_not_bring_back_is_not_wanted(
    store: LmdbStore, name: bytes, changes: dict[str, Any]
) -> None:
    """Such a page is fetched for its next reader."""
    keep(store, name, **changes)
    store.purge(name)
    assert store.pop_refill_key() is None


@pytest.mark.parametrize("purge", ["one by one", "all"])
def test_the_most_visited_come_first_and_each_once(store: LmdbStore, purge: str) -> None:
    """Accesses are counted also after the purge."""
    for path, visits in (("/few", 2), ("/many", 9), ("/some", 5)):
        keep(store, key(path), visits=visits)
    if purge == "all":
        store.purge_all()
    for path in ("/few", "/many", "/some"):
        store.purge(key(path))
    popped_keys = [store.pop_refill_key() for _ in range(4)]
    assert popped_keys == [key("/many"), key("/some"), key("/few"), None]


def test_what_is_back_is_not_wanted(store: LmdbStore) -> None:
    """A reader has fetched the page already."""
    keep(store, key("/a"))
    store.purge(key("/a"))
    keep(store, key("/a"))
    assert store.pop_refill_key() is None


def test_what_was_not_there_is_not_wanted(store: LmdbStore) -> None:
    """A second purge of a page adds nothing to the queue."""
    keep(store, key("/a"))
    store.purge(key("/a"))
    assert store.pop_refill_key() is not None
    store.purge(key("/a"))
    assert store.pop_refill_key() is None


def test_wanted_pages_are_few_in_a_small_store(tmp_path: Path) -> None:
    """A purge of everything must not fill the store with queue entries."""
    store = LmdbStore(tmp_path / "small", max_bytes=1024 * 1024, refill=True)
    for number in range(20):
        keep(store, key(f"/{number}"), visits=2)
    store.purge_all()
    stats = store.stats()
    assert stats is not None
    assert 1 <= stats.refill_queue <= 4
    store.close()


def test_a_store_that_is_not_refilled_notes_nothing(tmp_path: Path) -> None:
    """Without the setting the queue stays empty."""
    store = LmdbStore(tmp_path / "off")
    keep(store, key("/a"))
    store.purge(key("/a"))
    keep(store, key("/a"))
    store.purge_all()
    assert store.pop_refill_key() is None
    store.close()


def test_the_next_reader_gets_a_hit(
    gateway: Gateway, origin: CountingApp, refill: Refill, ticks: Ticks
) -> None:
    """The application gets a request without any special fields."""
    visit(gateway, "/caf\xc3\xa9")
    gateway.purge("/caf%C3%A9")
    calm(refill, ticks)
    refill.step()
    assert origin.paths == ["/caf\xc3\xa9"] * 2
    assert origin.environs[1]["HTTP_HOST"] == "example.org"
    assert "hit" in str(call(gateway, get(target="/caf\xc3\xa9")).header("Cache-Status"))


def test_one_page_a_step_and_a_rest_after_it(
    gateway: Gateway, origin: CountingApp, refill: Refill, ticks: Ticks
) -> None:
    """The pause is twice the time of the fetch."""

    def slow() -> None:
        ticks.now += 1.5

    for path in ("/a", "/b"):
        visit(gateway, path)
    gateway.purge_all()
    calm(refill, ticks)
    origin.environs.clear()
    assert refill.step() == RefillPace().rest
    assert len(origin.environs) == 1
    origin.during = slow
    assert refill.step() == timedelta(seconds=3)
    assert refill.step() == RefillPace().poll_interval


def test_while_purges_go_on_nothing_is_made(
    gateway: Gateway, origin: CountingApp, refill: Refill, ticks: Ticks
) -> None:
    """A refilled page would be purged again at once."""
    visit(gateway, "/a")
    gateway.purge("/a")
    for number in range(20):
        gateway.purge(f"/{number}")
        assert refill.step() == RefillPace().quiet_period
        ticks.now += 0.1
    ticks.now += 0.2
    refill.step()
    assert origin.paths == ["/a"] * 2


def test_while_a_reader_waits_nothing_is_made(
    gateway: Gateway, origin: CountingApp, refill: Refill, ticks: Ticks
) -> None:
    """Requests of readers come first."""
    visit(gateway, "/a")
    gateway.purge("/a")
    calm(refill, ticks)
    entered, let = threading.Event(), threading.Event()

    def wait_for_the_test() -> None:
        entered.set()
        let.wait(10)

    origin.during = wait_for_the_test
    reader = threading.Thread(target=call, args=(gateway, get(target="/b")))
    reader.start()
    assert entered.wait(10)
    assert refill.step() == RefillPace().quiet_period
    let.set()
    reader.join(10)
    refill.step()
    assert origin.paths == ["/a", "/b", "/a"]


def test_what_fails_is_dropped(
    gateway: Gateway, origin: CountingApp, refill: Refill, ticks: Ticks, caplog: Any
) -> None:
    """The failure is logged, and the page is fetched for its next reader."""
    visit(gateway, "/a")
    gateway.purge("/a")
    calm(refill, ticks)
    origin.fails = True
    refill.step()
    assert "gateway.not_refilled" in caplog.text
    origin.fails = False
    assert refill.step() == RefillPace().poll_interval
    assert origin.paths == ["/a"] * 2


def test_a_page_that_is_purged_while_it_is_made_is_not_kept(
    gateway: Gateway, origin: CountingApp, store: LmdbStore, refill: Refill, ticks: Ticks
) -> None:
    """The purge token is checked in a refill as in any other fetch."""
    visit(gateway, "/a")
    gateway.purge("/a")
    calm(refill, ticks)
    origin.during = lambda: store.purge(key("/a"))
    refill.step()
    assert store.load(key("/a")) == ()


def test_only_who_leads_refills(
    gateway: Gateway, origin: CountingApp, store: LmdbStore, ticks: Ticks
) -> None:
    """The other processes would fetch the same pages."""
    visit(gateway, "/a")
    gateway.purge("/a")
    other = Refill(gateway, store, is_leader=lambda: False, monotonic=ticks)
    calm(other, ticks)
    assert other.step() == RefillPace().poll_interval
    assert origin.paths == ["/a"]


def test_it_ends_when_it_is_told(gateway: Gateway, store: LmdbStore) -> None:
    """It stops at once, but not before the first step."""
    stop = threading.Event()

    def leads() -> bool:
        stop.set()
        return True

    Refill(gateway, store, is_leader=leads).run(stop)
    assert stop.is_set()


def test_a_trouble_with_the_election_is_no_end(
    gateway: Gateway, store: LmdbStore, caplog: Any
) -> None:
    """The election is tried again later."""
    stop = threading.Event()
    tried: list[None] = []

    def leads() -> bool:
        tried.append(None)
        if len(tried) > 1:
            stop.set()
        raise OSError

    pace = RefillPace(after_failure=timedelta(0))
    Refill(gateway, store, is_leader=leads, pace=pace).run(stop)
    assert len(tried) == 2
    assert "gateway.refill_failed" in caplog.text
