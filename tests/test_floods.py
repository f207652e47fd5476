"""Floods: a client that asks for ever new addresses costs little log, few purges, and no room."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.config.parsers import database_url
from app.edge.pages import group_commit
from app.edge.pages.tables import page, short_page
from app.edge.pages.wal import empty_large_log, log_size
from app.edge.purge.tables import outbox
from app.extensions import db
from app.publishing.models import Post
from tests.conftest import open_app
from tests.depth import share
from tests.site import content

MOST = 16 * 1024
COUNT = share(60)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make an app behind its gateway, over each of the two databases in turn."""
    settings: dict[str, Any] = {"EDGE_GATEWAY": True}
    if request.param == "postgresql":
        settings["DATABASE_URL"] = database_url(request.getfixturevalue("postgres_url"))
    else:
        content_of = request.getfixturevalue("migrated")
        (tmp_path / "broadsheet.db").write_bytes(Path(content_of).read_bytes())
    apps: list[Iterator[Flask]] = []

    def make_app(**more: Any) -> Flask:
        apps.append(open_app(tmp_path, **(settings | more)))
        app = next(apps[-1])
        for number in range(8):
            content.post(f"Story {number}", at=content.day(number), topics=["T"], authors=["A"])
        db.session.remove()
        return app

    yield make_app
    for app in apps:
        next(app, None)


def ask(app: Flask, path: str) -> str:
    """Ask for an address; return what the gateway says of its cache."""
    return app.test_client().get(path).headers["Cache-Status"]


def written_bytes(app: Flask, paths: list[str]) -> float:
    """Bytes of write-ahead log for each of these requests."""
    empty_large_log(db.engine, 0)
    with db.engine.connect() as reader:  # on SQLite, the log does not start again meanwhile
        if db.engine.dialect.name == "sqlite":
            reader.execute(sa.select(sa.func.count()).select_from(Post))
            size = partial(log_size, db.engine)
        else:
            position = sa.text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
            size = partial(lambda: int(reader.scalar(position) or 0))
        before = size()
        for path in paths:
            ask(app, path)
        return (size() - before) / len(paths)


@pytest.mark.parametrize(
    "address",
    ["/nothing/{}", "/articles/nothing-{}", "/search?q=nothing{}", "/search?q=story+{}"],
)
def test_a_distinct_address_writes_little_log(make: Callable[..., Flask], address: str) -> None:
    """At most 16 KB each, whether it is an error or a search, and whether that finds anything."""
    app = make()
    ask(app, address.format("first"))
    assert "stored" in ask(app, address.format("second"))
    assert written_bytes(app, [address.format(number) for number in range(COUNT)]) < MOST


def test_an_edit_queues_few_purges_and_no_page_stays_old(make: Callable[..., Flask]) -> None:
    """However many errors and searches are stored; each of them is rendered again afterwards."""
    app = make()
    paths = [*(f"/nothing/{n}" for n in range(COUNT)), *(f"/search?q=x{n}" for n in range(COUNT))]
    for path in paths:
        ask(app, path)
    assert all("; hit" in ask(app, path) for path in paths)
    before = db.session.scalar(sa.select(sa.func.count()).select_from(outbox)) or 0
    newest = db.session.scalars(sa.select(Post).order_by(Post.published_at.desc())).first()
    assert newest is not None
    newest.title = "Another title"
    db.session.commit()
    after = db.session.scalar(sa.select(sa.func.count()).select_from(outbox)) or 0
    db.session.remove()
    assert 0 < after - before <= 10
    assert not any("; hit" in ask(app, path) for path in paths)
    assert "Another title" in app.test_client().get(paths[0]).text


def test_a_page_that_was_missing_appears_at_once(make: Callable[..., Flask]) -> None:
    """The stored 404 of its address is purged, among all others."""
    app = make()
    for number in range(COUNT):
        ask(app, f"/articles/new-{number}")
    content.post("New 7", at=content.day(30))
    db.session.remove()
    assert app.test_client().get("/articles/new-7").status_code == 200


def test_a_flood_of_errors_leaves_room_for_redirects_and_searches(
    make: Callable[..., Flask],
) -> None:
    """The errors themselves are no longer stored; pages are."""
    app = make(EDGE_INDEX_PAGES=50)
    flood = [ask(app, f"/nothing/{number}") for number in range(20)]
    assert sum("stored" in status for status in flood) == 5
    assert "index-full" in flood[-1]
    for path in ("/ARCHIVE/", "/search?q=story", "/archive", "/articles/story-1"):
        assert "stored" in ask(app, path), path
    assert (db.session.scalar(sa.select(sa.func.count()).select_from(page)) or 0) <= 50
    assert (db.session.scalar(sa.select(sa.func.count()).select_from(short_page)) or 0) <= 15


def test_clients_at_the_same_time_lose_no_page(make: Callable[..., Flask]) -> None:
    """Pages that are rendered at the same time are all kept."""
    app = make()
    paths = [f"/{kind}/{n}" for n in range(COUNT) for kind in ("nothing", "articles")]
    # Each client needs two connections at a time, and a PostgreSQL server gives us few.
    with ThreadPoolExecutor(16 if db.engine.dialect.name == "sqlite" else 6) as pool:
        statuses = list(pool.map(partial(ask, app), paths))
    assert [status for status in statuses if "stored" not in status] == []


def test_the_log_stays_small_under_steady_misses(
    make: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's log is emptied although some client reads at every moment."""
    app, most = make(), 256 * 1024
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL recycles its log by itself")
    monkeypatch.setattr(group_commit, "empty_large_log", partial(empty_large_log, most=most))
    empty_large_log(db.engine, 0)
    sizes, lock = [0], threading.Lock()
    engine = db.engine

    def client(number: int) -> None:
        ask(app, f"/nothing/{number}")
        with lock:
            sizes.append(log_size(engine))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client, range(4 * COUNT)))
    assert max(sizes) < 4 * most
    assert sizes != sorted(sizes)  # it was emptied at least once
