"""The printed VCL in a real Varnish: each sentence of an origin is obeyed as it was meant."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.edge.cdn.site_description import OriginServer, RouteRule, SiteDescription
from app.edge.cdn.varnish import vcl_config
from app.edge.testing import assert_hit, assert_stored

from . import raw_http
from .controlled_origin import Answering, Said, answering
from .live_site import eventually
from .programs import free_port
from .raw_http import Answer
from .varnish import varnished

pytestmark = pytest.mark.live

SECRET = "a-secret-of-the-tests"
HOST = "example.org"
LARGE = 50_000
ROW: dict[str, Any] = {"wildcard": "", "policy": "ANY", "is_shared": True}
RULES = (
    RouteRule(url_rule="/me", pattern="^/me$", query_params=None, **{**ROW, "is_shared": False}),
    RouteRule(url_rule="/search", pattern="^/search$", query_params=("page", "q"), **ROW),
    RouteRule(url_rule="/default", pattern="^/default$", query_params=None, **ROW),
    RouteRule(url_rule="/p/<name>", pattern="^/p/[^/]+$", query_params=(), **ROW),
)


class Front:
    """A Varnish with the printed VCL before two origins; the second one is told to rest."""

    def __init__(self, port: int, origin: Answering) -> None:
        self.port = port
        self.origin = origin

    def ask(self, target: str, *lines: str, method: str = "GET", host: str = HOST) -> Answer:
        """Ask as a reader does; lines are header fields."""
        data = raw_http.request(target, *lines, method=method, host=host)
        return raw_http.exchange(self.port, data, method=method)

    def purge(self, *, soft: bool = True, tags: str = "all", secret: str = SECRET) -> int:
        """Purge as the app does; return the status."""
        field = "xkey-softpurge" if soft else "xkey-purge"
        lines = (f"{field}: {tags}", f"Authorization: Bearer {secret}")
        return self.ask("/", *lines, method="PURGE", host="127.0.0.1").status

    def until(self, target: str, state: str) -> Answer:
        """Ask until Cache-Status says this."""
        answers: list[Answer] = []

        def holds() -> bool:
            answers.append(self.ask(target))
            return state in answers[-1].cache_status

        assert eventually(holds), (
            f"never {state!r}: {answers[-1].cache_status} {answers[-1].body!r}"
        )
        return answers[-1]


def plan(origins: Sequence[int], **options: Any) -> SiteDescription:
    """A site with a private route and public ones that read no, some and unknown parameters."""
    near = tuple(OriginServer.of(f"http://127.0.0.1:{port}") for port in origins)
    site = OriginServer.of(f"https://{HOST}")
    own = {"rules": RULES, "origins": near, "secret": SECRET, "max_body_bytes": LARGE, **options}
    return SiteDescription(site=site, **own)


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One Varnish for all tests of this module: each has paths of its own."""
    with answering() as origin:
        text = vcl_config.vcl(plan([origin.port]))
        folder = tmp_path_factory.mktemp("front")
        with varnished(folder, text, parameters=vcl_config.PARAMETERS) as started:
            yield Front(started.port, origin)


def test_a_page_is_kept_as_surrogate_control_says(front: Front) -> None:
    """The reader sees the browser's words, the cache's own word, and nothing that is internal."""
    front.origin.say(
        "/p/kept",
        Cache_Control="max-age=0, must-revalidate",
        Surrogate_Control="max-age=60, stale-while-revalidate=5",
        xkey="p-1",
        Cache_Status="broadsheet; fwd=uri-miss; stored",
    )
    first, second = front.ask("/p/kept"), front.ask("/p/kept")
    assert first.cache_status == "broadsheet; fwd=uri-miss; stored, varnish; fwd=miss; stored"
    assert second.cache_status.endswith(", varnish; hit; ttl=59")
    assert_hit(second, cache="varnish")
    assert second.headers["Cache-Control"] == "max-age=0, must-revalidate"
    hidden_fields = {"surrogate-control", "xkey"}
    names = {name.lower() for name, _ in second.headers}
    assert not hidden_fields & names
    assert not [name for name in names if name.startswith("broadsheet")]


