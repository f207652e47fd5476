"""A public edge that confirms purges but still serves the old pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event

import pytest
from flask import Flask

from app.edge.flask.sampling import Sampler, SampleResult, sampling_hooks
from app.edge.purge import samples
from app.edge.testing import Ending
from app.extensions import db
from app.publishing.models import Site
from app.publishing.transaction import transaction
from tests.edge.cdn.fakes.server import FakeRequest, FakeResponse, FakeServer

Make = Callable[..., Flask]


class Lying(FakeServer):
    """A cache in front of an app, over sockets; while `lies` is set, it ignores purges."""

    def __init__(self) -> None:
        super().__init__()
        self.lies = False
        self.app: Flask | None = None
        self.cached_replies: dict[str, FakeResponse] = {}
        self.began = datetime.now(UTC)

    def after(self, minutes: float) -> datetime:
        """Return the time when the page was fetched, plus this duration."""
        return self.began + timedelta(minutes=minutes)

    def answer(self, call: FakeRequest) -> FakeResponse:
        """Answer from the cache, or store the app's response."""
        if call.method == "PURGE":
            if not self.lies:
                self.cached_replies.clear()
            return FakeResponse()
        if call.target not in self.cached_replies:
            assert self.app is not None
            response = self.app.test_client().get(call.target)
            self.cached_replies[call.target] = FakeResponse(
                status=response.status_code, body=response.data
            )
        return self.cached_replies[call.target]

    def reads(self, path: str) -> None:
        """Request a page as a reader."""
        self.reply(FakeRequest(method="GET", target=path, headers={}, body=b""))  # type: ignore[arg-type] # none are read

    def purges(self) -> int:
        """Return the number of purges since the last call."""
        count = sum(call.method == "PURGE" for call in self.requests)
        self.requests.clear()
        return count


@pytest.fixture
def edge() -> Iterator[Lying]:
    """The public edge."""
    with Lying() as server:
        yield server


@pytest.fixture
def app(make_app: Make, edge: Lying) -> Flask:
    """An app behind it, with a page stored there."""
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
    edge.requests.clear()
    return edge.app


SOON = 2
LATER = 5
"""Minutes after which what a test writes is purged, and nothing old can be on its way."""


def settle(app: Flask, now: datetime) -> None:
    """Run the relay for the purge and the second purge."""
    for after in (0, 70):
        app.extensions["edge"].worker.relay.run_once(now + timedelta(seconds=after))


def sampler(app: Flask) -> Sampler:
    """A sampler that is called explicitly."""
    tracker = app.extensions["edge"].tracker
    return Sampler(app, tracker, every=timedelta(minutes=1), random=Random(7))


def write(name: str) -> None:
    """Change the site's name, which every page shows."""
    with transaction() as session:
        session.merge(Site(id=1, title=name))
    db.session.remove()


def ready(app: Flask) -> str:
    """Return the text of /readyz."""
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    return str(answer.get_json()["status"])


def test_what_is_stale_is_purged_again_and_told_until_it_is_fresh(app: Flask, edge: Lying) -> None:
    """The status names the page and how long it was stale."""
    look = sampler(app)
    assert look.sample(edge.after(LATER)) == {"/topics": SampleResult.FRESH}
    edge.lies = True
    write("a")
    settle(app, edge.after(SOON))
    assert edge.purges() >= 2
    assert look.sample(edge.after(LATER)) == {"/topics": SampleResult.STALE}
    assert ready(app) == "degraded"
    runner = app.test_cli_runner()
    output = runner.invoke(args=["edge", "status"]).output
    assert "/topics is stale at the public edge, for 0 s; purged again once" in output
    edge.lies = False
    app.extensions["edge"].worker.relay.run_once(edge.after(LATER))
    assert edge.purges() == 1
    assert look.sample(edge.after(LATER + 1.5)) == {"/topics": SampleResult.FRESH}
    assert ready(app) == "ok"
    output = runner.invoke(args=["edge", "status"]).output
    assert "/topics was stale at the public edge for 90 s" in output


def test_a_purge_that_is_under_way_is_no_lie(app: Flask, edge: Lying) -> None:
    """A page with a pending or very recent purge may still be stale."""
    edge.lies = True
    write("a")
    look = sampler(app)
    assert look.sample(edge.after(LATER)) == {"/topics": SampleResult.UNKNOWN}
    settle(app, edge.after(SOON))
    assert look.sample(edge.after(SOON + 1.7)) == {"/topics": SampleResult.UNKNOWN}
    assert "a purge is in progress" in app.test_cli_runner().invoke(args=["edge", "status"]).output
    assert ready(app) == "ok"


