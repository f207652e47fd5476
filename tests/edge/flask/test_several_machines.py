"""Two machines with a gateway each and one database; here two apps with a store each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask

from app.extensions import db
from app.publishing.models import Topic
from app.publishing.transaction import transaction


def write(slug: str) -> None:
    """Add a topic, in the app whose context is pushed."""
    with transaction() as session:
        session.add(Topic(slug=slug, name=slug))
    db.session.remove()


def hit(app: Flask) -> bool:
    """Return whether the app's gateway has the list of topics."""
    return "hit" in app.test_client().get("/topics").headers["Cache-Status"]


def test_a_write_on_one_machine_purges_the_others_gateway(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Each registered gateway gets the purge, delivered by its own machine."""
    first = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "one"))
    second = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "two"))
    assert [hit(first), hit(first), hit(second), hit(second)] == [False, True, False, True]
    with first.app_context():
        write("a")
    assert not hit(first)
    second.extensions["edge"].worker.relay.run_once(datetime.now(UTC))
    assert not hit(second)


def test_a_write_without_a_gateway_purges_those_of_the_others(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """A release or a command on another machine queues the same purges."""
    web = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "web"))
    shell = make_app(EDGE_GATEWAY=False)
    assert [hit(web), hit(web)] == [False, True]
    with shell.app_context():
        write("a")
    web.extensions["edge"].worker.relay.run_once(datetime.now(UTC))
    assert not hit(web)


def test_a_machine_that_starts_again_pays_what_it_owes_first(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Writes while it was stopped are purged before its first response."""
    web = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "web"))
    shell = make_app(EDGE_GATEWAY=False)
    assert [hit(web), hit(web)] == [False, True]
    with shell.app_context():
        write("a")
    restarted = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "web"))
    assert not hit(restarted)