NEVER = {
    "no-store": {"Cache_Control": "no-store", "Surrogate_Control": "max-age=60"},
    "private": {"Cache_Control": "private, max-age=60", "Surrogate_Control": "max-age=60"},
    "private-fields": {"Surrogate_Control": 'private="Set-Cookie", max-age=60'},
    "no-cache": {"Surrogate_Control": "no-cache"},
    "surrogate-no-store": {"Surrogate_Control": "no-store", "Cache_Control": "max-age=60"},
    "set-cookie": {"Surrogate_Control": "max-age=60", "Set_Cookie": "a=1"},
    "vary-cookie": {"Surrogate_Control": "max-age=60", "Vary": "Accept-Encoding, cookie"},
    "vary-authorization": {"Surrogate_Control": "max-age=60", "Vary": "Authorization"},
    "vary-star": {"Surrogate_Control": "max-age=60", "Vary": "*"},
    "nothing-said": {},
    "only-expires": {"Expires": "Fri, 01 Jan 2100 00:00:00 GMT"},
    "junk": {"Surrogate_Control": "max-age=soon"},
    "an-age-beyond-it": {"Surrogate_Control": "max-age=60", "Age": "60"},
    "for-browsers": {"Cache_Control": "max-age=0, must-revalidate"},
}


@pytest.mark.parametrize("name", NEVER)
def test_what_must_not_be_kept_is_not(front: Front, name: str) -> None:
    """Each reader gets an answer of their own, and is told so."""
    path = f"/p/never-{name}"
    front.origin.say(path, **NEVER[name])
    for request_count in (1, 2):
        assert front.ask(path).cache_status == "varnish; fwd=miss"
        assert len(front.origin.of(path)) == request_count


KEPT = {
    "cache-control": {"Cache_Control": "public, max-age=60, immutable"},
    "s-maxage": {"Cache_Control": "max-age=0, s-maxage=60"},
    "not-found": {"status": 404, "Surrogate_Control": "max-age=60"},
    "redirect": {"status": 301, "Location": "/", "Surrogate_Control": "max-age=60"},
    "two-lines-of-words": {
        "Cache_Control": "max-age=0",
        "Surrogate_Control": "must-revalidate,max-age=60",
    },
}


@pytest.mark.parametrize("name", KEPT)
def test_what_may_be_kept_is(front: Front, name: str) -> None:
    """Also what only Cache-Control speaks of, and what is no page."""
    path = f"/p/kept-{name}"
    front.origin.say(path, **KEPT[name])  # type: ignore[arg-type] # the status among the fields
    assert_stored(front.ask(path), cache="varnish")
    assert_hit(front.ask(path), cache="varnish")


def test_a_page_is_as_old_as_it_was_when_it_came(front: Front) -> None:
    """What it has already lived elsewhere is taken off (RFC 9111 section 4.2.3)."""
    front.origin.say("/p/aged", Surrogate_Control="max-age=3600", Age="600")
    front.ask("/p/aged")
    second = front.ask("/p/aged")
    assert 2995 <= int(second.cache_status.rpartition("=")[2]) <= 3000
    assert 600 <= int(second.headers["Age"]) <= 605


def test_a_page_that_ran_out_is_served_once_more_while_it_is_fetched(front: Front) -> None:
    """Stale-while-revalidate: the reader waits for nobody, and soon there is a new page."""
    path = "/p/swr"
    front.origin.say(path, b"old", Surrogate_Control="max-age=1, stale-while-revalidate=60")
    front.ask(path)
    front.origin.say(path, b"new", Surrogate_Control="max-age=3600")
    assert front.until(path, "stale-while-revalidate").body == b"old"
    assert eventually(lambda: front.ask(path).body == b"new")


def test_a_refresh_that_fails_takes_no_pages_place(front: Front) -> None:
    """The old page stays as long as its own words allow, and is fetched as soon as that works."""
    path = "/p/swr-fails"
    words = "max-age=1, stale-while-revalidate=60, stale-if-error=60"
    front.origin.say(path, b"old", Surrogate_Control=words)
    front.ask(path)
    front.origin.say(path, b"error", status=500, Cache_Control="no-store")
    front.until(path, "stale-while-revalidate")
    assert eventually(lambda: len(front.origin.of(path)) > 1)
    assert front.ask(path).body == b"old"
    front.origin.say(path, b"new", Surrogate_Control="max-age=3600")
    assert eventually(lambda: front.ask(path).body == b"new")


