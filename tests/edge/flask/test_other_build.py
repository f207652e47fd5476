"""A process with another build than the released one logs it; without releases it purges."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.edge.flask.deploy import release
from app.edge.flask.relay import status
from app.edge.testing import assert_hit, assert_miss, assert_no_store
from app.extensions import edge

Make = Callable[..., Flask]


@pytest.fixture
def start(make_app: Make, tmp_path: Path) -> Make:
    """Start a process of the site on one store; another `build` represents other code."""

    def begin(build: str = "") -> Flask:
        app = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"))
        if build:
            app.extensions["edge"].tracker.parts.__dict__["build_id"] = build
        return app

    return begin


def client_of(app: Flask) -> FlaskClient:
    """Return a client whose page is stored."""
    client = app.test_client()
    client.get("/topics")
    return client


def test_a_process_of_another_build_says_so(start: Make, caplog: pytest.LogCaptureFixture) -> None:
    """In the log as it starts, in `edge status`, and to probes."""
    first = start()
    release(first)
    client_of(first)
    second = start("other-build")
    with caplog.at_level(logging.WARNING):
        assert_hit(second.test_client().get("/topics"))
    assert any(record.message.startswith("edge.other_build") for record in caplog.records)
    with second.app_context():
        assert "Run `flask edge release`" in (edge.degraded(second) or "")
        assert any("Run `flask edge release`" in line for line in status(second).to_lines())
        assert status(second).to_json()["build"]
        ready = second.test_client().get("/readyz")
    assert (ready.status_code, ready.get_json()["status"]) == (200, "degraded")
    assert edge.degraded(first) is None


def test_a_release_ends_it(start: Make) -> None:
    """After that the other process has the outdated build."""
    first = start()
    release(first)
    client_of(first)
    second = start("other-build")
    with second.app_context():
        release(second)
    assert edge.degraded(second) is None
    assert "Run `flask edge release`" in (edge.degraded(first) or "")


def test_where_nothing_is_released_other_code_purges_everything(start: Make) -> None:
    """After an edit and a restart the old page is no hit, and the older process shares nothing."""
    first = start()
    client_of(first)
    assert_hit(first.test_client().get("/topics"))
    second = start("other-build")
    assert_miss(second.test_client().get("/topics"))
    edge.purge_all(second)
    assert_no_store(first.test_client().get("/topics"))


def test_where_nothing_is_released_the_same_code_keeps_its_pages(start: Make) -> None:
    """A restart does not purge pages."""
    client_of(start())
    assert_hit(start().test_client().get("/topics"))
