"""An app behind Varnish: headers, purges, and the cap while purges fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.edge.flask.explain import purge
from app.edge.policy.policy import PolicyError
from app.edge.purge import open_breakers
from app.extensions import db, edge
from app.publishing.models import Topic
from app.publishing.transaction import transaction
from tests.edge.cdn.fakes.server import FakeRequest, FakeResponse, FakeServer

SECRET = "s3cret-of-the-edge"
LONG = "max-age=86400, stale-while-revalidate=60, stale-if-error=604800"
SHORT = "max-age=60"


class Node(FakeServer):
    """A node that accepts what Varnish accepts."""

    def answer(self, call: FakeRequest) -> FakeResponse:
        """Purge."""
        right = call.headers["Authorization"] == f"Bearer {SECRET}"
        return FakeResponse(status=200 if call.method == "PURGE" and right else 403)

    def purged(self) -> list[str]:
        """Return the keys of the purges since the last call."""
        lines = [
            f"{name}: {line}"
            for call in self.requests
            for name, line in call.headers.items()
            if name.startswith("xkey")
        ]
        self.requests.clear()
        return lines


@pytest.fixture
def node() -> Iterator[Node]:
    """A node of Varnish."""
    with Node() as server:
        yield server


Make = Callable[..., Flask]


@pytest.fixture
def make(make_app: Make, node: Node) -> Make:
    """Make an app with the node in front."""
    front = {
        "EDGE": "varnish",
        "EDGE_VARNISH_NODES": node.url,
        "EDGE_VARNISH_SECRET": SECRET,
        "EDGE_GATEWAY": True,
    }
    return lambda **settings: make_app(**{**front, **settings})


def get(app: Flask, path: str = "/topics", **headers: str) -> TestResponse:
    """Ask for a page."""
    return app.test_client().get(path, headers=headers)


def write(slug: str) -> None:
    """Add a topic, in the app whose context is pushed."""
    with transaction() as session:
        session.add(Topic(slug=slug, name=slug))
    db.session.remove()


def step(app: Flask, after: timedelta = timedelta()) -> None:
    """Run the relay once."""
    app.extensions["edge"].worker.relay.run_once(datetime.now(UTC) + after)


def doubt(app: Flask, reason: str) -> None:
    """Record a failed purge of Varnish, as a relay does, and refresh the app's counter."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE edge_tier SET breaker = '{reason}' WHERE depth = 1")
    app.extensions["edge"].purgeable_counter.refresh()


def test_a_page_carries_its_tag_and_a_long_life(make: Make) -> None:
    """On a miss, a hit, a 304 and a HEAD; the gateway's own fields are removed."""
    app = make()
    first, hit = get(app), get(app)
    confirmed = get(app, **{"If-None-Match": first.headers["ETag"]})
    head = app.test_client().head("/topics")
    assert (confirmed.status_code, "hit" in hit.headers["Cache-Status"]) == (304, True)
    tag = app.extensions["edge"].tracker.tag("/topics")
    for response in (first, hit, confirmed, head):
        assert response.headers["xkey"] == f"{tag} all"
        assert response.headers["Surrogate-Control"] == LONG
        assert not [name for name, _ in response.headers if name.startswith("Broadsheet")]


def test_what_is_not_stored_carries_no_tags(make: Make) -> None:
    """There is nothing to purge."""
    for response in (get(make(), "/edge/no-store"), get(make(), "/healthz")):
        assert {"xkey", "Surrogate-Control"}.isdisjoint(response.headers.keys())


def test_without_its_settings_an_edge_is_capped_and_gets_no_tags(make: Make) -> None:
    """An edge without a driver needs no tags."""
    response = get(make(EDGE_VARNISH_NODES="", EDGE_VARNISH_SECRET=""))
    assert response.headers["Surrogate-Control"] == SHORT
    assert "xkey" not in response.headers


def test_all_machines_give_a_page_the_same_tag(make: Make) -> None:
    """Even with different secret keys, and after a restart."""
    tags = {get(make(SECRET_KEY=key)).headers["xkey"] for key in ("one", "two")}
    assert len(tags) == 1


def test_a_write_purges_the_gateway_at_once_and_varnish_twice(make: Make, node: Node) -> None:
    """The editor waits only for the gateway; the second purge follows after the fill time."""
    app = make()
    tag = get(app).headers["xkey"].split()[0]
    step(app)
    node.purged()
    write("a")
    assert node.purged() == []
    assert "hit" not in get(app).headers["Cache-Status"]
    step(app)
    assert any(tag in line for line in node.purged())
    step(app, timedelta(seconds=30))
    assert node.purged() == []
    step(app, timedelta(seconds=70))
    assert any(tag in line for line in node.purged())


def test_a_person_purges_a_page_or_everything(make: Make, node: Node) -> None:
    """`flask edge purge` reaches every tier."""
    app = make()
    tag = get(app).headers["xkey"].split()[0]
    step(app)
    node.purged()
    purge(app, url="/topics")
    step(app)
    (line,) = node.purged()
    assert tag in line
    purge(app)
    step(app, timedelta(seconds=1))
    assert node.purged() == ["xkey-purge: all"]


def test_whoever_writes_owes_the_edges_that_the_web_processes_named(make: Make, node: Node) -> None:
    """A command with other settings reads them from the database."""
    web = make()
    get(web)
    step(web)
    node.purged()
    shell = make(EDGE="", EDGE_VARNISH_NODES="", EDGE_VARNISH_SECRET="", EDGE_GATEWAY=False)
    with shell.app_context():
        write("a")
    assert node.purged() == []
    step(web)
    assert node.purged()


