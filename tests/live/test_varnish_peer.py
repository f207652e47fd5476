"""One table of cases through two doors: where a shared cache has one right answer, both give it."""

from __future__ import annotations

import re
import socketserver
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from app.edge.gateway.gateway import Gateway
from app.edge.gateway.options import Options
from app.edge.gateway.proxy import Proxy
from app.edge.gateway.store.memory import MemoryStore
from app.edge.testing import assert_hit, assert_miss
from tests.edge.gateway import socket_origin
from tests.edge.gateway.scripted_origin import ScriptedResponse, says

from . import raw_http
from .live_site import Site, eventually
from .raw_http import Answer
from .varnish import varnished

pytestmark = pytest.mark.live

VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{
    unset req.http.Cookie;
}}
sub vcl_backend_response {{
    set beresp.grace = 0s;
    set beresp.keep = 1h;
    if (!beresp.http.Cache-Control && !beresp.http.Expires) {{
        set beresp.ttl = 0s;
    }}
}}
sub vcl_deliver {{
    if (obj.hits > 0) {{
        set resp.http.X-Peer = "varnish; hit";
    }} else {{
        set resp.http.X-Peer = "varnish; fwd=miss";
    }}
    if (resp.http.Cache-Status) {{
        set resp.http.Cache-Status = resp.http.Cache-Status + ", " + resp.http.X-Peer;
    }} else {{
        set resp.http.Cache-Status = resp.http.X-Peer;
    }}
    unset resp.http.X-Peer;
}}
"""
"""As little as makes Varnish comparable: no cookies, no guessing, no grace; Cache-Status as we say it."""


@dataclass(slots=True, kw_only=True)
class Origin:
    """An HTTP origin that answers each path by a script, the last answer again and again."""

    scripts: dict[str, list[ScriptedResponse]] = field(default_factory=dict)
    requests: dict[str, list[Mapping[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> bytes:
        """The next answer's bytes."""
        path = target.partition("?")[0]
        self.requests[path].append(headers)
        script = self.scripts[path]
        step = script.pop(0) if len(script) > 1 else script[0]
        pairs = [*step.headers, ("Content-Length", str(len(step.body)))]
        return socket_origin.wire(step, pairs, head_only=method == "HEAD")


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        line = self.rfile.readline().decode("latin-1")
        if not line:
            return
        method, target, _ = line.split(" ", 2)
        headers = {}
        while text := self.rfile.readline().strip().decode("latin-1"):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        self.rfile.read(int(headers.get("content-length", "0")))
        self.wfile.write(self.server.origin.answer(method, target, headers))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, origin: Origin) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.origin = origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One way to the origin: its port, and the name that its cache has in Cache-Status."""

    port: int
    cache: str
    origin: Origin

    def ask(self, target: str, method: str = "GET", **headers: str) -> Answer:
        """Ask through this door; header fields are spelt with underscores."""
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return raw_http.ask(self.port, target, pairs, method=method)


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Door]]:
    """A gateway and a Varnish, each before an origin of its own."""
    with ExitStack() as stack:
        doors_by_name = {}
        for cache in ("broadsheet", "varnish"):
            origin = Origin()
            behind = stack.enter_context(socket_origin.running(_Server(origin)))
            port = _gateway(stack, behind)
            if cache == "varnish":
                vcl = VCL.format(port=behind)
                port = stack.enter_context(varnished(tmp_path_factory.mktemp("peer"), vcl)).port
            doors_by_name[cache] = Door(port=port, cache=cache, origin=origin)
        yield doors_by_name


def _gateway(stack: ExitStack, behind: int) -> int:
    proxy = Proxy(f"http://127.0.0.1:{behind}", timeout=timedelta(seconds=5))
    options = Options(
        obeyed_request_directives=frozenset()
    )  # as Varnish: an origin's shield hears no reader's wish
    server = socket_origin._Threaded(("127.0.0.1", 0), socket_origin._Quiet)
    server.set_app(Gateway(proxy, store=MemoryStore(), options=options))
    return stack.enter_context(socket_origin.running(server))


@pytest.fixture(params=["broadsheet", "varnish"])
def door(request: pytest.FixtureRequest, doors: dict[str, Door]) -> Door:
    """Each door in turn."""
    selected: Door = doors[request.param]
    return selected


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request, and whether a shared cache answers it by itself."""

    hit: bool
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What an origin says, and the requests that follow upon one another."""

    id: str
    origin: tuple[ScriptedResponse, ...]
    steps: tuple[Step, ...]


def step(*, hit: bool, query: str = "", method: str = "GET", **more: Any) -> Step:
    """A request; header fields are spelt with underscores."""
    own = {name: more.pop(name) for name in ("status", "body") if name in more}
    return Step(hit=hit, query=query, method=method, headers=more, **own)


def case(name: str, *steps: Step, origin: tuple[ScriptedResponse, ...] = (), **more: Any) -> Case:
    """A row of the table; `more` is what the origin says where it has but one answer."""
    return Case(id=name, origin=origin or (says(b"page", **more),), steps=steps)


def stored_case(name: str, status: int = 200, **more: Any) -> Case:
    """An answer that is used again."""
    steps = Step(hit=False, status=status), Step(hit=True, status=status)
    return case(name, *steps, status=status, **more)


def refused_case(name: str, **more: Any) -> Case:
    """An answer that is never used again."""
    return case(name, MISS, MISS, MISS, **more)


MISS, HIT = Step(hit=False), Step(hit=True)
LONG: dict[str, Any] = {"cache_control": "max-age=3600"}
BASIC = "Basic YTpi"
SINCE = "Sun, 06 Nov 1994 08:49:37 GMT"
NO, YES = says(b"old", cache_control="no-store"), says(b"new", **LONG)
ONE, TWO = says(b"one", vary="X-Kind", **LONG), says(b"two", vary="X-Kind", **LONG)

STORING = [
    stored_case("9111-3-max-age", **LONG),
    stored_case("9111-3-s-maxage", cache_control="s-maxage=3600"),
    stored_case("9111-3-s-maxage-before-max-age-0", cache_control="max-age=0, s-maxage=3600"),
    stored_case("9111-3-public", cache_control="public, max-age=3600"),
    stored_case("9111-5.2.2.2-must-revalidate", cache_control="max-age=3600, must-revalidate"),
    stored_case("9111-5.2.2.8-proxy-revalidate", cache_control="max-age=3600, proxy-revalidate"),
    stored_case("8246-2-immutable", cache_control="max-age=3600, immutable"),
    stored_case("9111-5.2-directives-have-no-case", cache_control="MAX-AGE=3600"),
    stored_case("9111-5.2.3-unknown-directives", cache_control="x=y, max-age=3600, z"),
    stored_case("9111-5.3-expires-to-come", expires="Fri, 01 Jan 2100 00:00:00 GMT"),
    stored_case("9111-4.2.3-an-age-within-the-lifetime", age="100", **LONG),
    *(stored_case(f"9111-3-a-{status}", status=status, **LONG) for status in (203, 404, 410)),
    *(
        stored_case(f"9111-3-a-{status}", status=status, location="/", **LONG)
        for status in (301, 302)
    ),
    refused_case("9111-5.2.2.5-no-store", cache_control="no-store"),
    refused_case("9111-5.2.2.5-no-store-beside-max-age", cache_control="max-age=3600, no-store"),
    refused_case("9111-5.2.2.5-no-store-has-no-case", cache_control="max-age=3600, No-Store"),
    refused_case(
        "9111-5.2.2.5-no-store-on-a-line-of-its-own",
        also=[("Cache-Control", "max-age=3600"), ("Cache-Control", "no-store")],
    ),
    refused_case("9111-5.2.2.7-private", cache_control="private, max-age=3600"),
    refused_case("9111-5.2.2.4-no-cache", cache_control="no-cache, max-age=3600"),
    refused_case("9111-3-max-age-0", cache_control="max-age=0"),
    refused_case("9111-3-s-maxage-0-before-max-age", cache_control="s-maxage=0, max-age=3600"),
    refused_case("9111-3-nothing-said"),
    refused_case("9111-7.3-set-cookie", set_cookie="a=1", **LONG),
    refused_case("9110-12.5.5-vary-star", vary="*", **LONG),
    refused_case("9111-4.2.3-an-age-beyond-the-lifetime", age="7200", **LONG),
    refused_case("9111-5.3-expires-in-the-past", expires="Thu, 01 Jan 2015 00:00:00 GMT"),
    case(
        "9111-3-a-page-that-may-be-stored-later",
        *(step(hit=hit, body=body) for hit, body in ((False, b"old"), (False, b"new"))),
        origin=(NO, says(b"new", cache_control="no-store")),
    ),
]

KEYS = [
    case("9111-2-the-query-is-in-the-key", MISS, step(hit=False, query="?a"), HIT, **LONG),
    case("9111-2-cookies-split-no-page", MISS, step(hit=True, Cookie="a=1"), **LONG),
    case(
        "9111-2-agents-split-no-page",
        step(hit=False, User_Agent="a"),
        step(hit=True, User_Agent="b"),
        **LONG,
    ),
    case(
        "9111-4.1-each-variant-for-its-readers",
        step(hit=False, X_Kind="a", body=b"one"),
        step(hit=False, X_Kind="b", body=b"two"),
        step(hit=True, X_Kind="a", body=b"one"),
        step(hit=True, X_Kind="b", body=b"two"),
        origin=(ONE, TWO),
    ),
    case(
        "9111-4.1-nothing-sent-is-a-variant",
        step(hit=False, body=b"one"),
        step(hit=False, X_Kind="a", body=b"two"),
        step(hit=True, body=b"one"),
        origin=(ONE, TWO),
    ),
    case(
        "9111-4.1-two-lines-of-vary",
        step(hit=False, X_Kind="a", X_Other="a"),
        step(hit=False, X_Kind="a", X_Other="b"),
        step(hit=True, X_Kind="a", X_Other="a"),
        also=[("Vary", "X-Kind"), ("Vary", "X-Other")],
        **LONG,
    ),
    case(
        "9111-3.5-an-authorized-answer-is-not-shared",
        step(hit=False, Authorization=BASIC, body=b"old"),
        step(hit=False, body=b"new"),
        step(hit=True, body=b"new"),
        origin=(says(b"old", **LONG), YES),
    ),
    case("9111-4-a-post-is-passed-on", MISS, step(hit=False, method="POST"), **LONG),
    case(
        "9111-4-a-post-is-not-stored",
        step(hit=False, method="POST", body=b"old"),
        step(hit=False, body=b"new"),
        origin=(says(b"old", **LONG), YES),
    ),
]

ANSWERS = [
    case("9111-4-a-head-from-a-stored-get", MISS, step(hit=True, method="HEAD", body=b""), **LONG),
    case(
        "9111-4.3.2-a-304-from-the-store",
        MISS,
        step(hit=True, If_None_Match='"a"', status=304, body=b""),
        step(hit=True, If_None_Match='W/"a"', status=304, body=b""),
        step(hit=True, If_None_Match='"b"', body=b"page"),
        HIT,
        etag='"a"',
        **LONG,
    ),
    case(
        "9111-4.3.2-a-304-by-date-from-the-store",
        MISS,
        step(hit=True, If_Modified_Since=SINCE, status=304, body=b""),
        step(hit=True, If_Modified_Since=SINCE.replace(":37", ":36"), body=b"page"),
        last_modified=SINCE,
        **LONG,
    ),
    case(
        "9111-4.3.1-a-condition-on-a-miss-fetches-the-whole",
        step(hit=False, If_None_Match='"z"', body=b"page"),
        step(hit=True, body=b"page"),
        etag='"a"',
        **LONG,
    ),
    case(
        "9110-14-a-part-from-the-store",
        MISS,
        step(hit=True, Range="bytes=1-2", status=206, body=b"ag"),
        step(hit=True, Range="bytes=-1", status=206, body=b"e"),
        step(hit=True, Range="bytes=9-", status=416),
        step(hit=True, body=b"page"),
        etag='"a"',
        **LONG,
    ),
    case(
        "9110-14.2-a-part-on-a-miss-fetches-the-whole",
        step(hit=False, Range="bytes=1-2", status=206, body=b"ag"),
        step(hit=True, body=b"page"),
        etag='"a"',
        **LONG,
    ),
]


@pytest.mark.parametrize("row", [*STORING, *KEYS, *ANSWERS], ids=lambda row: row.id)
def test_both_caches_decide_alike(door: Door, row: Case) -> None:
    """A hit is a hit and a miss is a miss, with the body of the page."""
    play(door, f"/agreed/{row.id}", row.origin, row.steps)


def play(
    door: Door, path: str, origin: tuple[ScriptedResponse, ...], steps: tuple[Step, ...]
) -> None:
    """Send the requests one after the other, and look at each answer."""
    door.origin.scripts[path] = list(origin)
    for one in steps:
        answer = door.ask(path + one.query, one.method, **one.headers)
        (assert_hit if one.hit else assert_miss)(answer, cache=door.cache)
        assert answer.status == one.status
        if one.body is not None:
            assert answer.body == one.body


@pytest.mark.parametrize("validator", ["etag", "last_modified"])
def test_both_revalidate_what_has_become_stale(door: Door, validator: str) -> None:
    """With the stored validator; a 304 makes it fresh, a 200 takes its place (RFC 9111, 4.3)."""
    path = f"/revalidated/{validator}"
    fields: dict[str, Any] = {"etag": '"a"'} if validator == "etag" else {"last_modified": SINCE}
    old = says(b"old", cache_control="max-age=1", **fields)
    fresh = says(status=304, cache_control="max-age=3600", **fields)
    door.origin.scripts[path] = [old, fresh, says(b"never", **LONG)]
    assert_miss(door.ask(path), cache=door.cache)
    assert eventually(lambda: door.ask(path) is not None and len(door.origin.requests[path]) == 2)
    revalidation = door.origin.requests[path][1]
    field = "if-none-match" if validator == "etag" else "if-modified-since"
    assert revalidation[field] == next(iter(fields.values()))
    second = door.ask(path)
    assert_hit(second, cache=door.cache)
    assert (second.body, len(door.origin.requests[path])) == (b"old", 2)


def test_both_tell_the_age_they_were_told(door: Door) -> None:
    """What comes from further up is counted on (RFC 9111 section 4.2.3)."""
    door.origin.scripts["/aged"] = [says(b"page", age="100", **LONG)]
    assert_miss(door.ask("/aged"), cache=door.cache)
    answer = door.ask("/aged")
    assert_hit(answer, cache=door.cache)
    assert 100 <= int(answer.headers["Age"]) <= 102


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where Varnish does something else, as its built-in VCL or its manual says."""

    id: str
    why: str
    origin: tuple[ScriptedResponse, ...]
    ours: tuple[Step, ...]
    theirs: tuple[Step, ...]


