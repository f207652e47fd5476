"""A process serves requests once it has caught up; until then it answers 503 without delay."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.test import Client

from app.edge.flask.startup import RETRY_INTERVAL, StartupGate
from app.edge.testing import assert_no_store

AWAY = OperationalError("SELECT 1", {}, Exception("gone"))


class Upkeep:
    """A worker whose catch_up may fail."""

    def __init__(self, error: Exception | None = AWAY) -> None:
        self.error = error
        self.tries = 0
        self.relays = 0
        self.ran = threading.Event()
        self.entered, self.let = threading.Event(), threading.Event()
        self.let.set()

    def catch_up(self) -> None:
        """Count the call, and raise the error."""
        self.tries += 1
        self.entered.set()
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error

    def run(self, _stop: threading.Event) -> None:
        """Relay."""
        self.relays += 1
        self.ran.set()


class Site:
    """A process of a site with this worker."""

    def __init__(self, upkeep: Upkeep, *, relay: bool = False) -> None:
        self.now = 0.0
        self.upkeep = upkeep
        self.gate = StartupGate(
            page,
            upkeep,  # type: ignore[arg-type]  # the two methods that the gate calls
            relay=relay,
            monotonic=lambda: self.now,
            pause=self.pause,
        )
        self.client = Client(self.gate)

    def pause(self, seconds: float) -> None:
        """Advance the time; the database is available after the third try."""
        self.now += seconds
        if self.upkeep.tries == 3:
            self.upkeep.error = None


def page(_environ: Any, start_response: Any) -> list[bytes]:
    """The one page."""
    start_response("200 OK", [])
    return [b"page"]


@pytest.mark.parametrize("error", [AWAY, PoolTimeoutError()], ids=["refused", "none free"])
def test_without_the_database_readers_are_asked_for_patience(error: Exception) -> None:
    """Without an own page for it."""
    answer = Site(Upkeep(error)).client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert_no_store(answer)
    assert b"try again" in answer.data
    assert Site(Upkeep(error)).client.head("/").data == b""


def test_it_is_tried_again_now_and_then_until_it_works() -> None:
    """Not for each request, and not after it succeeded."""
    upkeep = Upkeep()
    site = Site(upkeep)
    assert [site.client.get("/").status_code for _ in range(3)] == [503] * 3
    assert upkeep.tries == 1
    upkeep.error = None
    site.now += RETRY_INTERVAL.total_seconds()
    assert [site.client.get("/").status_code for _ in range(3)] == [200] * 3
    assert upkeep.tries == 2


def test_while_one_tries_again_nobody_waits() -> None:
    """A database that does not respond delays one request only."""
    upkeep = Upkeep()
    site = Site(upkeep)
    site.client.get("/")
    site.now += RETRY_INTERVAL.total_seconds()
    upkeep.entered.clear()
    upkeep.let.clear()
    results = []
    trying = threading.Thread(target=lambda: results.append(site.client.get("/").status_code))
    trying.start()
    assert upkeep.entered.wait(10)
    assert site.client.get("/").status_code == 503
    upkeep.error = None
    upkeep.let.set()
    trying.join(10)
    assert results == [200]


def test_a_mistake_is_not_an_absence() -> None:
    """It is raised, so that the operator sees it."""
    with pytest.raises(ZeroDivisionError):
        Site(Upkeep(ZeroDivisionError())).client.get("/")


def test_who_is_roused_relays_without_a_request() -> None:
    """Once for several calls, also if the database is unavailable at first; the call returns at once."""
    site = Site(Upkeep(), relay=True)
    site.upkeep.let.clear()
    for _ in range(3):
        site.gate.start_in_background()
    site.upkeep.let.set()
    assert site.upkeep.ran.wait(10)
    site.gate.start_in_background()
    assert site.client.get("/").data == b"page"
    assert (site.upkeep.tries, site.upkeep.relays) == (4, 1)


def test_who_relays_elsewhere_is_not_roused() -> None:
    """There is nothing to do before the first request."""
    site = Site(Upkeep(None))
    site.gate.start_in_background()
    assert site.upkeep.tries == 0
    assert site.client.get("/").data == b"page"


def test_a_mistake_while_roused_is_left_for_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and does not end the process."""
    site = Site(Upkeep(ZeroDivisionError()), relay=True)
    site.gate._retry_until_ready()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["edge.not_awake"]
    site.upkeep.error = None
    site.gate.start_in_background()
    assert site.upkeep.ran.wait(10)
