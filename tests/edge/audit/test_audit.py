"""The audit over real sockets, with servers that fail in many ways."""

from __future__ import annotations

import signal
import socket
import socketserver
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event

import pytest

from app.edge.audit import (
    AuditError,
    AuditLimits,
    AuditOptions,
    AuditReport,
    SiteProfile,
    check_site,
    watch_site,
)
from app.edge.audit.command import OutputOptions, run
from tests.edge.gateway.socket_origin import running
from tests.live.programs import needs

Answer = Callable[[str, str, Mapping[str, str]], Iterator[bytes]]
QUICK = AuditLimits(timeout=0.3, pause=0, seconds=20)


class _Handler(socketserver.StreamRequestHandler):
    server: OriginServer

    def handle(self) -> None:
        while line := self.rfile.readline().decode("latin-1"):
            method, target, _ = line.split(" ", 2)
            headers = {}
            while text := self.rfile.readline().strip().decode("latin-1"):
                name, _, value = text.partition(":")
                headers[name.lower()] = value.strip()
            self.server.requests.append((method, target, headers))
            with suppress(OSError):  # whoever asked has heard enough
                for part in self.server.answer(method, target, headers):
                    self.wfile.write(part)
                    self.wfile.flush()
            if self.server.closes:
                return


class OriginServer(socketserver.ThreadingTCPServer):
    """Answers each request with a function and records it."""

    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False

    def __init__(self, answer: Answer, *, host: str = "127.0.0.1", closes: bool = True) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), _Handler)
        self.answer = answer
        self.closes = closes
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self.ended = Event()

    @property
    def url(self) -> str:
        """The base URL of the server."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave it to the client to notice."""


Start = Callable[..., OriginServer]


@pytest.fixture
def serve() -> Iterator[Start]:
    """Start a server that answers by this function; it stops with the test."""
    with ExitStack() as stack:

        def start(answer: Answer, **more: object) -> OriginServer:
            server = OriginServer(answer, **more)  # type: ignore[arg-type] # as Server takes them
            stack.callback(server.ended.set)
            stack.enter_context(running(server))
            return server

        yield start


def http_response(body: bytes = b"", status: int = 200, *lines: str) -> bytes:
    """Return an HTTP response with a Content-Length."""
    head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


HTML = b"""<!doctype html><a href="/articles/one">One</a> <a href="http://%s/articles/two">Two</a>
<link rel="stylesheet" href="/site.css">"""


def site(_: str, target: str, __: Mapping[str, str]) -> Iterator[bytes]:
    """A small site with no cache in front."""
    exists = target.partition("?")[0] in {"/", "/articles/one", "/site.css", "/sitemap.xml"}
    yield http_response(HTML) if exists else http_response(b"none", 404)


def run_audit(server: OriginServer, limits: AuditLimits = QUICK, **options: object) -> AuditReport:
    """Audit the server."""
    return check_site(server.url, AuditOptions(limits=limits, **options))  # type: ignore[arg-type] # as AuditOptions takes them


def ids(report: AuditReport) -> set[str]:
    """Return the ids of the findings."""
    return {finding.id for finding in report.findings}


def silent(server: list[OriginServer]) -> Answer:
    """Send nothing until the test is over."""

    def answer(*_: object) -> Iterator[bytes]:
        server[0].ended.wait(20)
        yield b""

    return answer


def dripping(server: list[OriginServer], first: bytes, drop: bytes) -> Answer:
    """Send one byte at a time without an end."""

    def answer(*_: object) -> Iterator[bytes]:
        yield first
        while not server[0].ended.wait(0.02):
            yield drop

    return answer


def test_a_small_site_is_audited(serve: Start) -> None:
    """Without an error, since nothing can be wrong with a cache that is not there."""
    server = serve(site)
    report = run_audit(server)
    assert "no-cache" in ids(report)
    assert [visit.page.kind for visit in report.visits] == ["home", "sitemap", "article", "static"]
    assert report.requests == len(server.requests) < 120
    assert all(
        headers["user-agent"].startswith("Broadsheet-Check") for *_, headers in server.requests
    )


def test_a_site_that_keeps_connections_is_audited_over_few(serve: Start) -> None:
    """The server may close one at any time."""
    assert "no-cache" in ids(run_audit(serve(site, closes=False)))


