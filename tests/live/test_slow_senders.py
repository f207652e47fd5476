from __future__ import annotations

import hashlib
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from app.server.connection import HEAD_SECONDS
from tests.depth import DEPTH, choose_cases

from . import raw_http
from .dripping import SENDERS, dripping, durations
from .gunicorn import Serve, environment
from .live_site import eventually
from .programs import Running, free_port, running_python

pytestmark = pytest.mark.live

BODY = b"All the news that fits. " * 50_000
"""1.2 MB, which no socket buffer holds."""

LIMIT = 2 * 2**20


@contextmanager
def echoing(folder: Path, migrated: Path, **settings: str) -> Iterator[Running]:
    """Serve the echo on the configuration that is shipped."""
    port = free_port()
    shutil.copy(migrated, folder / "broadsheet.db")
    own = {"FLASK_PORT": str(port), "FLASK_BIND": "127.0.0.1", "WEB_CONCURRENCY": "1"}
    limit = {"FLASK_MAX_CONTENT_LENGTH": str(LIMIT)}
    with running_python(
        ["-m", "gunicorn", "tests.live.echoing:app"],
        port=port,
        log=folder / "gunicorn.log",
        env=environment(folder, {**own, **limit, **settings}),
    ) as started:
        yield started


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[int]:
    """The port of one worker with four threads."""
    with echoing(tmp_path_factory.mktemp("echo"), migrated) as started:
        yield started.port


def expected(body: bytes, *, method: str = "POST", path: str = "/") -> bytes:
    """What the echo answers."""
    return f"{method} {path} {len(body)} {hashlib.sha256(body).hexdigest()}".encode()


def post(body: bytes, *lines: str, close: bool = True, path: str = "/") -> bytes:
    """A POST with this body."""
    length = f"Content-Length: {len(body)}"
    return raw_http.request(path, length, *lines, method="POST", content=body, close=close)


