"""The printed configuration in a real nginx: what it keeps, for how long, and what it never keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.edge.cdn import nginx

from . import raw_http
from .controlled_origin import Answering, answering
from .live_site import eventually
from .nginx import proxying
from .programs import free_port
from .test_config_varnish import HOST, LARGE, NEVER, QUERIES, SECRET, Front, plan

pytestmark = pytest.mark.live

# In this order, as the site says it: nginx 1.22 obeys what it reads first.
LONG = {"X_Accel_Expires": "60", "Cache_Control": "max-age=0, must-revalidate"}


@contextmanager
def started(folder: Path, origins: list[int], origin: Answering, **options: Any) -> Iterator[Front]:
    """An nginx with the printed configuration before these origins."""
    port = free_port()
    text = nginx.server_config(
        plan(origins), listen=f"127.0.0.1:{port}", folder=str(folder / "kept"), **options
    )
    with proxying(folder, text, port=port):
        yield Front(port, origin)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One nginx for all tests of this module: each has paths of its own."""
    folder = tmp_path_factory.mktemp("front")
    with answering() as origin, started(folder, [origin.port], origin, refresh=True) as running:
        yield running


def test_a_page_is_kept_as_x_accel_expires_says(front: Front) -> None:
    """The reader sees the browser's words and the cache's own, no Age and nothing internal."""
    front.origin.say("/p/kept", Cache_Status="broadsheet; hit; ttl=9", Age="0", **LONG)
    first, second = front.ask("/p/kept"), front.ask("/p/kept")
    assert first.cache_status == "broadsheet; hit; ttl=9, nginx; fwd=miss"
    assert second.cache_status == "broadsheet; hit; ttl=9, nginx; hit"
    assert second.headers["X-Cache"] == "HIT"
    assert second.headers["Cache-Control"] == "max-age=0, must-revalidate"
    assert "Age" not in second.headers
    assert "X-Accel-Expires" not in second.headers


def test_a_page_that_ran_out_is_fetched(front: Front) -> None:
    """Nothing is served old that did not say it may be."""
    front.origin.say("/p/short", b"old", X_Accel_Expires="1")
    front.ask("/p/short")
    front.origin.say("/p/short", b"new", **LONG)
    assert eventually(lambda: front.ask("/p/short").body == b"new")
    assert front.ask("/p/short").cache_status == "nginx; hit"


def test_no_page_is_served_old_because_the_origin_fails(front: Front) -> None:
    """There would be no end to it."""
    front.origin.say("/p/fails", b"old", X_Accel_Expires="1")
    front.ask("/p/fails")
    front.origin.say("/p/fails", b"error", status=500)
    assert eventually(lambda: front.ask("/p/fails").status == 500)


def test_what_cache_control_says_of_stale_pages_holds(front: Front) -> None:
    """Where a browser may have it old while it is fetched, nginx may too."""
    words = "max-age=1, stale-while-revalidate=60"
    front.origin.say("/p/swr", b"old", Cache_Control=words)
    front.ask("/p/swr")
    front.origin.say("/p/swr", b"new", Cache_Control="max-age=60")
    answer = front.until("/p/swr", "stale")
    assert answer.body == b"old"
    assert eventually(lambda: front.ask("/p/swr").body == b"new")


NOT_NGINX = {"only-expires", "surrogate-no-store"}
"""Nginx obeys Expires (RFC 9111 section 5.3), and knows no Surrogate-Control."""

ALSO_NEVER = {
    "0-seconds": {"X_Accel_Expires": "0"},
    "already-old": {"X_Accel_Expires": "60", "Age": "5"},
}


@pytest.mark.parametrize("name", [name for name in (*NEVER, *ALSO_NEVER) if name not in NOT_NGINX])
def test_what_must_not_be_kept_is_not(front: Front, name: str) -> None:
    """Though X-Accel-Expires says more than Cache-Control to nginx."""
    path = f"/p/never-{name}"
    fields = {**NEVER, **ALSO_NEVER}[name]
    surrogate = fields.get("Surrogate_Control", "")
    seconds = {"X_Accel_Expires": "60"} if surrogate.startswith("max-age=6") else {}
    front.origin.say(path, **seconds, **fields)
    for request_count in (1, 2):
        assert front.ask(path).cache_status == "nginx; fwd=miss"
        assert len(front.origin.of(path)) == request_count


@pytest.mark.parametrize("name", QUERIES)
def test_only_declared_parameters_count(front: Front, name: str) -> None:
    """The origin is asked by the one spelling, so the page is kept once."""
    target, arrived = QUERIES[name]
    front.ask(target)
    assert arrived in {request.target for request in front.origin.requests}
    assert target == arrived or target not in {request.target for request in front.origin.requests}


