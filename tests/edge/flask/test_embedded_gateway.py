"""The gateway in front of a Flask app: misses, hits, purges and findings of the guard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, request, session, url_for

from app.edge import Freshness, Policy, cache_control, cached
from app.edge.flask import Edge
from app.edge.http.dates import format_http_date
from app.edge.policy.cdn_headers import parse_dialects
from app.edge.policy.guard import Leak
from app.edge.purge.edge_chain import EdgeChain
from app.edge.testing import FrozenClock, assert_hit, assert_miss, assert_no_store, assert_stored

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def edge() -> Edge:
    """Return the extension, as a module of an app would hold it."""
    return Edge()


@pytest.fixture
def gated(bare: Flask, edge: Edge, clock: FrozenClock, policy: Policy, tmp_path: Path) -> Flask:
    """Return an app behind its gateway, with a page that counts its renders."""
    bare.testing = False
    bare.config |= {"EDGE_GATEWAY": "on", "EDGE_STORE": str(tmp_path / "store")}
    edge.init_app(bare, clock=clock, gateway={"site": "https://x.example"})
    renders: list[None] = []

    @bare.get("/")
    @cached(policy, query=("q",))
    def home() -> str:
        renders.append(None)
        return f"{len(renders)} {request.args.get('q')}"

    return bare


def get(app: Flask, path: str = "/", **headers: str) -> Any:
    """Request a path; header names are written with underscores."""
    request_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return app.test_client().get(path, headers=request_headers)


def test_the_second_reader_gets_a_hit(gated: Flask, clock: FrozenClock) -> None:
    """Its age is 0, and the gateway's own header fields are removed."""
    first = get(gated)
    clock.advance(timedelta(seconds=30))
    second = get(gated)
    assert_stored(first)
    assert_miss(first)
    assert_hit(second)
    assert second.data == first.data
    assert second.headers["Age"] == "0"
    assert second.headers["Date"] == format_http_date(clock.timestamp())
    for response in (first, second):
        assert "Broadsheet-Cache-Control" not in response.headers
        assert response.headers["CDN-Cache-Control"] == "max-age=60"


def test_without_a_cdn_a_hit_says_how_old_it_is(gated: Flask, clock: FrozenClock) -> None:
    """Without a CDN, no header gives a lifetime that an Age would shorten."""
    edge = gated.extensions["edge"]
    edge.edge_chain = EdgeChain.from_dialects(
        (), parse_dialects("broadsheet"), cap=timedelta(minutes=1)
    )
    get(gated)
    clock.advance(timedelta(seconds=30))
    assert get(gated).headers["Age"] == "30"


def test_a_promise_of_time_grows_old(gated: Flask, clock: FrozenClock) -> None:
    """Browser, CDN and gateway count the same two minutes from the first response."""
    timed = Policy(
        name="TIMED", browser=Freshness(ttl=timedelta(minutes=2)), timed=True, purged=False
    )
    gated.add_url_rule("/timed", "timed", cached(timed)(lambda: "now"))
    get(gated, "/timed")
    clock.advance(timedelta(seconds=100))
    response = get(gated, "/timed")
    assert response.headers["Age"] == "100"
    assert response.headers["Cache-Control"] == "max-age=120"
    assert response.headers["Cache-Status"] == "broadsheet; hit; ttl=20"
    clock.advance(timedelta(seconds=20))
    assert_miss(get(gated, "/timed"))


def test_a_page_is_new_after_a_purge(gated: Flask, edge: Edge) -> None:
    """By its URL, by its path, and by a purge of everything."""
    purges: list[Callable[[], int]] = [
        lambda: edge.purge(gated, "https://x.example/"),
        lambda: edge.purge(gated, "/"),
        lambda: edge.purge_all(gated),
    ]
    for purge in purges:
        before = get(gated)
        assert purge() == 1
        after = get(gated)
        assert_miss(after)
        assert after.data != before.data


def test_trackers_and_unknown_parameters_make_no_second_copy(gated: Flask) -> None:
    """Tracking parameters are ignored, unknown ones redirected."""
    get(gated, "/?q=1")
    assert_hit(get(gated, "/?q=1&utm_source=mail"))
    assert get(gated, "/?q=1&x=2").headers["Location"] == "/?q=1"


def test_a_strange_host_is_no_second_site(gated: Flask) -> None:
    """Where the site is known, a reader's Host changes nothing."""
    get(gated)
    assert_hit(get(gated, Host="evil.example"))