def chunked(body: bytes, *, size: int) -> bytes:
    """The body in chunks of this size, with a trailer."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return chunks + b"0\r\nX-Trailer: a\r\n\r\n"


@pytest.mark.slow
@pytest.mark.parametrize("kind", choose_cases(list(SENDERS)))
def test_slow_senders_hold_up_nobody(serve: Serve, kind: str) -> None:
    """With 200 of them, 99 of 100 other requests are answered within a second."""
    port = serve(WEB_CONCURRENCY="2").port
    raw_http.ask(port, "/healthz")

    def request() -> None:
        assert raw_http.ask(port, "/healthz").status == 200

    with dripping(port, kind, count=200, interval=0.2):
        durations_seen = durations(request, count=200)
    assert sum(seconds > 1 for seconds in durations_seen) <= 2, sorted(durations_seen)[-5:]


@pytest.mark.slow
def test_a_head_that_does_not_arrive_is_refused_in_time(tmp_path: Path, migrated: Path) -> None:
    """With 408, `no-store`, and the end of the connection; after ten seconds in CI."""
    limit = HEAD_SECONDS * min(DEPTH.examples, 1)
    with echoing(tmp_path, migrated, ECHO_HEAD_SECONDS=str(limit)) as started:
        began = time.monotonic()
        answer = raw_http.exchange(started.port, b"GET / HTTP/1.1\r\nHost: a\r\n")
        seconds = time.monotonic() - began
    assert answer.status == 408
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert limit - 0.5 < seconds < limit + 4


def test_a_head_has_ten_seconds_to_arrive() -> None:
    """The limit that the test above shortens by default."""
    assert HEAD_SECONDS == 10


@pytest.mark.slow
def test_clients_that_never_close_hold_up_nobody(echo: int) -> None:
    """The event loop does not wait for the other side to close."""
    with ExitStack() as stack:
        for _ in range(50):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", echo)))
            link.sendall(raw_http.request("/"))
        seconds = durations(lambda: raw_http.ask(echo, "/"), count=20)
    assert max(seconds) < 1


@pytest.mark.parametrize("size", [0, 1, 100, 70_000, len(BODY)])
def test_a_body_arrives_whole(echo: int, size: int) -> None:
    """Whatever its size."""
    assert raw_http.exchange(echo, post(BODY[:size])).body == expected(BODY[:size])


@pytest.mark.parametrize("size", [1, 7, 8192, 100_000])
def test_chunks_arrive_whole(echo: int, size: int) -> None:
    """Whatever their size, with a trailer behind them."""
    body = BODY[: size * 20]
    data = raw_http.request(
        "/", "Transfer-Encoding: chunked", method="POST", content=chunked(body, size=size)
    )
    assert raw_http.exchange(echo, data).body == expected(body)


def test_requests_share_a_connection(echo: int) -> None:
    """Bodies and all, sent one after the other or all at once."""
    chunks = raw_http.request(
        "/chunks",
        "Transfer-Encoding: chunked",
        method="POST",
        content=chunked(BODY[:500], size=100),
        close=False,
    )
    requests = [
        raw_http.request("/a", close=False),
        post(BODY[:100_000], close=False, path="/b"),
        chunks,
        post(b"abc", close=False, path="/unread"),
        raw_http.request("/c"),
    ]
    answers = raw_http.answers(raw_http.send(echo, b"".join(requests)))
    assert [answer.body for answer in answers] == [
        expected(b"", method="GET", path="/a"),
        expected(BODY[:100_000], path="/b"),
        expected(BODY[:500], path="/chunks"),
        expected(b"", path="/unread"),
        expected(b"", method="GET", path="/c"),
    ]
    with socket.create_connection(("127.0.0.1", echo), timeout=raw_http.PATIENCE) as link:
        for data, answer in zip(requests[:3], answers[:3], strict=True):
            link.sendall(data)
            received = b""
            while answer.body not in received:
                received += link.recv(65536)


def test_a_client_that_asks_first_is_told_to_continue(echo: int) -> None:
    """Once, before it sends the body (RFC 9110 section 10.1.1)."""
    with socket.create_connection(("127.0.0.1", echo), timeout=raw_http.PATIENCE) as link:
        head, _, _ = post(b"abc", "Expect: 100-continue").partition(b"\r\n\r\n")
        link.sendall(head + b"\r\n\r\n")
        assert link.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"abc")
        received = b""
        while part := link.recv(65536):
            received += part
    assert b"100 Continue" not in received
    assert received.endswith(expected(b"abc"))


@pytest.mark.parametrize(
    "data",
    [
        post(b"a" * (LIMIT + 1)),
        raw_http.request(
            "/", f"Content-Length: {LIMIT + 1}", "Expect: 100-continue", method="POST"
        ),
        raw_http.request(
            "/",
            "Transfer-Encoding: chunked",
            method="POST",
            content=chunked(b"a" * (LIMIT + 1), size=65536),
        ),
    ],
    ids=["sent", "announced", "chunked"],
)
def test_a_body_above_max_content_length_is_refused(echo: int, data: bytes) -> None:
    """Before it has arrived; the client gets the answer, and no cache keeps it."""
    answer = raw_http.exchange(echo, data)
    assert (answer.status, answer.headers["Cache-Control"]) == (413, "no-store")


def test_a_body_of_max_content_length_is_accepted(echo: int) -> None:
    """The limit itself is within it."""
    assert raw_http.exchange(echo, post(b"a" * LIMIT)).body == expected(b"a" * LIMIT)


@pytest.mark.parametrize(
    "lines", [("Content-Length: 1", "Transfer-Encoding: chunked"), ("Content-Length: 0",) * 2]
)
def test_nothing_is_read_after_a_request_of_doubtful_length(
    echo: int, lines: tuple[str, ...]
) -> None:
    """What follows it could be the rest of its body."""
    data = raw_http.request(
        "/", *lines, method="POST", close=False, content=raw_http.request("/hidden")
    )
    answers = raw_http.answers(raw_http.send(echo, data))
    assert [answer.status for answer in answers] == [400]


@pytest.mark.slow
def test_buffers_have_a_bound(echo: int) -> None:
    """Large bodies that do not arrive are refused, the oldest first; small requests are served."""
    head = raw_http.request("/", f"Content-Length: {LIMIT}", method="POST")
    with ExitStack() as stack:
        links = []
        for _ in range(40):  # 80 MB, of which 64 are kept
            link = stack.enter_context(socket.create_connection(("127.0.0.1", echo)))
            with suppress(OSError):
                link.sendall(head + b"a" * (LIMIT - 1))
            links.append(link)
        assert raw_http.ask(echo, "/").status == 200
        links[0].settimeout(raw_http.PATIENCE)
        assert links[0].recv(12) == b"HTTP/1.1 503"
        links[-1].sendall(b"a")
        links[-1].settimeout(raw_http.PATIENCE)
        assert links[-1].recv(12) == b"HTTP/1.1 200"


@pytest.mark.slow
def test_a_worker_that_stops_finishes_what_has_begun(tmp_path: Path, migrated: Path) -> None:
    """An upload that is under way is answered; an idle connection is closed at once."""
    with echoing(tmp_path, migrated) as started, ExitStack() as stack:
        near = ("127.0.0.1", started.port)
        idle = stack.enter_context(socket.create_connection(near, timeout=raw_http.PATIENCE))
        idle.sendall(raw_http.request("/", close=False))
        received = b""
        while expected(b"", method="GET") not in received:
            received += idle.recv(65536)
        link = stack.enter_context(socket.create_connection(near, timeout=raw_http.PATIENCE))
        data = post(b"abc")
        link.sendall(data[:-1])
        assert raw_http.ask(started.port, "/").status == 200  # so the half has been received
        started.process.send_signal(signal.SIGTERM)
        assert idle.recv(100) == b""
        link.sendall(data[-1:])
        assert link.recv(12) == b"HTTP/1.1 200"
        link.close()
        assert started.process.wait(10) == 0


@pytest.mark.slow
def test_a_worker_is_replaced_after_max_requests(tmp_path: Path, migrated: Path) -> None:
    """No request is lost on the way, not even while slow senders are at work."""
    with (
        echoing(tmp_path, migrated, GUNICORN_CMD_ARGS="--max-requests 20") as started,
        dripping(started.port, "heads", count=20),
    ):
        statuses: list[int] = []

        def ask() -> None:
            statuses.extend(raw_http.ask(started.port, "/").status for _ in range(30))

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [200] * 60
        assert eventually(lambda: started.log.read_text().count("Booting worker") > 2)