@pytest.mark.parametrize("status", [500, 503])
def test_after_a_soft_purge_a_page_is_served_old_only_if_the_origin_fails(
    front: Front, status: int
) -> None:
    """Never while it is fetched; and from the first answer of the origin on it is new."""
    path = f"/p/soft-{status}"
    words = "max-age=3600, stale-while-revalidate=3600, stale-if-error=3600"
    front.origin.say(path, b"one", Surrogate_Control=words, xkey=f"p-soft-{status} other")
    front.ask(path)
    front.origin.say(path, b"two", Surrogate_Control=words, xkey=f"p-soft-{status} other")
    assert front.purge(tags=f"p-none p-soft-{status}") == 200
    fresh = front.ask(path)
    assert (fresh.body, fresh.cache_status) == (b"two", "varnish; fwd=stale; stored")
    assert front.purge(tags=f"p-soft-{status}") == 200
    front.origin.say(path, b"error", status=status)
    for _ in range(3):
        stale = front.ask(path)
        assert (stale.status, stale.body) == (200, b"two")
        assert stale.cache_status.endswith("detail=stale-if-error")
    front.origin.say(path, b"three", Surrogate_Control=words)
    assert eventually(lambda: front.ask(path).body == b"three", within=3)
    assert_hit(front.ask(path), cache="varnish")


def test_a_soft_purge_of_what_is_stale_already_ends_its_grace(front: Front) -> None:
    """The module passes over it, and still nobody gets it while it is fetched."""
    path = "/p/soft-stale"
    front.origin.say(path, b"old", Surrogate_Control="max-age=1, stale-while-revalidate=3600")
    front.ask(path)
    assert eventually(lambda: "ttl=0" in front.ask(path).cache_status)
    assert eventually(lambda: int(front.ask("/p/other").headers.get("Age", "0")) >= 2)
    front.purge(tags="p-whatever")
    front.origin.say(path, b"new", Surrogate_Control="max-age=3600")
    assert front.ask(path).body == b"new"


@pytest.mark.parametrize(
    "words", ["max-age=3600", "max-age=3600, must-revalidate, stale-if-error=99"]
)
def test_without_leave_nothing_is_served_old(front: Front, words: str) -> None:
    """An origin that fails is then what the reader hears of."""
    path = f"/p/strict-{len(words)}"
    front.origin.say(path, Surrogate_Control=words)
    front.ask(path)
    front.purge()
    front.origin.say(path, b"error", status=500)
    assert front.ask(path).status == 500


def test_after_a_hard_purge_nothing_is_left(front: Front) -> None:
    """What must no longer be shown is not shown, whatever becomes of the origin."""
    words = "max-age=3600, stale-while-revalidate=3600, stale-if-error=3600"
    front.origin.say("/p/hard", b"gone", Surrogate_Control=words, xkey="p-hard")
    front.ask("/p/hard")
    assert front.purge(soft=False, tags="p-hard") == 200
    front.origin.say("/p/hard", b"error", status=500)
    answer = front.ask("/p/hard")
    assert (answer.status, answer.body) == (500, b"error")


def test_half_a_page_is_an_error(front: Front) -> None:
    """The reader gets the old page whole, and half of one is never kept."""
    path = "/p/half"
    words = "max-age=3600, stale-if-error=3600"
    front.origin.say(path, b"whole", Surrogate_Control=words)
    front.ask(path)
    front.purge()
    fields = (("Surrogate-Control", words),)
    front.origin.answers[path] = Said(headers=fields, body=b"ha", short=5)
    assert front.ask(path).body == b"whole"


def test_a_304_keeps_the_page_and_its_tag(front: Front) -> None:
    """After a soft purge an unchanged page is not sent again, and can be purged again."""
    path, words = "/p/same", "max-age=3600, stale-if-error=60"
    front.origin.say(path, b"same", Surrogate_Control=words, ETag='"1"', xkey="p-same", Age="5")
    front.ask(path)
    front.purge(tags="p-same")
    front.origin.say(path, status=304, ETag='"1"')
    assert front.ask(path).body == b"same"
    assert front.origin.of(path)[-1].headers["if-none-match"] == '"1"'
    second = front.ask(path)
    assert_hit(second, cache="varnish")
    assert int(second.headers["Age"]) < 5
    front.purge(tags="p-same", soft=False)
    front.origin.say(path, b"new", Surrogate_Control=words)
    assert front.ask(path).body == b"new"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"secret": "another-secret-here"}, 403),
        ({"secret": ""}, 403),
        ({"tags": " ".join(f"p-{n:024x}" for n in range(500))}, 200),
    ],
    ids=["wrong", "none", "500-tags"],
)
def test_purges_need_the_secret(front: Front, fields: dict[str, str], status: int) -> None:
    """Whoever has it may name 500 tags a line."""
    assert front.purge(**fields) == status  # type: ignore[arg-type] # soft is not among them