def test_while_an_edge_can_not_be_purged_its_pages_are_brief(make: Make) -> None:
    """Also pages that the gateway stored before; Cache-Status shows it."""
    app = make()
    get(app)
    assert get(app).headers["Surrogate-Control"] == LONG
    doubt(app, "it refuses us")
    hit, miss = get(app), get(app, "/authors")
    assert hit.headers["Surrogate-Control"] == miss.headers["Surrogate-Control"] == SHORT
    assert hit.headers["xkey"].endswith(" all")
    assert "hit" in hit.headers["Cache-Status"]
    for response in (hit, miss):
        assert "detail=capped" in response.headers["Cache-Status"]
    doubt(app, "")
    second = get(app, "/authors")
    assert second.headers["Surrogate-Control"] == LONG
    assert "capped" not in second.headers["Cache-Status"]


def test_without_a_gateway_the_app_caps_by_itself(make: Make) -> None:
    """Each page is rendered with the headers for the current state."""
    app = make(EDGE_GATEWAY=False)
    assert get(app).headers["Surrogate-Control"] == LONG
    doubt(app, "it refuses us")
    assert get(app).headers["Surrogate-Control"] == SHORT
    assert "Broadsheet-In-Doubt" not in get(app).headers


def test_a_node_that_refuses_us_caps_its_pages(make: Make, node: Node) -> None:
    """From the first rejection of the secret until it is accepted."""
    app = make(EDGE_VARNISH_SECRET="another")
    get(app)
    step(app)
    with db.engine.connect() as connection:
        assert "varnish" in open_breakers(connection, datetime.now(UTC))["varnish"]
    app.extensions["edge"].purgeable_counter.refresh()
    assert get(app).headers["Surrogate-Control"] == SHORT
    assert SECRET not in str(node.requests)


def test_what_was_stored_under_other_settings_is_forgotten(make: Make) -> None:
    """Its headers would give a lifetime that no purge ends."""
    assert get(make()).headers["Surrogate-Control"] == LONG
    other = make(EDGE_VARNISH_NODES="", EDGE_VARNISH_SECRET="")
    assert get(other).headers["Surrogate-Control"] == SHORT


def test_a_release_forgets_edges_that_are_named_no_more(make: Make) -> None:
    """No purge is queued for them any longer, and no write waits for them."""
    get(make())
    other = make(EDGE="", EDGE_VARNISH_NODES="", EDGE_VARNISH_SECRET="")
    output = other.test_cli_runner().invoke(args=["edge", "release"]).output
    assert "varnish" in output
    with db.engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM edge_tier WHERE depth > 0").all()
    assert names == []


@pytest.mark.parametrize("gateway", [True, False], ids=["gateway", "none"])
def test_an_edge_that_is_purged_by_url_keeps_other_spellings_briefly(
    make: Make, node: Node, gateway: bool
) -> None:
    """A tracking parameter makes another cache object there."""
    app = make(EDGE="generic", EDGE_PURGE_URL=node.url, EDGE_GATEWAY=gateway)
    for _ in range(2):
        assert get(app).headers["CDN-Cache-Control"] == LONG
        assert get(app, "/topics?utm_source=mail").headers["CDN-Cache-Control"] == SHORT


def test_status_says_by_what_each_edge_is_purged(make: Make) -> None:
    """The driver with its limits, backlog and breaker, and why another edge is never purged."""
    app = make(EDGE="nginx,varnish")
    get(app)
    step(app)
    doubt(app, "it refuses us")
    output = app.test_cli_runner().invoke(args=["edge", "status"]).output
    assert "varnish can't be purged: it refuses us." in output
    assert "VarnishDriver: up to 250 pages a call, unlimited calls" in output
    assert "nginx: the open-source build can't be purged" in output


def test_python_purges_every_tier_as_the_command_does(make: Make, node: Node) -> None:
    """A page, and everything."""
    app = make()
    tag = get(app).headers["xkey"].split()[0]
    step(app)
    node.purged()
    assert edge.purge(app, "/topics") == 1
    assert "hit" not in get(app).headers["Cache-Status"]
    step(app)
    assert any(tag in line for line in node.purged())
    assert edge.purge_all(app) >= 1
    step(app)
    assert "xkey-purge: all" in node.purged()
    with pytest.raises(PolicyError, match="not a page of"):
        edge.purge(app, "https://elsewhere.example/")


@pytest.mark.parametrize("arguments", [[], ["varnish"]], ids=["everywhere", "one tier"])
def test_a_mended_secret_is_used_at_once(make: Make, node: Node, arguments: list[str]) -> None:
    """`edge purge --retry` ends the back-off of a tier that rejected the credentials."""
    app = make(EDGE_VARNISH_SECRET="wrong-s3cret-of-the-edge")
    step(app)
    purge(app, url="/topics")
    step(app, timedelta(seconds=30))
    mended = make()
    node.purged()
    step(mended, timedelta(minutes=5))
    assert node.purged() == []
    result = mended.test_cli_runner().invoke(args=["edge", "purge", "--retry", *arguments])
    assert result.exit_code == 0, result.output
    assert "varnish: back-off ended" in result.output
    step(mended)
    assert node.purged()


def test_a_tier_that_there_is_not_is_refused(make: Make) -> None:
    """The message lists the tiers."""
    app = make()
    result = app.test_cli_runner().invoke(args=["edge", "purge", "--retry", "fastly"])
    assert result.exit_code == 1
    assert "'fastly' is not a tier that is purged. Known tiers: " in result.output
    assert "varnish" in result.output
    both = app.test_cli_runner().invoke(args=["edge", "purge", "--all", "--retry"])
    assert both.exit_code == 2
