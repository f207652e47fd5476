"""A public edge that lies: it says that it has purged, and goes on showing what it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event

import pytest
from flask import Flask

from app.edge.flask.sampling import Sampler, Verdict, sampling
from app.edge.purge import samples
from app.edge.testing import Ending
from app.extensions import db
from app.publishing.models import Site
from app.publishing.transaction import transaction
from tests.edge.drivers.fakes.server import Asked, Reply, Server

Make = Callable[..., Flask]


class Lying(Server):
    """A cache in front of an app, over sockets; while it `lies`, a purge changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.lies = False
        self.app: Flask | None = None
        self.kept: dict[str, Reply] = {}
        self.began = datetime.now(UTC)

    def after(self, minutes: float) -> datetime:
        """So long after the app's page came to us."""
        return self.began + timedelta(minutes=minutes)

    def answer(self, asked: Asked) -> Reply:
        """Answer from what is kept, or keep what the app answers."""
        if asked.method == "PURGE":
            if not self.lies:
                self.kept.clear()
            return Reply()
        if asked.target not in self.kept:
            assert self.app is not None
            made = self.app.test_client().get(asked.target)
            self.kept[asked.target] = Reply(status=made.status_code, body=made.data)
        return self.kept[asked.target]

    def reads(self, path: str) -> None:
        """Some reader asks for a page."""
        self.reply(Asked(method="GET", target=path, headers={}, body=b""))  # type: ignore[arg-type] # none are read

    def purges(self) -> int:
        """How often it was told to purge since the last time."""
        count = sum(asked.method == "PURGE" for asked in self.asked)
        self.asked.clear()
        return count


@pytest.fixture
def edge() -> Iterator[Lying]:
    """The public edge."""
    with Lying() as server:
        yield server


@pytest.fixture
def app(make_app: Make, edge: Lying) -> Flask:
    """An app behind it, which has a page out there."""
    edge.app = make_app(
        SITE_URL=edge.url,
        EDGE="varnish",
        EDGE_VARNISH_NODES=edge.url,
        EDGE_VARNISH_SECRET="s3cret-of-the-edge",
        EDGE_GATEWAY=True,
        EDGE_SAMPLE_EVERY=0,
    )
    edge.app.test_client().get("/edge/no-store")
    edge.began = datetime.now(UTC)
    settle(edge.app, edge.after(0))
    edge.reads("/topics")
    edge.asked.clear()
    return edge.app


SOON = 2
LATER = 5
"""Minutes after which what a test writes is purged, and nothing old can be on its way."""


def settle(app: Flask, now: datetime) -> None:
    """Let the relay purge, and purge again when the flights are over."""
    for after in (0, 70):
        app.extensions["edge"].upkeep.relay.step(now + timedelta(seconds=after))


def sampler(app: Flask) -> Sampler:
    """A sampler that looks when it is told."""
    tracker = app.extensions["edge"].tracker
    return Sampler(app, tracker, every=timedelta(minutes=1), random=Random(7))


def write(name: str) -> None:
    """Give the site a name, which stands on every page."""
    with transaction() as session:
        session.merge(Site(id=1, title=name))
    db.session.remove()


def ready(app: Flask) -> str:
    """What /readyz says."""
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    return str(answer.json["status"])


def test_what_is_stale_is_purged_again_and_told_until_it_is_fresh(app: Flask, edge: Lying) -> None:
    """With the page's name, and for how long it was so."""
    look = sampler(app)
    assert look.sample(edge.after(LATER)) == {"/topics": Verdict.FRESH}
    edge.lies = True
    write("a")
    settle(app, edge.after(SOON))
    assert edge.purges() >= 2
    assert look.sample(edge.after(LATER)) == {"/topics": Verdict.STALE}
    assert ready(app) == "degraded"
    runner = app.test_cli_runner()
    told = runner.invoke(args=["edge", "status"]).output
    assert "/topics is stale at the public edge, for 0 s; purged again once" in told
    edge.lies = False
    app.extensions["edge"].upkeep.relay.step(edge.after(LATER))
    assert edge.purges() == 1
    assert look.sample(edge.after(LATER + 1.5)) == {"/topics": Verdict.FRESH}
    assert ready(app) == "ok"
    told = runner.invoke(args=["edge", "status"]).output
    assert "/topics was stale at the public edge for 90 s" in told