def test_a_purge_of_nothing_is_refused(front: Front) -> None:
    """An empty purge would look like one that worked."""
    lines = (f"Authorization: Bearer {SECRET}",)
    assert front.ask("/p/kept", *lines, method="PURGE").status == 405


QUERIES = {
    "none": ("/p/query?", "/p/query"),
    "unknown": ("/p/query?x=1&utm_source=mail", "/p/query"),
    "declared": ("/search?q=a+b&x=1", "/search?q=a+b"),
    "sorted": ("/search?q=b&page=2", "/search?page=2&q=b"),
    "first": ("/search?utm_id=1&q=&q=one&q=two", "/search?q=one"),
    "part-of-a-name": ("/search?eq=1&qq=2", "/search"),
    "in-the-path": ("/search&q=1?x=2", "/search&q=1?x=2"),
    "nobody-said": ("/default?b=1&a=2", "/default?b=1&a=2"),
    "private": ("/me?next=/p/x", "/me?next=/p/x"),
    "absolute": (f"http://{HOST}/p/absolute?x=1", "/p/absolute"),
}


@pytest.mark.parametrize("name", QUERIES)
def test_only_declared_parameters_count(front: Front, name: str) -> None:
    """The origin is asked by the one spelling, so the page is kept once."""
    target, arrived = QUERIES[name]
    front.ask(target, f"X-Case: {name}")
    targets = [a.target for a in front.origin.requests if a.headers.get("x-case") == name]
    assert targets in ([arrived], [])
    if not targets:
        assert_hit(front.ask(target), cache="varnish")
        assert any(request.target == arrived for request in front.origin.requests)


@pytest.mark.parametrize(
    ("path", "line", "arrives"),
    [
        ("/p/cookie", "Cookie: _ga=1; session=2", False),
        ("/me", "Cookie: session=2", True),
        ("/unknown", "Cookie: session=2", True),
        ("/p/underscore", "SCRIPT_NAME: /evil", False),
        ("/p/host", "X-Forwarded-Host: evil", False),
        ("/p/own", "Broadsheet-Stale: asked", False),
        ("/p/accept", "Accept-Language: de", True),
        ("/p/proxy", "Forwarded: host=evil", False),
    ],
)
def test_what_of_a_reader_reaches_the_origin(
    front: Front, path: str, line: str, *, arrives: bool
) -> None:
    """Cookies only where a route is private or unknown; nothing that could shape a page."""
    front.ask(path, line)
    name, _, value = line.partition(": ")
    assert (front.origin.of(path)[-1].headers.get(name.lower()) == value) is arrives


def test_credentials_are_passed_on_and_their_answer_is_nobody_elses(front: Front) -> None:
    """An answer to a request with Authorization is not stored (RFC 9111 section 3.5)."""
    front.origin.say("/p/authorized", b"secret", Surrogate_Control="max-age=60")
    answer = front.ask("/p/authorized", "Authorization: Basic YTpi")
    assert answer.cache_status == "varnish; fwd=bypass"
    front.origin.say("/p/authorized", b"public", Surrogate_Control="max-age=60")
    assert front.ask("/p/authorized").body == b"public"


@pytest.mark.parametrize(
    ("method", "host", "status"),
    [
        ("GET", "EXAMPLE.org:443", 200),
        ("GET", "evil.example", 421),
        ("GET", "example.org.evil.example", 421),
        ("GET", "exampleXorg", 421),
        ("TRACE", HOST, 405),
        ("BREW", HOST, 405),
        ("POST", HOST, 200),
    ],
)
def test_who_is_answered(front: Front, method: str, host: str, status: int) -> None:
    """The site under its own name, spelt one way; methods that an app may know."""
    path = f"/p/who-{method.lower()}"
    assert front.ask(path, method=method, host=host).status == status
    assert {request.headers["host"] for request in front.origin.of(path)} <= {HOST}


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip, deflate, br;q=0.9, zstd", "br"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.000, gzip;q=0", None),
        ("x-brx, identity", None),
    ],
)
def test_what_readers_can_unpack_is_said_in_three_ways(
    front: Front, accept_encoding: str, expected: str | None
) -> None:
    """So a page has no more than three variants."""
    path = f"/p/coding-{len(accept_encoding)}"
    front.origin.say(path, Vary="Accept-Encoding", Surrogate_Control="max-age=60")
    front.ask(path, f"Accept-Encoding: {accept_encoding}")
    assert front.origin.of(path)[0].headers.get("accept-encoding") == expected
    assert_hit(front.ask(path, f"Accept-Encoding: {expected or 'identity'}"), cache="varnish")


