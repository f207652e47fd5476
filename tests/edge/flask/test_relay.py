from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

from flask import Flask

from app.edge.flask import relay as relaying
from app.extensions import db
from app.publishing.models import Topic
from app.publishing.transaction import transaction


def test_status_says_how_fast_a_change_was_everywhere(make_app: Callable[..., Flask]) -> None:
    """After a write no purge of the gateway is pending, and the delay is reported."""
    app = make_app(EDGE_GATEWAY=True)
    app.test_client().get("/topics")
    with transaction() as session:
        session.add(Topic(slug="ink", name="Ink"))
    (tier,) = relaying.status(app).tiers
    assert (tier.backlog, tier.dead, tier.breaker) == (0, 0, "")
    assert tier.p50 is not None
    assert 0 < tier.p50.total_seconds() < 60


def test_from_commit_to_fresh_begins_when_the_change_was_written(
    make_app: Callable[..., Flask],
) -> None:
    """Not when the relay found it, so the delay of a sleeping relay counts."""
    app = make_app(EDGE_GATEWAY=True)
    app.test_client().get("/topics")
    with db.engine.execution_options(edge_internal=True).begin() as connection:
        connection.exec_driver_sql("INSERT INTO topic(slug, name, description) VALUES ('a','A','')")
        connection.exec_driver_sql("UPDATE edge_change SET written_at = written_at - 90000000")
    assert relaying.status(app).purging.entries == 1
    relaying.worker_of(app).relay.run_once(datetime.now(UTC))
    (tier,) = relaying.status(app).tiers
    assert tier.p99 is not None
    assert 90 <= tier.p99.total_seconds() < 150


def test_status_says_how_full_the_index_is(make_app: Callable[..., Flask]) -> None:
    """If it is full, the text says what to do."""
    app = make_app(EDGE_GATEWAY=True, EDGE_INDEX_PAGES=2, EDGE_REFILL=True)
    for path in ("/topics", "/", "/archive"):
        answer = app.test_client().get(path)
    assert "index-full" in answer.headers["Cache-Status"]
    edge_status = relaying.status(app)
    assert (edge_status.index.pages, edge_status.refill) == (2, 0)
    text = "\n".join(edge_status.to_lines())
    assert "The index holds 2 of 2 pages." in text
    assert "increase EDGE_INDEX_PAGES" in text
    assert "0 purged pages of this machine's gateway wait" in text


def test_the_command_prints_words_and_json(make_app: Callable[..., Flask]) -> None:
    """Sentences for people, JSON for programs."""
    app = make_app(EDGE_GATEWAY=True)
    runner = app.test_cli_runner()
    assert "is purged." in runner.invoke(args=["edge", "status"]).output
    output = json.loads(runner.invoke(args=["edge", "status", "--json"]).output)
    assert output["healthy"] is True
    assert output["index"]["most"] == 250_000


def test_the_relay_runs_apart_until_it_is_stopped(make_app: Callable[..., Flask]) -> None:
    """A write of another process is purged by the relay process."""
    app = make_app(EDGE_GATEWAY=True)
    client = app.test_client()
    client.get("/topics")
    assert "hit" in client.get("/topics").headers["Cache-Status"]
    stop = Event()
    relay = Thread(target=relaying.relay, args=(app, stop))
    relay.start()
    try:
        raw = db.engine.raw_connection()
        assert raw.driver_connection is not None
        raw.driver_connection.execute(
            "INSERT INTO topic(slug, name, description) VALUES ('a', 'A', '')"
        )
        raw.close()
        waits = (Event().wait(0.05) for _ in range(200))
        assert any("hit" not in client.get("/topics").headers["Cache-Status"] for _ in waits)
    finally:
        stop.set()
        relay.join(10)
    assert not relay.is_alive()
