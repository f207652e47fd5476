from __future__ import annotations

import socket
import sys
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.proxy import Proxy
from tests.edge.gateway.scripted_origin import call, get, says
from tests.edge.gateway.socket_origin import WireStage, wait_for, wired
from tests.live.run_folder import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[3]


@pytest.fixture
def stage() -> Iterator[WireStage]:
    """Run an origin with scripted bytes, and a gateway in front of it."""
    with wired() as stage:
        yield stage


def wire(stage: WireStage, raw: bytes, **more: Any) -> Any:
    """Set the exact bytes of the origin's next response."""
    stage.origin.raw = raw
    try:
        return stage.play(get(says(), **more))
    finally:
        stage.origin.raw = None


def test_interim_responses_are_no_final_ones(stage: WireStage) -> None:
    """RFC 9110 section 15.2: 100, 102 and 103 precede the final response."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    stage.origin.interim = interim + b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    stage.play(get(says(b"final", cache_control="max-age=60"), body=b"final", stored=True))
    stage.play(get(body=b"final", cache="hit", response_headers={"Link": None}))


def test_a_chunked_body_is_kept_whole(stage: WireStage) -> None:
    """RFC 9112 section 7.1: the chunks are joined, and the transfer coding is removed."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n"
    wire(stage, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n", body=b"abcde")
    stage.play(get(body=b"abcde", cache="hit", response_headers={"Transfer-Encoding": None}))


@pytest.mark.parametrize("tail", [b"3\r\nabc\r\n", b"9\r\nabc"])
def test_a_chunked_body_that_breaks_off_is_not_kept(stage: WireStage, tail: bytes) -> None:
    """RFC 9111 section 3.3: without its last chunk a response is incomplete."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nCache-Control: max-age=60\r\n\r\n"
    wire(stage, head + tail, stored=False)
    stage.play(get(says(b"good"), body=b"good", cache="fwd=uri-miss"))


def test_a_body_shorter_than_its_length_is_not_kept(stage: WireStage) -> None:
    """RFC 9112 section 8: the reader gets the received part and the end of the connection."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nCache-Control: max-age=60\r\n\r\n"
    wire(stage, head + b"abc", stored=False)
    stage.play(get(says(b"good"), body=b"good", cache="fwd=uri-miss"))


@pytest.mark.parametrize(
    ("length", "status"), [(b"4", 200), (b"4, 4", 200), (b"+4", 502), (b"x", 502)]
)
def test_a_length_that_is_no_number_is_a_502(stage: WireStage, length: bytes, status: int) -> None:
    """RFC 9112 section 6.3: the end of the body is unknown, so the response is discarded."""
    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: " + length
    wire(stage, head + b"\r\n\r\npage", status=status, stored=status == 200)


def test_lines_casing_and_folds(stage: WireStage) -> None:
    """RFC 9110 section 5.3: repeated lines stay separate, in order; a fold becomes a space."""
    head = b"HTTP/1.1 299 Strange\r\nx-CaSe: 1\r\nLink: <a>\r\nLink: <b>\r\nX-Fold: a\r\n  b\r\n"
    lines = b"Cache-Control: max-age=60\r\nCache-Control: public\r\nContent-Length: 2\r\n\r\nok"
    wire(stage, head + lines, status=299)
    response = stage.play(get(status=299, cache="hit", response_headers={"X-Fold": "a b"}))
    assert [name for name, _ in response.headers if name.lower() == "x-case"] == ["x-CaSe"]
    assert [value for name, value in response.headers if name == "Link"] == ["<a>", "<b>"]
    assert [value for name, value in response.headers if name == "Cache-Control"] == [
        "max-age=60",
        "public",
    ]


def test_what_is_no_http_is_a_502(stage: WireStage) -> None:
    """The reader gets one sentence about the failure; nothing is stored."""
    wire(stage, b"SSH-2.0-OpenSSH\r\n", status=502, response_headers={"Cache-Control": "no-store"})


def test_the_request_says_who_forwarded_it(stage: WireStage) -> None:
    """RFC 9110 section 7.6.3: Via is extended; hop-by-hop fields are not forwarded."""
    step = get(
        says(),
        headers={"Via": "1.0 a", "Connection": "X-Hop", "X-Hop": "1", "TE": "trailers"},
        origin_headers={
            "Via": "1.0 a, 1.1 broadsheet",
            "X-Hop": None,
            "TE": None,
            "Host": "example.org",
        },
    )
    stage.play(step)


def test_a_post_arrives_with_its_body(stage: WireStage) -> None:
    """The content is forwarded with its length."""
    stage.play(get(says(), method="POST", content=b"x" * 9, origin_headers={"Content-Length": "9"}))


def test_a_folded_field_is_one_line_for_the_origin(stage: WireStage) -> None:
    """RFC 9112 section 5.2: folds that a lenient server accepts become spaces."""
    proxy = Proxy(f"http://127.0.0.1:{stage.origin_port}", timeout=timedelta(seconds=5))
    stage.origin.script[:] = [says()]
    call(proxy, get(headers={"X-A": "a\r\n Content-Length: 9", "X (B)": "c"}))
    environ = stage.origin.environs[-1]
    assert environ["HTTP_X_A"] == "a   Content-Length: 9"
    assert not {name for name in environ if name.startswith("HTTP_X_(") or "LENGTH" in name}


def test_targets_arrive_as_they_were(stage: WireStage) -> None:
    """Path and query reach the origin percent-encoded."""
    stage.play(get(says(), target="/a b/\xc3\xa9%?q=%20&r"))
    assert stage.origin.environs[-1]["target"] == "/a%20b/%C3%A9%25?q=%20&r"


def test_no_origin_is_a_502() -> None:
    """No server listens on the port."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        proxy = Proxy(f"http://127.0.0.1:{free.getsockname()[1]}", timeout=timedelta(seconds=1))
        assert call(proxy, get()).status == 502


def test_a_silent_origin_is_a_504() -> None:
    """The origin accepts the connection and sends nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        proxy = Proxy(f"http://127.0.0.1:{port}", timeout=timedelta(milliseconds=50))
        assert call(proxy, get()).status == 504


@pytest.mark.parametrize("origin", ["", "example.org", "ftp://example.org", "http://"])
def test_an_origin_is_a_url(origin: str) -> None:
    """An invalid origin on the command line raises an error."""
    with pytest.raises(ValueError, match="must look like"):
        Proxy(origin, timeout=timedelta(seconds=1))


def test_the_command_serves_a_gateway(stage: WireStage) -> None:
    """`python -m app.edge.gateway` responds with the origin's Date and Server."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    origin = f"http://127.0.0.1:{stage.origin_port}"
    command = [sys.executable, "-m", "app.edge.gateway", origin, "--port", str(port)]
    process = RUN.start(command, cwd=ROOT)
    try:
        wait_for(port)
        stage.origin.script[:] = [says(b"page", cache_control="max-age=2147483648", server="own")]
        first, second = _get(port), _get(port)
    finally:
        process.terminate()
        process.wait(20)
    assert first.status == second.status == 200
    assert first.getheader("Cache-Status") == "broadsheet; fwd=uri-miss; stored"
    assert (second.getheader("Cache-Status") or "").startswith("broadsheet; hit; ttl=")
    assert second.headers.get_all("Date") == ["Sun, 06 Nov 1994 08:49:37 GMT"]
    assert second.headers.get_all("Server") == ["own"]


def _get(port: int) -> Any:
    link = HTTPConnection("127.0.0.1", port, timeout=10)
    link.request("GET", "/")
    answer = link.getresponse()
    answer.read()
    link.close()
    return answer