def test_what_is_large_is_passed_on_in_parts(front: Front) -> None:
    """It would push a thousand pages out; a reader's range goes through to the origin."""
    path = "/p/film"
    front.origin.say(path, b"x" * (LARGE + 1), Cache_Control="public, max-age=60")
    assert front.ask(path).cache_status == "varnish; fwd=miss"
    front.ask(path, "Range: bytes=0-9")
    assert front.origin.of(path)[-1].headers["range"] == "bytes=0-9"


PAGE = bytes(range(48, 148))
FOREVER = "public, max-age=31536000, immutable"
RANGES = {
    "bytes=0-1": (206, PAGE[:2]),
    "bytes=98-": (206, PAGE[98:]),
    "bytes=-2": (206, PAGE[98:]),
    "BYTES=0-1": (206, PAGE[:2]),
    "bytes=98-500": (206, PAGE[98:]),
    "bytes=-500": (206, PAGE),
    "bytes=98-99999999999999999999999": (206, PAGE[98:]),
    "bytes=0-1,3-4": (200, PAGE),
    "bytes=0-1, 3-4": (200, PAGE),
    "bytes=5-2": (200, PAGE),
    "bytes=500-2": (200, PAGE),
    "bytes=x": (200, PAGE),
    "bytes=": (200, PAGE),
    "bytes=-": (200, PAGE),
    "bytes 0-1": (200, PAGE),
    "bytes= 0-1": (200, PAGE),
    "bytes=0-1x": (200, PAGE),
    "lines=1-2": (200, PAGE),
    "bytes=100-": (416, b"Range Not Satisfiable\n"),
    "bytes=999-1000": (416, b"Range Not Satisfiable\n"),
    "bytes=99999999999999999999999-": (416, b"Range Not Satisfiable\n"),
    "bytes=-0": (416, b"Range Not Satisfiable\n"),
}


@pytest.mark.parametrize("stored", [False, True], ids=["fetched", "stored"])
@pytest.mark.parametrize("range_header", RANGES)
def test_a_range_gives_a_part_or_the_page_or_an_error_that_nobody_keeps(
    front: Front, range_header: str, *, stored: bool
) -> None:
    """Invalid and several ranges are ignored; a 416 never has the lifetime of the page."""
    path = f"/p/range-{stored}-{list(RANGES).index(range_header)}"
    front.origin.say(path, PAGE, Cache_Control=FOREVER, ETag='"1"')
    if stored:
        front.ask(path)
    answer = front.ask(path, f"Range: {range_header}")
    status, body = RANGES[range_header]
    assert (answer.status, answer.body) == (status, body)
    lifetime = "no-store" if status == 416 else FOREVER
    assert answer.headers["Cache-Control"] == lifetime
    if status == 416:
        assert answer.headers["Content-Range"] == "bytes */100"
    second = front.ask(path)
    assert (second.status, second.body) == (200, PAGE)
    assert_hit(second, cache="varnish")


def test_a_range_of_a_head_or_beside_a_condition_gives_no_416(front: Front) -> None:
    """HEAD has no ranges, and a condition is evaluated first (RFC 9110 section 13.2.2)."""
    path, behind = "/p/range-conditions", "Range: bytes=999-"
    front.origin.say(path, PAGE, Cache_Control=FOREVER, ETag='"1"')
    assert front.ask(path, behind, method="HEAD").status == 200
    assert front.ask(path, behind, 'If-None-Match: "1"').status == 304
    assert front.ask(path, behind, 'If-None-Match: "2"').status == 200
    assert front.ask(path, "Range: bytes=0-1", 'If-Range: "2"').body == PAGE
    assert front.ask(path, "Range: bytes=0-1", 'If-Range: "1"').status == 206


def test_a_416_of_the_origin_is_kept_by_nobody(front: Front) -> None:
    """Where a large file is passed on in ranges, the origin answers them."""
    path = "/p/range-origin"
    front.origin.say(path, b"x" * (LARGE + 1), Cache_Control=FOREVER)
    front.ask(path)
    front.origin.say(
        path, status=416, Cache_Control=FOREVER, Expires="Fri, 01 Jan 2100 00:00:00 GMT"
    )
    answer = front.ask(path, "Range: bytes=999999-")
    assert (answer.status, answer.headers["Cache-Control"]) == (416, "no-store")
    assert "Expires" not in answer.headers