NO_ANSWER = {
    "it fails": (Ending(status=503), "answers with status 503"),
    "it wants to see a person": (Ending(status=403, body=b"robot?"), "answers with status 403"),
    "it leads elsewhere": (Ending(status=301, headers={"Location": "https://e.test"}), "redirects"),
    "it cuts us off": (Ending(how="reset"), "public edge"),
}


@pytest.mark.parametrize(("ending", "why"), NO_ANSWER.values(), ids=NO_ANSWER)
def test_what_is_no_answer_is_no_lie(app: Flask, edge: Lying, ending: Ending, why: str) -> None:
    """Nothing is purged, no other host gets a request, and the status shows it."""
    edge.ends(ending)
    assert sampler(app).sample(edge.after(LATER)) == {"/topics": SampleResult.UNKNOWN}
    app.extensions["edge"].worker.relay.run_once(edge.after(LATER))
    assert edge.purges() == 0
    assert why in app.test_cli_runner().invoke(args=["edge", "status"]).output


def test_a_page_that_appeared_behind_a_kept_404_is_stale(app: Flask, edge: Lying) -> None:
    """A different status means a stale page."""
    edge.cached_replies["/topics"] = FakeResponse(status=404, body=b"Nothing here.")
    assert sampler(app).sample_page("/topics", edge.after(LATER)) is SampleResult.STALE


def test_a_page_that_shows_the_time_is_not_compared(app: Flask, edge: Lying) -> None:
    """No purge would make the copies equal."""
    edge.reads("/edge/two-minutes")
    assert sampler(app).sample_page("/edge/two-minutes", edge.after(LATER)) is SampleResult.UNKNOWN


def test_a_sampler_asks_for_itself_and_says_who_it_is(app: Flask, edge: Lying) -> None:
    """The log then shows that it is not a reader."""
    sampler(app).sample(edge.after(LATER))
    (call,) = edge.requests
    assert call.headers["User-Agent"].startswith("Broadsheet-Sampler")


def test_the_relay_looks_now_and_then(app: Flask, edge: Lying) -> None:
    """Not at the start, then each minute, in its own thread."""
    look = sampler(app)
    assert look(edge.after(5)) == edge.after(6)
    assert look(edge.after(5.9)) == edge.after(6)
    assert edge.requests == []
    assert look(edge.after(6)) == edge.after(7)

    def sampled() -> bool:
        with app.extensions["edge"].tracker.read_transaction() as connection:
            return bool(samples.get_last_result(connection))

    assert any(sampled() for _ in range(500) if not Event().wait(0.01))


def test_only_an_edge_that_is_purged_is_sampled(make_app: Make, app: Flask) -> None:
    """Otherwise the cap limits staleness, and no purge is possible."""
    for every, edges, expected in ((60, "varnish", 1), (0, "varnish", 0), (60, "nginx", 0)):
        keys = ("EDGE_VARNISH_NODES", "EDGE_VARNISH_SECRET")
        settings = {key: app.config[key] for key in keys}
        other = make_app(EDGE=edges, EDGE_SAMPLE_EVERY=every, **settings)
        assert len(sampling_hooks(other, other.extensions["edge"].tracker)) == expected


class Rewriting(Lying):
    """A cache that changes the pages it stores, and may also serve stale ones."""

    def __init__(self) -> None:
        super().__init__()
        self.script = b"<script src=/beacon.js data-id=7></script>"
        self.headers: dict[str, str] = {}
        self.prepends = False
        self.keys_query = True

    def answer(self, call: FakeRequest) -> FakeResponse:
        """Answer like the cache, with the added text."""
        if not self.keys_query:
            call = replace(call, target=call.target.partition("?")[0])
        reply = super().answer(call)
        if call.method == "PURGE" or reply.status != 200:
            return reply
        body = self.script + reply.body if self.prepends else self.rewrite(reply.body)
        return replace(reply, body=body, headers={**reply.headers, **self.headers})

    def rewrite(self, body: bytes) -> bytes:
        """Insert text before the end of the page."""
        return body.replace(b"</body>", self.script + b"</body>")