def test_a_finding_is_told(gated: Flask, policy: Policy) -> None:
    """Cache-Status contains the code; nothing is stored."""
    gated.add_url_rule("/leak", "leak", cached(policy)(lambda: session.get("name", "you")))
    response = get(gated, "/leak")
    assert_no_store(response)
    assert "session-read" in response.headers["Cache-Status"]
    assert "stored" not in response.headers["Cache-Status"]


def test_a_leak_still_raises_in_tests(gated: Flask, policy: Policy) -> None:
    """The gateway does not swallow it."""
    gated.testing = True
    gated.add_url_rule("/leak", "leak", cached(policy)(lambda: session.get("name", "you")))
    with pytest.raises(Leak, match="leak has the shared policy ARTICLE"):
        get(gated, "/leak")


def test_what_is_not_modified_is_said_by_the_gateway_and_by_flask(gated: Flask) -> None:
    """Stored and uncached pages evaluate If-None-Match in the same way."""
    gated.add_url_rule("/mine", "mine", cache_control(private=True, max_age=5)(lambda: "mine"))
    tag = get(gated).headers["ETag"]
    assert get(gated, If_None_Match=tag).status_code == 304
    for _ in range(2):
        tag = get(gated, "/mine").headers["ETag"]
        assert get(gated, "/mine", If_None_Match=tag).status_code == 304


def test_a_stale_page_is_validated(gated: Flask, clock: FrozenClock) -> None:
    """With Flask's own ETag, so an unchanged page is not sent again."""
    minute = Policy(name="MINUTE", browser=Freshness(ttl=timedelta(minutes=1)))
    gated.add_url_rule("/same", "same", cached(minute)(lambda: "same"))
    get(gated, "/same")
    clock.advance(timedelta(minutes=2))
    response = get(gated, "/same")
    assert response.status_code == 200
    assert "fwd-status=304" in response.headers["Cache-Status"]
    assert_hit(get(gated, "/same"))


def test_a_private_page_passes(gated: Flask) -> None:
    """The reader gets the cookie."""

    @gated.get("/me")
    def me() -> Response:
        response = Response("me")
        response.set_cookie("id", "1")
        return response

    for _ in range(2):
        response = get(gated, "/me")
        assert_miss(response)
        assert "Set-Cookie" in response.headers


def test_static_files_are_kept_as_they_were_packed(bare: Flask, tmp_path: Path) -> None:
    """Compressed ahead at the best level, each coding with its own ETag."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("body { color: rebeccapurple }\n" * 40)
    bare.config |= {"EDGE_GATEWAY": "on", "EDGE_STORE": str(tmp_path / "store")}
    Edge().init_app(bare)
    with bare.test_request_context():
        url = url_for("static", filename="site.css")
    tags = set()
    for coding in ("br", "gzip", ""):
        for wish in (f"{coding}, zstd", f"x-unknown, {coding};q=0.9"):
            response = get(bare, url, Accept_Encoding=wish)
            assert response.headers.get("Content-Encoding", "") == coding
            tags.add(response.headers["ETag"])
        assert_hit(response)
    assert sorted(tag.strip('"').rpartition("-")[2] for tag in tags)[1:] == ["br", "gzip"]
    assert len(tags) == 3


def test_an_edge_further_out_gets_its_fields(bare: Flask, policy: Policy, tmp_path: Path) -> None:
    """The gateway hides Surrogate-Control from readers, but not from a Fastly in front."""
    bare.config |= {"EDGE": "fastly", "EDGE_GATEWAY": "on", "EDGE_STORE": str(tmp_path / "store")}
    Edge().init_app(bare)
    bare.add_url_rule("/", "home", cached(policy)(lambda: "hi"))
    for _ in range(2):
        assert get(bare).headers["Surrogate-Control"] == "max-age=60"


def test_without_a_gateway_a_purge_has_nothing_to_do(bare: Flask, edge: Edge) -> None:
    """The app can call it without a check for a gateway."""
    edge.init_app(bare)
    assert edge.purge(bare, "/") == 0
    assert edge.purge_all(bare) == 0


@pytest.mark.parametrize(
    ("key", "value"), [("EDGE_STORE_SIZE", 1), ("EDGE_STORE_SIZE", "big"), ("EDGE_STORE_ENTRY", -1)]
)
def test_a_store_that_cannot_be_stops_the_start(bare: Flask, key: str, value: object) -> None:
    """The sentence names the setting."""
    bare.config |= {"EDGE_GATEWAY": "on", key: value}
    with pytest.raises(ValueError, match=key):
        Edge().init_app(bare)