@pytest.mark.parametrize("size", [8001, 12_000, 15_000])
@pytest.mark.parametrize("start", ["/p/", "/search?q=", "/unknown?a="])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "BREW", "PURGE"])
def test_a_long_url_is_refused(front: Front, method: str, start: str, size: int) -> None:
    """With 414, which nobody stores, and without asking the origin."""
    answer = front.ask(start + "a" * (size - len(start)), method=method)
    assert (answer.status, answer.headers["Cache-Control"]) == (414, "no-store")


@pytest.mark.parametrize("start", ["/p/", "/search?q=", "/unknown?a="])
def test_a_url_of_eight_thousand_bytes_is_answered(front: Front, start: str) -> None:
    """The longest that is passed on, with every parameter rewritten."""
    assert front.ask(start + "a" * (8000 - len(start))).status == 200


@pytest.mark.parametrize("name", ["Cookie", "X-Long", "Accept-Encoding", "Range", "Authorization"])
def test_a_long_header_breaks_no_rule(front: Front, name: str) -> None:
    """Twelve kilobytes are within the limit for purges, so readers can send them too."""
    assert front.ask("/search?q=long", f"{name}: {'a, ' * 4000}a").status == 200


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 414, 416, 429, 500, 501, 502, 503])
def test_an_error_of_the_origin_without_a_lifetime_is_not_kept(front: Front, status: int) -> None:
    """Each reader gets an answer of their own."""
    path = f"/p/error-{status}"
    front.origin.say(path, status=status)
    for request_count in (1, 2):
        assert "hit" not in front.ask(path).cache_status
        assert len(front.origin.of(path)) == request_count


@pytest.mark.parametrize(
    ("method", "host", "path", "status"),
    [
        ("GET", "evil.example", "/p/synth", 421),
        ("BREW", HOST, "/p/synth", 405),
        ("PURGE", HOST, "/", 403),
        ("GET", HOST, "/p/" + "a" * 9000, 414),
    ],
)
def test_every_error_of_the_vcl_is_stored_by_nobody(
    front: Front, method: str, host: str, path: str, status: int
) -> None:
    """It has `no-store`, a type, and `nosniff`."""
    answer = front.ask(path, method=method, host=host)
    assert answer.status == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_an_origin_that_is_gone_costs_no_reader_a_page(tmp_path: Path) -> None:
    """The other one answers; without both a page is served old, what is new can't be."""
    port = free_port()
    with answering() as last:
        two = plan([port, last.port])
        text = vcl_config.vcl(two, probe=timedelta(seconds=0.1))
        with varnished(tmp_path, text, parameters=vcl_config.PARAMETERS) as started:
            front = Front(started.port, last)
            with answering(port) as first:
                words = "max-age=3600, stale-if-error=3600"
                for origin in (first, last):
                    origin.say("/p/a", b"kept", Surrogate_Control=words)
                front.ask("/p/a")
            assert [front.ask(f"/p/{n}").status for n in range(6)] == [200] * 6
            front.purge()
            last.healthy = False
            unseen = count()
            assert eventually(lambda: front.ask(f"/p/new-{next(unseen)}").status == 503)
            assert front.ask("/p/a").cache_status.endswith("detail=stale-if-error")
            last.healthy = True
            last.say("/p/a", b"new", Surrogate_Control=words)
            assert eventually(lambda: front.ask("/p/a").body == b"new")


def test_purges_are_refused_from_afar_and_without_a_secret_on_disk(tmp_path: Path) -> None:
    """An address that is not listed has no say; neither has anybody while the file is missing."""
    file = tmp_path / "secret"
    with answering() as origin:
        own = plan([origin.port], secret="", secret_file=str(file), purge_networks=("127.0.0.1",))
        with varnished(tmp_path, vcl_config.vcl(own)) as started:
            front = Front(started.port, origin)
            assert front.purge(secret="") == 403
            assert front.purge() == 403
            file.write_text(SECRET + "\n")
            assert front.purge() == 200
            lines = (f"Authorization: Bearer {SECRET}", "xkey-purge: all")
            data = raw_http.request("/", *lines, method="PURGE", host=HOST)
            near = ("127.0.0.1", started.port)
            with socket.create_connection(near, source_address=("127.0.0.2", 0)) as link:
                link.sendall(data)
                assert link.recv(100).startswith(b"HTTP/1.1 403")