@pytest.fixture
def rewriting(make_app: Make) -> Iterator[Rewriting]:
    """A public edge that rewrites pages, in front of an app with two pages stored there."""
    with Rewriting() as edge:
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
        for path in ("/topics", "/archive", "/robots.txt"):
            edge.reads(path)
        edge.requests.clear()
        yield edge


def look_again_and_again(edge: Rewriting, urls: Sequence[str], minutes: int) -> list[SampleResult]:
    """Sample each page in turn, and run the relay, as it does each minute."""
    assert edge.app is not None
    look, verdicts = sampler(edge.app), []
    for minute in range(minutes):
        now = edge.after(LATER + minute * 3)
        verdicts.append(look.sample_page(urls[minute % len(urls)], now))
        settle(edge.app, now)
    return verdicts


@pytest.mark.parametrize("keys_query", [True, False])
@pytest.mark.parametrize("prepends", [True, False])
def test_an_edge_that_rewrites_is_said_once_and_not_purged(
    rewriting: Rewriting,
    caplog: pytest.LogCaptureFixture,
    *,
    prepends: bool,
    keys_query: bool,
) -> None:
    """One purge shows that it does not help; pages with the same addition need none."""
    rewriting.prepends, rewriting.keys_query = prepends, keys_query
    verdicts = look_again_and_again(rewriting, ["/topics", "/topics", "/archive"], 6)
    assert verdicts == [SampleResult.STALE, *[SampleResult.REWRITTEN] * 5]
    assert [r for r in caplog.records if getattr(r, "finding", "") == "rewritten"][1:] == []
    assert sum(r.getMessage().partition(":")[0] == "edge.stale" for r in caplog.records) == 1
    assert rewriting.purges() == 2  # the one purge, and its second
    assert rewriting.app is not None
    assert ready(rewriting.app) == "ok"
    output = rewriting.app.test_cli_runner().invoke(args=["edge", "status"]).output
    assert "rewritten: the public edge modifies pages (/topics and 1 more)" in output
    assert "was stale" not in output


def test_an_edge_that_passes_our_etag_on_needs_no_purge(rewriting: Rewriting) -> None:
    """A weak ETag also shows that the page is the current one."""
    assert rewriting.app is not None
    etag = rewriting.app.test_client().get("/topics").headers["ETag"]
    rewriting.headers = {"ETag": f"W/{etag}"}
    assert look_again_and_again(rewriting, ["/topics"], 3) == [SampleResult.REWRITTEN] * 3
    assert rewriting.purges() == 0


def test_an_edge_that_rewrites_and_is_stale_is_caught(rewriting: Rewriting) -> None:
    """Also after its rewriting is known, and after each change."""
    assert rewriting.app is not None
    look_again_and_again(rewriting, ["/topics"], 2)
    rewriting.lies = True
    for name in ("a", "b"):
        write(name)
        rewriting.began += timedelta(minutes=30)
        settle(rewriting.app, rewriting.after(SOON))
        assert (
            sampler(rewriting.app).sample_page("/topics", rewriting.after(LATER))
            is SampleResult.STALE
        )
        assert ready(rewriting.app) == "degraded"
    rewriting.lies = False
    settle(rewriting.app, rewriting.after(LATER))
    assert (
        sampler(rewriting.app).sample_page("/topics", rewriting.after(LATER + 3))
        is SampleResult.REWRITTEN
    )
    assert ready(rewriting.app) == "ok"


def test_a_stale_edge_that_ignores_purges_stays_stale(app: Flask, edge: Lying) -> None:
    """It differs in the same way after each purge, and is fresh under a URL that is not stored."""
    edge.lies = True
    write("a")
    settle(app, edge.after(SOON))
    look = sampler(app)
    for minute in (LATER, LATER + 3, LATER + 6):
        assert look.sample_page("/topics", edge.after(minute)) is SampleResult.STALE
        settle(app, edge.after(minute))
    assert ready(app) == "degraded"


@pytest.mark.parametrize("header", ["ETag", "Age"])
def test_headers_tell_a_stale_copy_from_a_rewritten_one(rewriting: Rewriting, header: str) -> None:
    """An ETag of another version, or an Age from before the purge, shows that it is stale."""
    rewriting.keys_query = False
    other = f'"{"0" * 32}"'
    rewriting.headers = {header: other if header == "ETag" else "99999"}
    assert look_again_and_again(rewriting, ["/topics"], 3) == [SampleResult.STALE] * 3