@pytest.mark.parametrize(
    ("path", "line", "arrives"),
    [
        ("/p/cookie", "Cookie: _ga=1; session=2", False),
        ("/me", "Cookie: session=2", True),
        ("/unknown", "Cookie: session=2", True),
        ("/p/underscore", "SCRIPT_NAME: /evil", False),
        ("/p/host", "X-Forwarded-Host: evil", False),
        ("/p/accept", "Accept-Language: de", True),
        ("/p/proxy", "Forwarded: host=evil", False),
        ("/p/refresh", f"X-Broadsheet-Refresh: {SECRET}", False),
    ],
)
def test_what_of_a_reader_reaches_the_origin(
    front: Front, path: str, line: str, *, arrives: bool
) -> None:
    """Cookies only where a route is private or unknown; nothing that could shape a page."""
    front.ask(path, line)
    name, _, value = line.partition(": ")
    assert (front.origin.of(path)[-1].headers.get(name.lower()) == value) is arrives


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/me", "Cookie: a=1"),
        ("/me", "X-None: 1"),
        ("/unknown", "Cookie: a=1"),
        ("/p/authorized", "Authorization: Basic YTpi"),
    ],
)
def test_what_is_one_readers_own_passes(front: Front, path: str, line: str) -> None:
    """It is neither answered from the store nor kept there."""
    front.origin.say(path, b"mine", **LONG)
    answer = front.ask(path, line)
    assert (answer.body, answer.cache_status) == (b"mine", "nginx; fwd=bypass")
    front.origin.say(path, b"anybody's", **LONG)
    assert front.ask(path).body == b"anybody's"


@pytest.mark.parametrize(
    ("method", "host", "status"),
    [
        ("GET", "EXAMPLE.org:443", 200),
        ("GET", "evil.example", 421),
        ("GET", "exampleXorg", 421),
        ("PURGE", HOST, 405),
        ("TRACE", HOST, 405),
        ("POST", HOST, 200),
    ],
)
def test_who_is_answered(front: Front, method: str, host: str, status: int) -> None:
    """The site under its own name, spelt one way; methods that an app may know."""
    path = f"/p/who-{method.lower()}"
    assert front.ask(path, method=method, host=host).status == status
    assert {request.headers["host"] for request in front.origin.of(path)} <= {HOST}


CODINGS = [
    ("gzip, deflate, br;q=0.9", "br"),
    ("GZIP;q=0.5", "gzip"),
    ("br;q=0", None),
    ("br", "br"),
    ("deflate, gzip", "gzip"),
    ("identity", None),
    ("gzip, deflate, br, zstd", "br"),
]


def test_a_page_has_three_variants_at_most(front: Front) -> None:
    """Each spelling of Accept-Encoding is reduced to br, gzip or none, also in the key."""
    path = "/p/codings"
    for accept_encoding, coding in CODINGS:
        front.origin.say(path, f"{coding}".encode(), Vary="Accept-Encoding", **LONG)
        assert front.ask(path, f"Accept-Encoding: {accept_encoding}").body == f"{coding}".encode()
    codings_sent = [request.headers.get("accept-encoding") for request in front.origin.of(path)]
    assert codings_sent == ["br", "gzip", None]


@pytest.mark.parametrize(
    ("vary", "is_stored"),
    [
        ("Accept-Encoding", True),
        ("accept-encoding,Accept-Encoding", True),
        ("Accept-Encoding, Accept-Language", False),
        ("Accept-Language", False),
        ("Accept-Encoding, Origin", False),
        ("X-Accept-Encoding", False),
    ],
)
def test_a_page_that_varies_on_more_than_its_coding_is_not_kept(
    front: Front, vary: str, *, is_stored: bool
) -> None:
    """Its variants would not be kept apart."""
    path = f"/p/vary-{vary.lower().replace(', ', '-').replace(',', '-')}"
    front.origin.say(path, Vary=vary, **LONG)
    front.ask(path)
    assert (front.ask(path).cache_status == "nginx; hit") is is_stored


@pytest.mark.parametrize(
    ("age", "words", "is_stored"),
    [
        ("5", "public, max-age=31536000, immutable", True),
        ("5", "immutable,max-age=60", True),
        ("31535000", "public, max-age=31536000, immutable", True),
        ("0", "max-age=60", True),
        ("000", "max-age=60", True),
        ("005", "max-age=60", False),
        ("5", "max-age=60", False),
        ("5", "max-age=60, not-immutable", False),
        ("5", "max-age=60, immutable-not", False),
    ],
)
def test_of_what_arrives_with_an_age_only_immutable_files_are_kept(
    front: Front, age: str, words: str, *, is_stored: bool
) -> None:
    """Nginx counts from the arrival; for a file that never changes that does no harm."""
    path = f"/p/aged-{age}-{len(words)}"
    front.origin.say(path, Cache_Control=words, Age=age)
    front.ask(path)
    assert (front.ask(path).cache_status == "nginx; hit") is is_stored