def test_a_site_on_ipv6_alone_is_audited(serve: Start) -> None:
    """With brackets in the Host header."""
    try:
        server = serve(site, host="::1")
    except OSError:
        pytest.skip("missing part: IPv6 on the loopback interface")
    assert "loopback" in ids(run_audit(server))
    assert server.requests[0][2]["host"] == server.url.removeprefix("http://")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_other_host_is_ever_asked(serve: Start, status: int) -> None:
    """Neither after a redirect nor for a link, and a password in a redirect is not shown."""
    other = serve(site)
    name = other.url.removeprefix("http://")
    location = f"Location: http://root:secret@{name}/path?token=secret"
    server = serve(lambda *_: iter([http_response(b"", status, location)]))
    with pytest.raises(AuditError, match=rf"redirects to http://{name}") as error:
        run_audit(server)
    assert "secret" not in str(error.value)
    assert (len(server.requests), other.requests) == (1, [])


def test_a_link_to_another_host_leads_nowhere(serve: Start) -> None:
    """However it is spelt."""
    other = serve(site)
    name = other.url.removeprefix("http://").encode()
    page = HTML % name + b'<img src="//%s/a.png">' % name
    server = serve(lambda *_: iter([http_response(page)]))
    run_audit(server)
    assert server.requests
    assert other.requests == []


