"""The database is away, from the start or all of a sudden: what readers get, and how it ends."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.edge.testing import assert_hit, assert_no_store
from app.extensions import db
from app.publishing.models import Kind

from .live.programs import free_port
from .site import content

FILES = ("broadsheet.db", "broadsheet.db-wal", "broadsheet.db-shm")


@pytest.fixture
def gated(make_app: Callable[..., Flask]) -> Flask:
    """A site with a gateway that has its page "About"; mistakes are answered, not raised."""
    app = make_app(EDGE_GATEWAY=True, TESTING=False)
    content.post("About", kind=Kind.PAGE)
    db.session.remove()
    client = app.test_client()
    client.get("/about")
    assert_hit(client.get("/about"))
    return app


@contextmanager
def away(folder: Path) -> Iterator[Path]:
    """Take the database's files away for a while; where they are meanwhile."""
    moved_folder = folder / "elsewhere"
    moved_folder.mkdir()
    db.session.remove()
    db.engine.dispose()
    for name in FILES:
        if (folder / name).exists():
            (folder / name).rename(moved_folder / name)
    (folder / FILES[0]).mkdir()
    try:
        yield moved_folder / FILES[0]
    finally:
        (folder / FILES[0]).rmdir()
        for file in moved_folder.iterdir():
            file.rename(folder / file.name)


@pytest.fixture(autouse=True)
def _ended_outage(request: pytest.FixtureRequest) -> Iterator[None]:
    """Connect at the end, so that the log of a later test does not say that this outage ended."""
    gated = request.getfixturevalue("gated") if "gated" in request.fixturenames else None
    yield
    if gated is not None:
        with db.engine.connect():
            pass


def assert_unavailable(answer: Any) -> None:
    """Demand that readers are asked for patience, and that nobody keeps it."""
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert_no_store(answer)


