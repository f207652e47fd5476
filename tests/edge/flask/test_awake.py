"""A process answers once it has caught up; until then it asks for patience, and keeps nobody waiting."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.test import Client

from app.edge.flask.awake import AGAIN, Awake
from app.edge.testing import assert_no_store

AWAY = OperationalError("SELECT 1", {}, Exception("gone"))


class Upkeep:
    """Catches up, or can't."""

    def __init__(self, error: Exception | None = AWAY) -> None:
        self.error = error
        self.tries = 0
        self.entered, self.let = threading.Event(), threading.Event()
        self.let.set()

    def catch_up(self) -> None:
        """Try."""
        self.tries += 1
        self.entered.set()
        assert self.let.wait(10)
        if self.error is not None:
            raise self.error


class Site:
    """A process of a site over this upkeep."""

    def __init__(self, upkeep: Upkeep) -> None:
        self.now = 0.0
        awake = Awake(page, upkeep, relay=False, ticks=lambda: self.now)  # type: ignore[arg-type]  # as much of one as is used
        self.client = Client(awake)


def page(_environ: Any, start_response: Any) -> list[bytes]:
    """The one page."""
    start_response("200 OK", [])
    return [b"page"]


@pytest.mark.parametrize("error", [AWAY, PoolTimeoutError()], ids=["refused", "none free"])
def test_without_the_database_readers_are_asked_for_patience(error: Exception) -> None:
    """For whoever writes no page of their own."""
    answer = Site(Upkeep(error)).client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert_no_store(answer)
    assert b"try again" in answer.data
    assert Site(Upkeep(error)).client.head("/").data == b""


def test_it_is_tried_again_now_and_then_until_it_works() -> None:
    """Not for each reader, and never again once it has."""
    upkeep = Upkeep()
    site = Site(upkeep)
    assert [site.client.get("/").status_code for _ in range(3)] == [503] * 3
    assert upkeep.tries == 1
    upkeep.error = None
    site.now += AGAIN.total_seconds()
    assert [site.client.get("/").status_code for _ in range(3)] == [200] * 3
    assert upkeep.tries == 2


def test_while_one_tries_again_nobody_waits() -> None:
    """A server that does not answer holds up one reader."""
    upkeep = Upkeep()
    site = Site(upkeep)
    site.client.get("/")
    site.now += AGAIN.total_seconds()
    upkeep.entered.clear()
    upkeep.let.clear()
    found = []
    trying = threading.Thread(target=lambda: found.append(site.client.get("/").status_code))
    trying.start()
    assert upkeep.entered.wait(10)
    assert site.client.get("/").status_code == 503
    upkeep.error = None
    upkeep.let.set()
    trying.join(10)
    assert found == [200]


def test_a_mistake_is_not_an_absence() -> None:
    """It is raised, for whoever runs the server to see."""
    with pytest.raises(ZeroDivisionError):
        Site(Upkeep(ZeroDivisionError())).client.get("/")
