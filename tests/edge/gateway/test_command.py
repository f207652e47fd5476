"""The command over real HTTP and real time: requirements of the standards on a default cache.

No test waits: an old response arrives with an Age, or with a Date in the past.
"""

from __future__ import annotations

import http.client
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.http.dates import format_http_date
from tests.edge.gateway.socket_origin import running, wait_for
from tests.live.run_folder import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]
LONG = "Cache-Control: max-age=3600"
NUMBERS = count(1)


@dataclass
class BytesOrigin:
    """Writes scripted bytes, one response per request, and records the requests."""

    script: list[bytes] = field(default_factory=list)
    requests: list[tuple[str, str, http.client.HTTPMessage]] = field(default_factory=list)

    def handle(self, stream: Any, connection: Any) -> None:
        """Answer one request and close."""
        line = stream.readline().decode("latin-1")
        if line:
            method, target, _ = line.split(" ", 2)
            headers = http.client.parse_headers(stream)
            stream.read(int(headers.get("Content-Length", "0")))
            self.requests.append((method, target, headers))
            connection.sendall(self.script.pop(0) if self.script else says(b"?", status=599))


def says(body: bytes = b"page", *lines: str, status: int = 200, date: float | None = 0) -> bytes:
    """Build a response; `date` is seconds from now, None for no Date."""
    head = [f"HTTP/1.1 {status} Said", *lines, "Connection: close"]
    if date is not None:
        head.append(f"Date: {format_http_date(time.time() + date)}")
    if status not in {204, 304} and not any(one.startswith("Content-Length") for one in lines):
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response as the client received it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def cache(self) -> str:
        """Return the gateway's Cache-Status of the response."""
        return (self.headers["Cache-Status"] or "").removeprefix("broadsheet; ")