def test_an_immutable_file_that_no_cache_may_keep_is_not_kept(front: Front) -> None:
    """What `private` or `no-store` says comes first."""
    front.origin.say("/p/private-file", Cache_Control="private, max-age=60, immutable", Age="5")
    front.ask("/p/private-file")
    assert front.ask("/p/private-file").cache_status == "nginx; fwd=miss"


ERRORS = {
    400: raw_http.request("/", "Content-Length: x", host=HOST),
    405: raw_http.request("/p/error", method="BREW", host=HOST),
    413: raw_http.request("/p/error", "Content-Length: 99999999", method="POST", host=HOST),
    414: raw_http.request("/" + "a" * 12_000, host=HOST),
    421: raw_http.request("/p/error", host="evil.example"),
}


@pytest.mark.parametrize("status", ERRORS)
def test_an_error_of_nginx_is_stored_by_nobody(front: Front, status: int) -> None:
    """It has `no-store`, though some statuses may be kept by a guessed lifetime."""
    answer = raw_http.exchange(front.port, ERRORS[status])
    assert (answer.status, answer.headers.get("Cache-Control")) == (status, "no-store")


def test_an_origin_that_does_not_answer_gives_an_error_that_nobody_keeps(tmp_path: Path) -> None:
    """A 502 of nginx has `no-store`."""
    with answering() as origin, started(tmp_path, [free_port()], origin) as front:
        answer = front.ask("/p/gone")
    assert (answer.status, answer.headers.get("Cache-Control")) == (502, "no-store")


def test_an_error_of_the_origin_keeps_its_own_words(front: Front) -> None:
    """Nginx adds nothing where the origin has said how long."""
    front.origin.say("/p/own-error", status=404, X_Accel_Expires="30", Cache_Control="max-age=30")
    assert front.ask("/p/own-error").headers["Cache-Control"] == "max-age=30"
    front.origin.say("/p/bare-error", status=404)
    assert front.ask("/p/bare-error").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "range_header",
    ["bytes=0-1", "bytes=0-0,2-3", "bytes=5-2", "bytes=x", "bytes=999-", "lines=1-2"],
)
def test_a_range_gives_the_whole_page(front: Front, range_header: str) -> None:
    """Nginx's own 416 would have the lifetime of the page."""
    words = "public, max-age=31536000, immutable"
    front.origin.say("/p/ranges", b"page", Cache_Control=words, Accept_Ranges="bytes")
    for _ in range(2):
        answer = front.ask("/p/ranges", f"Range: {range_header}")
        assert (answer.status, answer.body) == (200, b"page")
        assert "Accept-Ranges" not in answer.headers


def test_what_is_large_is_not_kept(front: Front) -> None:
    """It would push a thousand pages out."""
    front.origin.say("/p/film", b"x" * 2 * LARGE * 5, Cache_Control="max-age=60")
    for _ in range(2):
        assert front.ask("/p/film").cache_status == "nginx; fwd=miss"


def test_who_knows_the_secret_has_a_page_fetched_anew(front: Front) -> None:
    """And it is kept for everybody; a wrong one does nothing."""
    front.origin.say("/p/anew", b"old", **LONG)
    front.ask("/p/anew")
    front.origin.say("/p/anew", b"new", **LONG)
    assert front.ask("/p/anew", f"X-Broadsheet-Refresh: {SECRET.upper()}").body == b"old"
    assert front.ask("/p/anew", f"X-Broadsheet-Refresh: {SECRET}").body == b"new"
    answer = front.ask("/p/anew")
    assert (answer.body, answer.cache_status) == (b"new", "nginx; hit")


def test_an_origin_that_is_gone_costs_no_reader_a_page(tmp_path: Path) -> None:
    """The other one answers; without both, what is stale is served where that was asked for."""
    port = free_port()
    with (
        answering() as last,
        started(tmp_path, [port, last.port], last, stale=True) as front,
    ):
        assert [front.ask(f"/p/{n}").status for n in range(6)] == [200] * 6
        last.say("/p/a", b"old", X_Accel_Expires="1")
        front.ask("/p/a")
        last.say("/p/a", b"error", status=500)
        assert front.until("/p/a", "stale").body == b"old"


def test_health_is_asked_under_any_name(front: Front) -> None:
    """Whoever watches a server asks by address."""
    assert raw_http.ask(front.port, "/healthz").status == 200