def test_a_purge_that_is_under_way_is_no_lie(app: Flask, edge: Lying) -> None:
    """What is owed, or was purged a moment ago, may be old yet."""
    edge.lies = True
    write("a")
    look = sampler(app)
    assert look.sample(edge.after(LATER)) == {"/topics": Verdict.UNKNOWN}
    settle(app, edge.after(SOON))
    assert look.sample(edge.after(SOON + 1.7)) == {"/topics": Verdict.UNKNOWN}
    assert "a purge is under way" in app.test_cli_runner().invoke(args=["edge", "status"]).output
    assert ready(app) == "ok"


NO_ANSWER = {
    "it fails": (Ending(status=503), "answers 503"),
    "it wants to see a person": (Ending(status=403, body=b"robot?"), "answers 403"),
    "it leads elsewhere": (Ending(status=301, headers={"Location": "https://e.test"}), "redirects"),
    "it cuts us off": (Ending(how="reset"), "public edge"),
}


@pytest.mark.parametrize(("ending", "why"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_what_is_no_answer_is_no_lie(app: Flask, edge: Lying, ending: Ending, why: str) -> None:
    """Nothing is purged for it, nobody else is asked, and it is told."""
    edge.ends(ending)
    assert sampler(app).sample(edge.after(LATER)) == {"/topics": Verdict.UNKNOWN}
    app.extensions["edge"].upkeep.relay.step(edge.after(LATER))
    assert edge.purges() == 0
    assert why in app.test_cli_runner().invoke(args=["edge", "status"]).output


def test_a_page_that_appeared_behind_a_kept_404_is_stale(app: Flask, edge: Lying) -> None:
    """Another status is another page."""
    edge.kept["/topics"] = Reply(status=404, body=b"Nothing here.")
    assert sampler(app).look("/topics", edge.after(LATER)) is Verdict.STALE


def test_a_page_that_shows_the_time_is_not_compared(app: Flask, edge: Lying) -> None:
    """No purge would make it right."""
    edge.reads("/edge/two-minutes")
    assert sampler(app).look("/edge/two-minutes", edge.after(LATER)) is Verdict.UNKNOWN


def test_a_sampler_asks_for_itself_and_says_who_it_is(app: Flask, edge: Lying) -> None:
    """So that it can be told from readers in a log."""
    sampler(app).sample(edge.after(LATER))
    (asked,) = edge.asked
    assert asked.headers["User-Agent"].startswith("Broadsheet-Sampler")


def test_the_relay_looks_now_and_then(app: Flask, edge: Lying) -> None:
    """Not at once, then each minute, and in a thread of its own."""
    look = sampler(app)
    assert look(edge.after(5)) == edge.after(6)
    assert look(edge.after(5.9)) == edge.after(6)
    assert edge.asked == []
    assert look(edge.after(6)) == edge.after(7)

    def sampled() -> bool:
        with app.extensions["edge"].tracker.reading() as connection:
            return bool(samples.last_word(connection))

    assert any(sampled() for _ in range(500) if not Event().wait(0.01))


def test_only_an_edge_that_is_purged_is_sampled(make_app: Make, app: Flask) -> None:
    """Elsewhere the cap bounds what is old, and nothing could be done."""
    for every, edges, expected in ((60, "varnish", 1), (0, "varnish", 0), (60, "nginx", 0)):
        keys = ("EDGE_VARNISH_NODES", "EDGE_VARNISH_SECRET")
        said = {key: app.config[key] for key in keys}
        other = make_app(EDGE=edges, EDGE_SAMPLE_EVERY=every, **said)
        assert len(sampling(other, other.extensions["edge"].tracker)) == expected