def test_a_redirect_on_the_site_itself_is_followed(serve: Start) -> None:
    """A few times."""

    def answer(method: str, target: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        if target == "/":
            yield http_response(b"", 302, "Location: /articles/one")
        else:
            yield from site(method, target, headers)

    assert run_audit(serve(answer)).visits[0].page.target == "/articles/one"
    with pytest.raises(AuditError, match="redirects too many times"):
        run_audit(serve(lambda *_: iter([http_response(b"", 302, "Location: /")])))


def test_a_captive_portal_is_named(serve: Start) -> None:
    """It answers every address with its one page."""
    assert "missing-is-200" in ids(
        run_audit(serve(lambda *_: iter([http_response(b"Please log in")])))
    )


UNABLE: dict[str, tuple[Callable[[list[OriginServer]], Answer], str]] = {
    "says nothing": (silent, "no response within 0.3 seconds"),
    "drips its headers": (
        lambda server: dripping(server, b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        "no response within 0.3 seconds",
    ),
    "speaks no HTTP": (lambda _: lambda *__: iter([b"\0\1\2 hello\r\n\r\n"]), "was not HTTP"),
    "hangs up": (lambda _: lambda *__: iter([]), "the connection was closed"),
    "has headers without an end": (
        lambda _: lambda *__: iter([b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 100_000]),
        "was not HTTP",
    ),
}


@pytest.mark.parametrize(("make", "sentence"), UNABLE.values(), ids=list(UNABLE))
def test_a_server_that_is_none_is_told_in_a_sentence(
    serve: Start, make: Callable[[list[OriginServer]], Answer], sentence: str
) -> None:
    """The command ends quickly with one sentence and no traceback."""
    servers: list[OriginServer] = []
    servers.append(serve(make(servers)))
    lines: list[str] = []
    status = run(
        servers[0].url,
        AuditOptions(limits=QUICK),
        OutputOptions(),
        out=lines.append,
        err=lines.append,
    )
    assert status == 2
    [line] = lines
    assert line.startswith(f"{servers[0].url} can't be checked: ")
    assert sentence in line


def test_nobody_there_is_told_in_a_sentence() -> None:
    """As a name that is wrong would be."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(AuditError, match="the connection failed"):
            check_site(f"http://127.0.0.1:{probe.getsockname()[1]}", AuditOptions(limits=QUICK))


@pytest.mark.parametrize("fast", [True, False], ids=["a flood", "a drip"])
def test_a_body_without_an_end_is_cut(serve: Start, *, fast: bool) -> None:
    """By its size or by the time, and the audit goes on and ends."""
    servers: list[OriginServer] = []
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    drop = b"x" * 65536 if fast else b"x"

    def flood(*_: object) -> Iterator[bytes]:
        yield head
        while not servers[0].ended.is_set():
            yield drop

    servers.append(serve(flood if fast else dripping(servers, head, drop)))
    limits = AuditLimits(timeout=0.3, pause=0, body=200_000, requests=6)
    assert {"body-cut", "unfinished"} <= ids(run_audit(servers[0], limits))


def test_a_site_that_stops_answering_ends_the_audit(serve: Start) -> None:
    """The audit stops after a few requests without a response; each is a finding."""
    servers: list[OriginServer] = []

    def answer(method: str, target: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        if len(servers[0].requests) > 4:
            servers[0].ended.wait(20)
        else:
            yield from site(method, target, headers)

    servers.append(serve(answer))
    assert {"no-answer", "unfinished"} <= ids(run_audit(servers[0]))
    assert len(servers[0].requests) < 10


def test_a_site_that_fails_is_named(serve: Start) -> None:
    """And nothing raises."""
    assert "page-fails" in ids(run_audit(serve(lambda *_: iter([http_response(b"Oh", 500)]))))


@pytest.mark.parametrize(
    "line",
    [
        "Cache-Status: \xff\xfe; hit=",
        "Content-Encoding: gzip, br, gzip",
        'ETag: "\xe4',
        "Age: -1",
        "Location: http://[",
        "Vary: ,,,",
        "Set-Cookie: =",
        "Expires: soon",
        "Cache-Control: max-age=x, =, private=",
    ],
    ids=["cache-status", "coding", "etag", "age", "location", "vary", "cookie", "expires", "cc"],
)
def test_no_header_of_a_stranger_raises(serve: Start, line: str) -> None:
    """No header of a foreign response makes the audit fail."""
    run_audit(serve(lambda *_: iter([http_response(HTML, 200, line, "X-Varnish: 1 2")])))


def test_the_origin_is_the_one_further_host(serve: Start) -> None:
    """It is asked for its home page alone, once by each name."""
    origin = serve(site)
    server = serve(site)
    report = run_audit(server, origin_url=origin.url)
    assert "origin-open" in ids(report)
    assert [(method, target) for method, target, _ in origin.requests] == [("GET", "/")] * 2
    assert origin.requests[0][2]["host"] == server.url.removeprefix("http://")
    closed_origin_report = run_audit(server, origin_url="http://127.0.0.1:1")
    assert "origin-open" not in ids(closed_origin_report)


def test_another_site_is_not_held_to_our_promises(serve: Start) -> None:
    """The report says that it is another site."""
    profile = SiteProfile(
        no_store_path="/no",
        short_ttl_path="/kept",
        short_ttl_seconds=1,
        security_headers=(("X-Own", "1"),),
    )
    finding_ids = ids(run_audit(serve(site), profile=profile))
    assert "not-ours" in finding_ids
    assert "security-lost" not in finding_ids


class _Plain(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_a_server_that_speaks_no_tls_is_told_in_a_sentence() -> None:
    """As where https was typed for http."""
    server = socketserver.TCPServer(("127.0.0.1", 0), _Plain)
    with running(server) as port, pytest.raises(AuditError, match="the port does not use TLS"):
        check_site(f"https://127.0.0.1:{port}", AuditOptions(limits=QUICK))


@pytest.mark.live
def test_a_certificate_that_is_not_good_is_told_in_a_sentence(serve: Start, tmp_path: Path) -> None:
    """And no request is sent over it, unless the certificate is one that was named as good."""
    command = [needs("openssl", package="openssl"), "req", "-x509", "-newkey", "ec", "-nodes"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=here"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = serve(site)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = server.url.replace("http:", "https:")
    with pytest.raises(AuditError, match="its TLS certificate is not valid"):
        check_site(url, AuditOptions(limits=QUICK))
    assert server.requests == []
    good = ssl.create_default_context(cafile=str(tmp_path / "cert"))
    assert "no-cache" in ids(check_site(url, AuditOptions(limits=QUICK, tls=good)))


def test_a_watch_ends_with_ctrl_c(serve: Start) -> None:
    """The exit status reflects the findings up to that time."""
    lines: list[str] = []

    def out(line: str) -> None:
        lines.append(line)
        if "hits 0 of 4" in line:
            signal.raise_signal(signal.SIGINT)

    wishes = AuditOptions(limits=QUICK)
    assert run(serve(site).url, wishes, OutputOptions(watching=True), out=out, err=out) == 1
    assert any("WARNING no-cache" in line for line in lines)
    assert lines[-1].startswith("Found ")


def test_a_watch_tells_a_finding_once_in_full(serve: Start) -> None:
    """And by its name in each round."""
    lines: list[str] = []
    stop = Event()

    def say(line: str) -> None:
        lines.append(line)
        if sum("hits" in one for one in lines) == 2:
            stop.set()

    watch_site(serve(site).url, AuditOptions(limits=QUICK), write_line=say, interval=0, stop=stop)
    assert sum("no-cache" in line and "hits" in line for line in lines) == 2
    assert sum("WARNING no-cache" in line for line in lines) == 1


def test_a_watch_goes_on_while_the_site_is_away(serve: Start) -> None:
    """It tells that too."""
    servers: list[OriginServer] = []

    def answer(method: str, target: str, headers: Mapping[str, str]) -> Iterator[bytes]:
        if len(servers[0].requests) <= 12:
            yield from site(method, target, headers)

    servers.append(serve(answer))
    report = watch_site(
        servers[0].url,
        AuditOptions(limits=QUICK),
        write_line=lambda _: None,
        interval=0,
        duration=1.1,
    )
    assert "no-answer" in ids(report)
