"""Processes with other settings than the site's own write, purge and deliver; no page stays stale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.flask import edge_drivers, explain
from app.edge.flask.deploy import release
from app.edge.purge.tables import outbox, tier
from app.edge.testing import MemoryDriver
from app.extensions import db
from app.publishing.models import Topic
from app.publishing.transaction import transaction

SITE = "http://127.0.0.1:8010"
SHELLS: dict[str, dict[str, Any]] = {
    "the default port": {},
    "another port": {"PORT": 9000},
    "another site": {"SITE_URL": "https://example.org"},
    "another edge": {"SITE_URL": "https://example.org", "EDGE": "nginx"},
}


@pytest.fixture
def web(make_app: Callable[..., Flask], tmp_path: Path) -> Iterator[Flask]:
    """The site, released, with the list of topics in its gateway."""
    app = make_app(EDGE_GATEWAY=True, SITE_URL=SITE, EDGE_STORE=str(tmp_path / "store"))
    release(app)
    client = app.test_client()
    assert [state(client.get("/topics")) for _ in range(2)] == ["miss", "hit"]
    yield app
    app.extensions["edge"].embedded_gateway.store.close()


def state(response: Any) -> str:
    """Return the Cache-Status keyword of the gateway."""
    return "hit" if "hit" in response.headers["Cache-Status"] else "miss"


def write(slug: str) -> None:
    """Add a topic, in the app whose context is pushed."""
    with transaction() as session:
        session.add(Topic(slug=slug, name=slug))
    db.session.remove()


@pytest.mark.parametrize("settings", SHELLS.values(), ids=SHELLS)
def test_a_write_in_another_shell_purges_the_gateway(
    web: Flask, make_app: Callable[..., Flask], tmp_path: Path, settings: dict[str, Any]
) -> None:
    """The shell delivers the purge itself, for the URL that readers use."""
    shell = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"), **settings)
    with shell.app_context():
        write("a")
    assert state(web.test_client().get("/topics")) == "miss"


@pytest.mark.parametrize("settings", SHELLS.values(), ids=SHELLS)
def test_a_purge_by_hand_in_another_shell_reaches_the_page(
    web: Flask, make_app: Callable[..., Flask], tmp_path: Path, settings: dict[str, Any]
) -> None:
    """`flask edge purge --url /topics` purges the page under the site's URL."""
    shell = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"), **settings)
    with shell.app_context():
        explain.purge(shell, url="/topics")
    assert state(web.test_client().get("/topics")) == "miss"


def test_two_sites_over_one_store_are_both_purged(
    web: Flask, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Each stores the page under its own URL, and one write purges both."""
    other = make_app(
        EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"), SITE_URL="http://b.example"
    )
    other.extensions["edge"].tracker.parts.__dict__["build_id"] = web.extensions[
        "edge"
    ].tracker.parts.build_id
    assert [state(other.test_client().get("/topics")) for _ in range(2)] == ["miss", "hit"]
    with web.app_context():
        write("a")
    assert [state(app.test_client().get("/topics")) for app in (web, other)] == ["miss", "miss"]


def test_more_sites_than_can_be_listed_empty_the_store(
    web: Flask, make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """If the URL of a stored page is unknown, everything is purged."""
    sites = web.extensions["edge"].embedded_gateway.sites
    for number in range(400):
        assert sites.add(f"https://{number}.example")
    assert sites.list_sites() is None
    shell = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"))
    with shell.app_context():
        write("a")
    assert state(web.test_client().get("/topics")) == "miss"


def test_what_is_delivered_elsewhere_has_the_site_of_the_page(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay without SITE_URL purges an edge by the URL that readers use."""
    cdn = MemoryDriver()
    monkeypatch.setattr(
        edge_drivers, "build_driver", lambda name, _config, site: cdn if site else name
    )
    web = make_app(SITE_URL=SITE, EDGE="cloudflare")
    release(web)
    web.test_client().get("/topics")
    web.extensions["edge"].worker.relay.run_once(datetime.now(UTC))
    relay = make_app(EDGE="cloudflare")
    with relay.app_context():
        write("a")
    relay.extensions["edge"].worker.relay.run_once(datetime.now(UTC))
    targets = {(target.site, target.url) for call in cdn.calls for target in call.targets}
    assert (SITE, "/topics") in targets
    assert {site for site, _ in targets} == {SITE}


def test_a_process_that_knows_fewer_edges_delays_the_second_purge_as_long(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fill time of an edge is set by the processes that serve pages to it."""
    monkeypatch.setattr(
        edge_drivers, "build_driver", lambda _name, _config, site: MemoryDriver() if site else None
    )
    web = make_app(SITE_URL=SITE, EDGE="cloudflare,varnish,fastly")
    release(web)
    web.test_client().get("/topics")
    relay = make_app(SITE_URL=SITE, EDGE="cloudflare")
    with relay.app_context():
        write("a")
    now = datetime.now(UTC) + timedelta(seconds=1)
    for one in (web, relay):
        one.extensions["edge"].worker.relay.run_once(now)
    with relay.app_context():
        tier_row = db.session.execute(
            sa.select(tier.c.depth, tier.c.flight).where(tier.c.name == "cloudflare")
        ).one()
        depths = set(
            db.session.scalars(sa.select(outbox.c.depth).where(outbox.c.tier == "cloudflare"))
        )
    assert tier_row.depth == 3
    assert depths == {3}