@dataclass(kw_only=True)
class CommandStage:
    """The command on a port in front of the origin; each test has its own path."""

    port: int
    origin: BytesOrigin
    path: str = ""

    def ask(self, *lines: str, method: str = "GET", path: str | None = None) -> Answer:
        """Send one request with these header lines."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.putrequest(method, path or self.path, skip_accept_encoding=True)
            for line in lines:
                link.putheader(*line.split(": ", 1))
            link.endheaders()
            response = link.getresponse()
            try:
                body = response.read()
            except http.client.IncompleteRead as error:
                body = error.partial
            return Answer(status=response.status, headers=response.headers, body=body)
        finally:
            link.close()

    def fetch(self, answer: bytes, *lines: str, **more: Any) -> Answer:
        """Send a request that the origin must answer with this response."""
        before = len(self.origin.requests)
        self.origin.script[:] = [answer]
        response = self.ask(*lines, **more)
        assert len(self.origin.requests) == before + 1, f"The origin was not asked: {response}"
        return response

    def hit(self, *lines: str, **more: Any) -> Answer:
        """Send a request that must not reach the origin."""
        before = len(self.origin.requests)
        self.origin.script.clear()
        response = self.ask(*lines, **more)
        assert len(self.origin.requests) == before, f"The origin was asked: {response}"
        return response


@pytest.fixture(scope="module")
def command() -> Iterator[CommandStage]:
    """Run the command with only an origin and a port."""
    origin = BytesOrigin()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            origin.handle(self.rfile, self.connection)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with running(Server(("127.0.0.1", 0), Handler)) as origin_port:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        address = f"http://127.0.0.1:{origin_port}"
        process = RUN.start(
            [sys.executable, "-m", "app.edge.gateway", address, "--port", str(port)], cwd=ROOT
        )
        try:
            wait_for(port)
            yield CommandStage(port=port, origin=origin)
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def stage(command: CommandStage) -> CommandStage:
    """Return the stage with an unused path."""
    command.path = f"/{next(NUMBERS)}"
    return command


CHUNKED = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n"
AGO = format_http_date(time.time() - 86_400 * 30)
SOON = format_http_date(time.time() + 3600)

FRESH = {
    "9111-4.2.1 max-age": [LONG],
    "9111-4.2.1 s-maxage before max-age": ["Cache-Control: max-age=0, s-maxage=3600"],
    "9111-4.2.1 max-age before Expires": [LONG, f"Expires: {AGO}"],
    "9111-4.2.1 Expires": [f"Expires: {SOON}"],
    "9111-5.2 a name has no case": ["Cache-Control: MaX-aGe=3600"],
    "9111-5.2 an argument may be quoted": ['Cache-Control: max-age="3600"'],
    "9111-5.2 lines are joined": ["Cache-Control: public", "Cache-Control: max-age=3600"],
    "9111-5.2 empty elements": ["Cache-Control: , ,max-age=3600,"],
    "9111-5.2.3 unknown directives": ['Cache-Control: a, b=c, d="no-store, max-age=0", max-age=60'],
    "9111-1.2.2 too large a number": ["Cache-Control: max-age=99999999999999999999"],
    "9111-5.2.2.3 must-understand": ["Cache-Control: max-age=60, no-store, must-understand"],
    "9111-5.4 Pragma means nothing in a response": [LONG, "Pragma: no-cache"],
    "9111-5.1 what is no Age": [LONG, "Age: x"],
    "9111-5.1 a negative Age": [LONG, "Age: -7200"],
    "9111-5.1 the first of several Ages": [LONG, "Age: 0, 7200"],
    "9111-4.2.2 heuristic": [f"Last-Modified: {AGO}"],
    "9111-3 public without more": [f"Last-Modified: {AGO}", "Cache-Control: public"],
    "9213-2.2 the targeted field": ["Cache-Control: no-store", "CDN-Cache-Control: max-age=60"],
    "9213-2.1 parameters": ["Cache-Control: no-store", "CDN-Cache-Control: max-age=60;a=1"],
    "9213-2.1 the last of a key": [LONG, "CDN-Cache-Control: max-age=0, max-age=60"],
    "9213-2.1 a directive that is false": [LONG, "CDN-Cache-Control: no-store=?0, max-age=60"],
    "9213-2.1 no dictionary": [LONG, "CDN-Cache-Control: max-age=0, &"],
    "9213-2.1 an upper-case key": [LONG, "CDN-Cache-Control: Max-Age=0"],
    "9213-2.1 empty": [LONG, "CDN-Cache-Control: "],
    "9213-2.2 Expires does not count": [f"Expires: {AGO}", "CDN-Cache-Control: max-age=60"],
    "8246 immutable": ["Cache-Control: max-age=3600, immutable"],
}


@pytest.mark.parametrize("lines", FRESH.values(), ids=FRESH)
def test_what_is_fresh_is_used(stage: CommandStage, lines: list[str]) -> None:
    """The second reader gets the first response, with an Age."""
    first = stage.fetch(says(b"page", *lines))
    second = stage.hit()
    assert second.body == first.body == b"page"
    assert int(second.headers["Age"]) < 10
    assert second.cache.startswith("hit; ttl=")


NOT_USED = {
    "9111-4.2 nothing said": [],
    "9111-5.2.2.5 no-store": ["Cache-Control: no-store, max-age=60"],
    "9111-5.2.2.5 no-store twice": ["Cache-Control: max-age=60", "Cache-Control: no-store"],
    "9111-5.2.2.7 private": ["Cache-Control: private, max-age=60"],
    "9111-5.2.2.4 no-cache": ["Cache-Control: no-cache, max-age=60"],
    "9111-4.2.1 max-age=0": ["Cache-Control: max-age=0"],
    "9111-4.2.1 s-maxage=0": ["Cache-Control: s-maxage=0, max-age=60"],
    "9111-4.2.1 a fraction": ["Cache-Control: max-age=60.0"],
    "9111-4.2.1 negative": ["Cache-Control: max-age=-60"],
    "9111-4.2.1 in single quotes": ["Cache-Control: max-age='60'"],
    "9111-4.2.1 space before the sign": ["Cache-Control: max-age =60"],
    "9111-4.2.1 space after the sign": ["Cache-Control: max-age= 60"],
    "9111-4.2.1 no number": ["Cache-Control: max-age"],
    "9111-4.2.1 max-age beats Expires": ["Cache-Control: max-age=0", f"Expires: {SOON}"],
    "9111-4.2.3 an old Age": [LONG, "Age: 7200"],
    "9111-4.2.3 the largest Age": [LONG, "Age: 99999999999999"],
    "9111-5.3 Expires has passed": [f"Expires: {AGO}"],
    "9111-5.3 Expires is no date": ["Expires: 0"],
    "9111-5.3 Expires in another zone": [f"Expires: {SOON.replace('GMT', 'UTC')}"],
    "9111-5.3 two that differ": [f"Expires: {SOON}", f"Expires: {AGO}"],
    "9111-4.1 Vary *": [LONG, "Vary: *"],
    "9111-4.1 Vary * among others": [LONG, "Vary: Accept, *"],
    "7.3 a cookie": [LONG, "Set-Cookie: a=b"],
    "9213-2.2 no-store for us": [LONG, "CDN-Cache-Control: no-store"],
    "9213-2.1 a number in quotes": [LONG, 'CDN-Cache-Control: max-age="60"'],
    "9213-2.2 private for us": [LONG, "CDN-Cache-Control: private"],
}


@pytest.mark.parametrize("lines", NOT_USED.values(), ids=NOT_USED)
def test_what_is_not_fresh_or_not_shared_is_not_used(stage: CommandStage, lines: list[str]) -> None:
    """The second reader gets a new page."""
    stage.fetch(says(b"old", *lines))
    assert stage.fetch(says(b"new", *lines)).body == b"new"


def test_an_old_date_is_an_age(stage: CommandStage) -> None:
    """RFC 9111 section 4.2.3: the apparent age counts and is sent."""
    stage.fetch(says(b"page", LONG, date=-1000))
    assert 1000 <= int(stage.hit().headers["Age"]) < 1010
    stage.path += "b"
    stage.fetch(says(b"old", LONG, date=-4000))
    assert stage.fetch(says(b"new", LONG)).body == b"new"


@pytest.mark.parametrize("date", [None, 7200])
def test_no_date_and_one_ahead_are_taken_for_now(stage: CommandStage, date: float | None) -> None:
    """RFC 9110 section 6.6.1."""
    stage.fetch(says(b"page", LONG, date=date))
    assert int(stage.hit().headers["Age"]) < 10


STATUSES = [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 418, 500, 503, 599]


@pytest.mark.parametrize("status", STATUSES)
def test_every_final_status_may_be_kept(stage: CommandStage, status: int) -> None:
    """RFC 9111 section 3: an explicit lifetime allows storing any final status."""
    stage.fetch(says(b"" if status == 204 else b"page", LONG, status=status))
    assert stage.hit().status == status


@pytest.mark.parametrize("status", [201, 302, 400, 403, 500])
def test_a_guess_is_for_some_statuses_alone(stage: CommandStage, status: int) -> None:
    """RFC 9110 section 15.1: these are not heuristically cacheable."""
    stage.fetch(says(b"page", f"Last-Modified: {AGO}", status=status))
    stage.fetch(says(b"page", f"Last-Modified: {AGO}", status=status))


def test_what_speaks_of_a_hop_stays_there(stage: CommandStage) -> None:
    """RFC 9111 section 3.1: fields that Connection lists are not stored."""
    lines = ("Connection: X-Hop", "X-Hop: 1", "Keep-Alive: timeout=5", "X-End: 2", LONG)
    for response in (stage.fetch(says(b"page", *lines)), stage.hit()):
        assert response.headers["X-End"] == "2"
        assert response.headers["X-Hop"] is None


def test_fields_that_are_private_or_to_be_checked_are_not_kept(stage: CommandStage) -> None:
    """RFC 9111 sections 5.2.2.4 and 5.2.2.7: the other fields are stored."""
    lines = ('Cache-Control: max-age=60, private="X-P", no-cache="x-c, x-d"', "X-P: 1", "X-C: 2")
    assert stage.fetch(says(b"page", *lines)).headers["X-P"] == "1"
    response = stage.hit()
    assert (response.headers["X-P"], response.headers["X-C"]) == (None, None)


def test_variants_are_kept_apart(stage: CommandStage) -> None:
    """RFC 9111 section 4.1: all listed fields select, also absent ones."""
    for name, lines in {"none": (), "1": ("A: 1",), "2": ("A: 2", "B: 1")}.items():
        stage.fetch(says(name.encode(), LONG, "Vary: A", "Vary: b"), *lines)
    assert stage.hit().body == b"none"
    assert stage.hit("A: 1").body == b"1"
    assert stage.hit("B: 1", "A: 2").body == b"2"
    stage.fetch(says(b"3", LONG, "Vary: A, B"), "A: 1", "B: 1")


def test_what_means_the_same_is_one_variant(stage: CommandStage) -> None:
    """RFC 9111 section 4.1: white space and insignificant case are normalised."""
    stage.fetch(says(b"page", LONG, "Vary: Accept-Language"), "Accept-Language: en, de;q=0.5")
    stage.hit("Accept-Language: EN,de; q=0.5")
    stage.fetch(says(b"page", LONG, "Vary: Accept-Language"), "Accept-Language: de, en;q=0.5")


@pytest.mark.parametrize(
    ("lines", "stored"),
    [
        (("Cache-Control: no-cache",), LONG),
        (("Cache-Control: max-age=0",), f"{LONG}, stale-while-revalidate=60"),
        (("Cache-Control: min-fresh=7200",), LONG),
        (("Pragma: no-cache",), LONG),
    ],
)
def test_a_reader_may_want_a_new_one(
    stage: CommandStage, lines: tuple[str, ...], stored: str
) -> None:
    """RFC 9111 section 5.2.1: the stored response is validated or replaced."""
    stage.fetch(says(b"old", stored, 'ETag: "a"', "Age: 1"))
    response = stage.fetch(says(b"new", stored), *lines)
    assert (response.body, stage.origin.requests[-1][2]["If-None-Match"]) == (b"new", '"a"')
    stage.hit()


def test_a_reader_may_take_a_stale_one(stage: CommandStage) -> None:
    """RFC 9111 section 5.2.1.2: unless the response must be validated."""
    stage.fetch(says(b"old", "Cache-Control: max-age=60", "Age: 90"))
    assert stage.hit("Cache-Control: max-stale=60").body == b"old"
    assert stage.hit("Cache-Control: max-stale").body == b"old"
    assert stage.fetch(says(b"new", LONG), "Cache-Control: max-stale=9").body == b"new"
    stage.path += "b"
    stage.fetch(says(b"old", "Cache-Control: max-age=60, must-revalidate", "Age: 90"))
    assert stage.fetch(says(b"new", LONG), "Cache-Control: max-stale").body == b"new"


def test_a_reader_may_want_nothing_from_the_origin(stage: CommandStage) -> None:
    """RFC 9111 section 5.2.1.7: 504."""
    assert stage.hit("Cache-Control: only-if-cached").status == 504
    stage.fetch(says(b"page", LONG))
    assert stage.hit("Cache-Control: only-if-cached").status == 200


def test_a_reader_may_want_nothing_kept(stage: CommandStage) -> None:
    """RFC 9111 section 5.2.1.5."""
    stage.fetch(says(b"page", LONG), "Cache-Control: no-store")
    stage.fetch(says(b"page", LONG))


@pytest.mark.parametrize(
    ("validator", "lines", "status"),
    [
        ('ETag: "a"', ['If-None-Match: "a"'], 304),
        ('ETag: "a"', ['If-None-Match: W/"a"'], 304),
        ('ETag: W/"a"', ['If-None-Match: "x", "a"'], 304),
        ('ETag: "a"', ["If-None-Match: *"], 304),
        ('ETag: "a"', ['If-None-Match: "x"', f"If-Modified-Since: {SOON}"], 200),
        (f"Last-Modified: {AGO}", [f"If-Modified-Since: {AGO}"], 304),
        (f"Last-Modified: {AGO}", [f"If-Modified-Since: {format_http_date(1)}"], 200),
        (f"Last-Modified: {AGO}", ["If-Modified-Since: yesterday"], 200),
        ('ETag: "a"', ["Range: bytes=1-2"], 206),
        ('ETag: "a"', ["Range: bytes=9-"], 416),
        ('ETag: "a"', ["Range: bytes=1-2", 'If-Range: "a"'], 206),
        ('ETag: "a"', ["Range: bytes=1-2", 'If-Range: "b"'], 200),
        ('ETag: W/"a"', ["Range: bytes=1-2", 'If-Range: W/"a"'], 200),
    ],
    ids=[
        "same",
        "same but weakly asked",
        "weak in a list",
        "any",
        "another, whatever the date",
        "same date",
        "later date",
        "no date",
        "range",
        "range past the end",
        "range of the same",
        "range of another",
        "range of the weakly same",
    ],
)
def test_conditions_are_evaluated_here(
    stage: CommandStage, validator: str, lines: list[str], status: int
) -> None:
    """RFC 9111 section 4.3.2, RFC 9110 section 13.2.2."""
    stage.fetch(says(b"page", LONG, validator))
    response = stage.hit(*lines)
    assert response.status == status
    assert response.headers["Date"]
    if status == 304:
        assert response.body == b""
        assert response.headers["Cache-Control"] == "max-age=3600"


def test_what_is_confirmed_is_fresh_again_with_newer_fields(stage: CommandStage) -> None:
    """RFC 9111 sections 4.3.4 and 3.2: all fields except descriptions of the bytes."""
    stage.fetch(says(b"page", "Cache-Control: max-age=1", "Age: 5", 'ETag: "a"', "A: 1", "B: 1"))
    newer = ('ETag: "a"', LONG, "A: 2", "Content-Length: 999", "Content-Encoding: x", "C: 3")
    stage.fetch(says(b"", *newer, status=304))
    response = stage.hit()
    assert (response.body, response.headers["Content-Length"]) == (b"page", "4")
    assert [response.headers[name] for name in "ABC"] == ["2", "1", "3"]
    assert response.headers["Content-Encoding"] is None


def test_a_304_for_another_page_is_not_believed(stage: CommandStage) -> None:
    """RFC 9111 section 4.3.4: the page is fetched, without conditions."""
    stage.fetch(says(b"old", "Cache-Control: max-age=1", "Age: 5", 'ETag: "a"'))
    stage.origin.script[:] = [says(b"", 'ETag: "b"', status=304), says(b"new", LONG)]
    assert stage.ask().body == b"new"
    assert stage.origin.requests[-1][2]["If-None-Match"] is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "STRANGE"])
def test_a_success_that_changes_things_invalidates(stage: CommandStage, method: str) -> None:
    """RFC 9111 section 4.4: the target URL, and Location on the same origin."""
    other = f"{stage.path}/other"
    stage.fetch(says(b"old", LONG))
    stage.fetch(says(b"old", LONG), path=other)
    stage.fetch(says(b"no", status=500), method=method)
    stage.hit()
    stage.fetch(says(b"ok", f"Location: {other}"), method=method)
    assert stage.fetch(says(b"new", LONG)).body == b"new"
    assert stage.fetch(says(b"new", LONG), path=other).body == b"new"


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
def test_what_is_safe_invalidates_nothing(stage: CommandStage, method: str) -> None:
    """RFC 9110 section 9.2.1."""
    stage.fetch(says(b"old", LONG))
    stage.ask(method=method)
    stage.hit()


def test_the_answer_to_a_secret_is_not_shared(stage: CommandStage) -> None:
    """RFC 9111 section 3.5: unless the response allows it."""
    stage.fetch(says(b"mine", LONG), "Authorization: Basic YTpi")
    stage.fetch(says(b"ours", f"{LONG}, public"), "Authorization: Basic YTpi")
    assert stage.hit().body == b"ours"


def test_a_stale_page_stands_in_while_the_origin_fails(stage: CommandStage) -> None:
    """RFC 9111 section 4.2.4: unless the response forbids it."""
    stage.fetch(says(b"old", "Cache-Control: max-age=60", "Age: 90"))
    response = stage.fetch(says(b"down", status=503))
    assert (response.status, response.body) == (200, b"old")
    assert response.cache.startswith("fwd=stale; fwd-status=503")
    stage.origin.script[:] = [b""]
    assert stage.ask().body == b"old"
    stage.path += "b"
    stage.fetch(says(b"old", "Cache-Control: max-age=60, must-revalidate", "Age: 90"))
    assert stage.fetch(says(b"down", status=503)).status == 503


def test_a_page_may_be_used_while_it_is_refreshed(stage: CommandStage) -> None:
    """RFC 5861 section 3."""
    stale = "Cache-Control: max-age=60, stale-while-revalidate=60"
    stage.fetch(says(b"old", stale, "Age: 90"))
    refreshed = threading.Event()
    stage.origin.script[:] = [says(b"new", LONG)]
    assert stage.ask().body == b"old"
    end = time.monotonic() + 10
    while stage.origin.script and time.monotonic() < end:
        refreshed.wait(0.01)
    while (response := stage.ask()).body != b"new" and time.monotonic() < end:
        refreshed.wait(0.01)
    assert response.body == b"new"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nabc",
        CHUNKED + b"\r\n3\r\nabc\r\n",
    ],
    ids=["length", "chunked"],
)
def test_what_breaks_off_is_not_kept(stage: CommandStage, answer: bytes) -> None:
    """RFC 9111 section 3.3."""
    stage.fetch(answer)
    assert stage.fetch(says(b"whole", LONG)).body == b"whole"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + says(b"page", LONG),
        b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\npage",
        b"HTTP/1.0 200 OK\r\nCache-Control: max-age=60\r\n\r\npage",
        b"HTTP/1.1 200\r\nCache-Control: max-age=60\r\n\r\npage",
        CHUNKED + b"Trailer: X-T\r\n\r\n4;a=b\r\npage\r\n0\r\nX-T: 1\r\n\r\n",
        says(b"page", LONG, "X-Latin: caf\xe9", "X-Empty: ", "X-Tab: a\tb", "X-Fold: a\r\n b"),
    ],
    ids=["interim", "no-length", "http-1.0", "no-reason", "trailer", "strange-values"],
)
def test_the_shape_of_a_message_says_nothing_of_its_page(
    stage: CommandStage, answer: bytes
) -> None:
    """RFC 9112: a complete body is stored with any framing."""
    assert stage.fetch(answer).body == b"page"
    assert stage.hit().body == b"page"


def test_a_large_page_is_kept_whole(stage: CommandStage) -> None:
    """The page is larger than any buffer on the way."""
    body = b"0123456789abcdef" * 131_072
    stage.fetch(says(body, LONG))
    assert stage.hit().body == body


def test_an_address_is_passed_on_as_it_is_spelt(stage: CommandStage) -> None:
    """RFC 9112 section 3.2.1: some origins distinguish two spellings of a URL."""
    first, second = f"{stage.path}/a%2Fb?q=%2f", f"{stage.path}/a/b?q=%2f"
    stage.fetch(says(b"one", LONG), path=first)
    assert stage.origin.requests[-1][1] == first
    stage.fetch(says(b"two", LONG), path=second)
    assert stage.hit(path=first).body == b"one"


def test_lines_come_through_as_they_are(stage: CommandStage) -> None:
    """RFC 9110 section 5.3: in order, none lost, none merged, also on a HIT."""
    lines = ("Link: <a>", "link: <b>", "X-One: 1", "Server: own", "Content-Type: text/x")
    for response in (stage.fetch(says(b"page", LONG, *lines)), stage.hit()):
        assert response.headers.get_all("Link") == ["<a>", "<b>"]
        assert response.headers.get_all("Server") == ["own"]
        assert response.headers.get_all("Date") is not None
        assert len(response.headers.get_all("Date") or ()) == 1
        assert response.headers.get_all("Content-Type") == ["text/x"]


def test_the_page_is_there_for_who_asks_for_its_head(stage: CommandStage) -> None:
    """RFC 9110 section 9.3.2: the header fields of the page without its body."""
    stage.fetch(says(b"page", LONG, 'ETag: "a"'))
    response = stage.hit(method="HEAD")
    assert (response.headers["Content-Length"], response.headers["ETag"], response.body) == (
        "4",
        '"a"',
        b"",
    )


def test_a_head_tells_that_a_page_is_another(stage: CommandStage) -> None:
    """RFC 9111 section 4.3.5: the stored response becomes stale, or fresh again."""
    stage.fetch(says(b"old", "Cache-Control: max-age=60", 'ETag: "a"', "Age: 90"))
    head = ('ETag: "a"', LONG, "X-New: 1", "Content-Length: 3")
    stage.fetch(says(b"", *head), method="HEAD")
    assert stage.hit().headers["X-New"] == "1"
    stage.fetch(says(b"", 'ETag: "b"', LONG), "Cache-Control: no-cache", method="HEAD")
    assert stage.fetch(says(b"new", LONG)).body == b"new"
