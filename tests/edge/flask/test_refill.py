"""The gateway of a real app is refilled after a purge, before the next request."""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import Flask

from app.edge.flask import relay
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from tests.site import content

VISITS = 3


def visit(app: Flask, path: str) -> None:
    """Request a page often enough that it is refilled."""
    for _ in range(VISITS):
        app.test_client().get(path)


def write(slug: str) -> None:
    """Publish an article on a topic of its own."""
    content.post(slug.title(), topics=[slug.title()])
    db.session.remove()


def refill_queue_length(app: Flask) -> int:
    """Return the length of the refill queue."""
    stats = app.extensions["edge"].embedded_gateway.store.stats()
    assert stats is not None
    return int(stats.refill_queue)


def refill(app: Flask) -> None:
    """Refill until the queue is empty."""
    deadline = time.monotonic() + 10
    gateway_refill = app.extensions["edge"].embedded_gateway.refill
    while refill_queue_length(app):
        assert time.monotonic() < deadline
        time.sleep(min(gateway_refill.step().total_seconds(), 0.02))


def test_after_a_write_the_next_reader_gets_the_new_page_from_the_gateway(
    make_app: Callable[..., Flask],
) -> None:
    """The refilled page is a hit, and registered in the index."""
    app = make_app(EDGE_GATEWAY=True, EDGE_REFILL=True)
    visit(app, "/topics")
    write("ink")
    assert refill_queue_length(app) == 1
    refill(app)
    answer = app.test_client().get("/topics")
    assert_hit(answer)
    assert "Ink" in answer.text
    write("paper")
    assert_miss(app.test_client().get("/topics"))


def test_what_was_never_asked_for_twice_waits_for_its_reader(
    make_app: Callable[..., Flask],
) -> None:
    """Errors are not refilled either."""
    app = make_app(EDGE_GATEWAY=True, EDGE_REFILL=True)
    app.test_client().get("/topics")
    visit(app, "/topics/nothing")
    visit(app, "/search?q=ink")
    write("ink")
    assert refill_queue_length(app) == 0


def test_a_relay_apart_refills_the_store_of_its_machine(
    make_app: Callable[..., Flask],
) -> None:
    """The relay process also runs the refill."""
    app = make_app(EDGE_GATEWAY=True, EDGE_REFILL=True)
    upkeep = relay.worker_of(app)
    visit(app, "/topics")
    write("ink")
    ran = []

    class Once:
        """A stop event that is set once the queue is empty."""

        def is_set(self) -> bool:
            """Return whether the page is stored again."""
            return not refill_queue_length(app)

        def wait(self, seconds: float) -> bool:
            """Wait for a short time."""
            ran.append(seconds)
            time.sleep(min(seconds, 0.02))
            return self.is_set()

    upkeep.run(Once())  # type: ignore[arg-type]  # as much of an event as is used
    assert ran
    assert_hit(app.test_client().get("/topics"))


def test_it_is_off_where_the_setting_says_so(make_app: Callable[..., Flask]) -> None:
    """No page is queued, and there is no refill."""
    app = make_app(EDGE_GATEWAY=True, EDGE_REFILL=False)
    visit(app, "/topics")
    write("ink")
    assert refill_queue_length(app) == 0
    assert app.extensions["edge"].embedded_gateway.refill is None