def back(client: FlaskClient, path: str) -> Any:
    """Ask until the page is there."""
    deadline = time.monotonic() + 20
    while (answer := client.get(path)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def test_a_process_that_starts_without_its_database_catches_up_first(
    gated: Flask, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """What is stored is served by nobody who does not know whether it is stale."""
    with away(tmp_path) as file:
        started = make_app(EDGE_GATEWAY=True, TESTING=False).test_client()
        for _ in range(2):
            answer = started.get("/about")
            assert_unavailable(answer)
            assert "try again" in answer.text
            assert "default-src" in answer.headers["Content-Security-Policy"]
        assert started.get("/healthz").status_code == 200
        ready = started.get("/readyz")
        assert (ready.status_code, ready.get_json()["reason"]) == (
            503,
            "The database can't be reached.",
        )
        assert started.head("/about").data == b""
        with closing(sqlite3.connect(file, isolation_level=None)) as editor:
            editor.execute("UPDATE post SET title = 'Changed'")
    answer = back(started, "/about")
    assert "Changed" in answer.text
    assert "; hit" not in answer.headers["Cache-Status"]
    assert_hit(started.get("/about"))


def test_a_server_that_refuses_connections_is_away(make_app: Callable[..., Flask]) -> None:
    """PostgreSQL is not there; readers of JSON get JSON."""
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nothing"
    app = make_app(EDGE_GATEWAY=True, TESTING=False, DATABASE_URL=url)
    client = app.test_client()
    answer = client.get("/api/posts")
    assert_unavailable(answer)
    assert answer.get_json()["status"] == 503


def test_a_database_that_goes_away_leaves_what_is_stored(gated: Flask, tmp_path: Path) -> None:
    """Fresh pages are served on; what would have to be made asks for patience."""
    client = gated.test_client()
    with away(tmp_path):
        gated.extensions[
            "edge"
        ].tracker.drift_monitor.check_now()  # as the relay does every other second
        assert_hit(client.get("/about"))
        for path in ("/", "/search?q=a", "/articles/nothing"):
            assert_unavailable(client.get(path))
        assert client.get("/api/posts").get_json()["status"] == 503
    assert back(client, "/").status_code == 200


def test_a_stale_page_stands_in_while_the_database_is_away(gated: Flask, tmp_path: Path) -> None:
    """Within what its policy says, and no longer."""
    client = gated.test_client()
    embedded = gated.extensions["edge"].embedded_gateway
    with away(tmp_path):
        for age, status in ((2, 200), (9, 503)):
            key = embedded.gateway.cache_key("/about")
            (stored,) = embedded.store.load(key)
            older = replace(stored, generated_at=time.time() - age * 86_400)
            embedded.store.freshen(key, older, token=embedded.store.purge_token())
            answer = client.get("/about")
            assert answer.status_code == status
            assert ("stale-if-error" in answer.headers["Cache-Status"]) is (status == 200)


def test_another_mistake_of_the_database_is_ours(make_app: Callable[..., Flask]) -> None:
    """To come back later would not help."""
    app = make_app(TESTING=False)
    app.add_url_rule("/wrong", "wrong", lambda: str(db.session.execute(sa.text("SELECT nonsense"))))
    answer = app.test_client().get("/wrong")
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers


@pytest.fixture
def event_names(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return the events in the log, without those of threads that earlier tests have left."""
    older_threads = {thread.ident for thread in threading.enumerate()}
    older_threads.discard(threading.get_ident())
    return lambda: [
        str(record.msg).partition(":")[0]
        for record in caplog.records
        if record.levelno >= logging.WARNING and record.thread not in older_threads
    ]


OUTAGE = ["edge.database_unavailable", "edge.database_available"]


def test_an_outage_is_two_lines_in_the_log(
    event_names: Callable[[], list[str]], gated: Flask, tmp_path: Path
) -> None:
    """Pages, the API, readiness probes, the relay and the lease all fail, and log nothing more."""
    client = gated.test_client()
    state = gated.extensions["edge"]
    stop = threading.Event()
    relay = threading.Thread(target=state.worker.run, args=(stop,))
    with away(tmp_path):
        relay.start()
        for _ in range(50):
            for path in ("/", "/search?q=a", "/articles/nothing", "/api/posts", "/readyz"):
                assert client.get(path).status_code == 503
        state.tracker.drift_monitor.check_now()
        state.worker.after_write()
    assert back(client, "/").status_code == 200
    stop.set()
    state.worker.relay.wake()
    relay.join()
    assert event_names() == OUTAGE


def test_a_start_without_the_database_is_two_lines_in_the_log(
    event_names: Callable[[], list[str]],
    gated: Flask,
    make_app: Callable[..., Flask],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The first line has the reason, and the last one how long it took."""
    with away(tmp_path):
        caplog.clear()
        client = make_app(EDGE_GATEWAY=True, TESTING=False).test_client()
        for _ in range(20):
            assert_unavailable(client.get("/about"))
            assert client.get("/readyz").status_code == 503
    back(client, "/about")
    assert event_names() == OUTAGE
    assert "fail: unable to open database file" in caplog.text


def test_another_problem_of_the_readiness_is_logged_once(
    event_names: Callable[[], list[str]], gated: Flask
) -> None:
    """A probe comes every few seconds; a problem that ended and came back is logged again."""
    client = gated.test_client()
    for _ in range(2):
        with db.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE alembic_version RENAME TO elsewhere"))
        for _ in range(3):
            assert client.get("/readyz").status_code == 503
        with db.engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO alembic_version"))
        assert client.get("/readyz").status_code == 200
    assert event_names() == ["health.not_ready"] * 2


@pytest.mark.live
def test_connections_that_are_cut_are_two_lines_in_the_log(
    event_names: Callable[[], list[str]], postgres_app: Flask
) -> None:
    """Each of many requests loses its connection and gets a new one: the log stays short."""

    @postgres_app.get("/cut")
    def cut_connection() -> str:
        db.session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "not reached"

    client = postgres_app.test_client()
    start = time.monotonic()
    for _ in range(20):
        assert client.get("/cut").status_code == 503
        db.session.remove()
    seconds = time.monotonic() - start
    assert event_names()[:2] == OUTAGE
    assert len(event_names()) <= 2 * (1 + seconds)


@pytest.mark.live
def test_a_connection_that_is_cut_is_an_absence(postgres_app: Flask) -> None:
    """The server was stopped in the midst of a request."""

    @postgres_app.get("/cut")
    def cut_connection() -> str:
        db.session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "not reached"

    assert_unavailable(postgres_app.test_client().get("/cut"))


def test_a_database_that_was_restored_meanwhile_purges_everything(
    gated: Flask, tmp_path: Path
) -> None:
    """The gateway's pages are of another history than the one that is there now."""
    client = gated.test_client()
    with closing(sqlite3.connect(tmp_path / FILES[0])) as source:
        backup = sqlite3.connect(tmp_path / "backup.db")
        source.backup(backup)
        backup.close()
    content.post("Imprint", kind=Kind.PAGE)
    db.session.remove()
    client.get("/about")
    assert_hit(client.get("/about"))
    with away(tmp_path) as file:
        for name in FILES[1:]:
            (file.parent / name).unlink(missing_ok=True)
        (tmp_path / "backup.db").replace(file)
    worker = gated.extensions["edge"].worker
    worker.relay.run_once(gated.extensions["edge"].clock())
    assert "; hit" not in client.get("/about").headers["Cache-Status"]
    assert_hit(client.get("/about"))