def differs(
    name: str, why: str, *, ours: tuple[Step, ...], theirs: tuple[Step, ...], **fields: Any
) -> Difference:
    """A row of the list."""
    status = fields.pop("status", 200)
    origin = (says(b"page", status=status, **fields),)
    return Difference(id=name, why=why, origin=origin, ours=ours, theirs=theirs)


FAILED = Step(hit=False, status=500), Step(hit=True, status=500)
DIFFERENCES = [
    differs(
        "9111-3.1-private-fields",
        "The built-in VCL takes every private for the bare one.",
        ours=(MISS, HIT),
        theirs=(MISS, MISS),
        cache_control='max-age=3600, private="X-Me"',
    ),
    differs(
        "9111-5.2-a-directive-in-quotes",
        "The built-in VCL looks for the word, wherever it stands.",
        ours=(MISS, HIT),
        theirs=(MISS, MISS),
        cache_control='max-age=3600, x="no-store"',
    ),
    differs(
        "9213-2.2-cdn-cache-control",
        "Varnish does not know targeted fields.",
        ours=(MISS, HIT),
        theirs=(MISS, MISS),
        cache_control="no-store",
        also=[("CDN-Cache-Control", "max-age=3600")],
    ),
    differs(
        "9111-3.5-an-authorized-reader-of-a-public-page",
        "The built-in VCL passes whoever sends credentials.",
        ours=(MISS, step(hit=True, Authorization=BASIC)),
        theirs=(MISS, step(hit=False, Authorization=BASIC)),
        cache_control="public, max-age=3600",
    ),
    differs(
        "9111-3-an-error-that-may-be-stored",
        "Varnish gives no lifetime to statuses that it does not list.",
        ours=FAILED,
        theirs=(FAILED[0], FAILED[0]),
        status=500,
        **LONG,
    ),
    *(
        differs(
            f"9111-5.3-expires-{text}",
            "Varnish takes an Expires that is no date for none, and its default lifetime holds.",
            ours=(MISS, MISS),
            theirs=(MISS, HIT),
            expires=text,
        )
        for text in ("0", "never")
    ),
    differs(
        "9110-13.1.2-a-list-of-tags",
        "Varnish 7 compares If-None-Match as if it were one tag.",
        ours=(MISS, step(hit=True, If_None_Match='"z", "a"', status=304)),
        theirs=(MISS, step(hit=True, If_None_Match='"z", "a"')),
        etag='"a"',
        **LONG,
    ),
    differs(
        "9110-14.2-a-range-of-another-unit",
        "Varnish 7 says 416 to what RFC 9110 lets a server ignore.",
        ours=(MISS, step(hit=True, Range="x=1-2", body=b"page")),
        theirs=(MISS, step(hit=True, Range="x=1-2", status=416)),
        **LONG,
    ),
    differs(
        "9111-4.4-a-post-invalidates",
        "Varnish leaves invalidation to purges and bans.",
        ours=(MISS, HIT, step(hit=False, method="POST"), MISS),
        theirs=(MISS, HIT, step(hit=False, method="POST"), HIT),
        **LONG,
    ),
]


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row.id)
def test_where_they_differ_it_is_known(door: Door, row: Difference) -> None:
    """Each does what the list says, so the list stays true."""
    steps = row.ours if door.cache == "broadsheet" else row.theirs
    play(door, f"/different/{row.id}", row.origin, steps)


PACKED = [("Accept-Encoding", "gzip")]
"""What Varnish asks for itself; whoever wants less gets it unpacked by Varnish, with a weak tag."""


@pytest.fixture(scope="module")
def shielded(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Varnish in front of the site and its gateway."""
    with varnished(tmp_path_factory.mktemp("front"), VCL.format(port=site.port)) as started:
        yield started.port


@pytest.mark.parametrize(
    "path",
    ["/", "/articles/small-print", "/feed.xml", "/api/posts", "/no-such-page", "/About"],
)
def test_the_site_behind_a_varnish(site: Site, shielded: int, path: str) -> None:
    """A miss at both, then a hit at Varnish alone: the same page, one Age, each cache's word."""
    site.forget()
    straight, plain = site.ask(path, PACKED), site.ask(path).body
    site.forget()
    first, second = raw_http.ask(shielded, path, PACKED), raw_http.ask(shielded, path, PACKED)
    assert first.cache_status == "broadsheet; fwd=uri-miss; stored, varnish; fwd=miss"
    assert second.cache_status.endswith("varnish; hit")
    for answer in (first, second):
        assert (answer.status, answer.body) == (straight.status, straight.body)
        assert straight.page[1] <= answer.page[1]
        assert re.fullmatch(r"[0-9]", answer.headers["Age"])
    assert raw_http.ask(shielded, path).body == plain


def test_a_page_keeps_its_age_behind_a_varnish(site: Site, shielded: int) -> None:
    """What lives for a time alone is no younger at Varnish than at the gateway."""
    path = "/edge/two-minutes"
    site.forget()
    site.ask(path)
    assert eventually(lambda: int(site.ask(path).headers["Age"]) >= 1)
    answer = raw_http.ask(shielded, path)
    assert "broadsheet; hit" in answer.cache_status
    assert answer.cache_status.endswith("varnish; fwd=miss")
    assert int(answer.headers["Age"]) >= 1
    assert int(raw_http.ask(shielded, path).headers["Age"]) >= int(answer.headers["Age"])


def test_a_page_that_is_purged_is_new_to_a_varnish(site: Site, shielded: int) -> None:
    """However long the gateway has had it, Varnish may keep it for as long as it is told."""
    site.forget()
    site.ask("/about")
    assert eventually(lambda: int(site.ask("/about").cache_status.rpartition("=")[2]) < 86399)
    answer = raw_http.ask(shielded, "/about")
    assert "broadsheet; hit" in answer.cache_status
    assert answer.headers["Age"] == "0"
    assert raw_http.ask(shielded, "/about").cache_status.endswith("varnish; hit")


def test_a_reader_behind_a_varnish_validates(site: Site, shielded: int) -> None:
    """Whoever has the page hears 304 from Varnish, with the site's own tag."""
    tag = raw_http.ask(shielded, "/topics").headers["ETag"]
    second = raw_http.ask(shielded, "/topics", [("If-None-Match", tag)])
    assert (second.status, second.body) == (304, b"")
    assert second.cache_status.endswith("varnish; hit")


@pytest.mark.parametrize("path", ["/edge/no-store", "/healthz", "/about?x=1"])
def test_what_nobody_may_store_passes_a_varnish(site: Site, shielded: int, path: str) -> None:
    """Each reader gets one of their own."""
    for _ in range(2):
        answer = raw_http.ask(shielded, path)
        assert answer.cache_status.endswith("varnish; fwd=miss")
        assert "no-store" in answer.headers["Cache-Control"]


def test_a_stranger_behind_a_varnish_shapes_no_page(site: Site, shielded: int) -> None:
    """What Varnish hands on of their headers changes nothing for the next reader."""
    right = site.ask("/archive").body
    site.forget()
    lines = ["SCRIPT_NAME: /evil", "X_Forwarded_Host: evil", "X-Forwarded-Host: evil"]
    data = raw_http.request("/archive", *lines, "Forwarded: host=evil", host="127.0.0.1")
    assert raw_http.exchange(shielded, data).body == right
    assert site.ask("/archive").body == right
    assert raw_http.ask(shielded, "/archive").body == right
