from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from click import BadParameter
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.edge.http_client.deadline import DeadlineTransport
from app.publishing.cli import read_hosts
from app.publishing.importing.image_fetcher import (
    FetchError,
    FetchLimits,
    ImageFetcher,
    PublicBackend,
    is_public,
)

HOST = "img.example"
PUBLIC = "93.184.216.34"


def fetcher(respond: Callable[[httpx.Request], httpx.Response], **limits: Any) -> ImageFetcher:
    """Return a fetcher for two hosts that respond like this."""
    return ImageFetcher(
        hosts=frozenset({HOST, "cdn.example"}),
        transport=httpx.MockTransport(respond),
        limits=FetchLimits(**limits),
    )


@pytest.mark.parametrize(
    ("location", "result"),
    [
        ("https://cdn.example/b.png", b"image"),
        ("http://cdn.example/b.png", b"image"),
        ("/b.png", b"image"),
        ("//cdn.example/b.png", b"image"),
        ("https://other.example/b.png", "the host other.example, which is not named"),
        ("https://127.0.0.1/b.png", "the host 127.0.0.1, which is not named"),
        ("https://cdn.example.evil.example/b.png", "which is not named"),
        ("file:///etc/passwd", "not with https"),
        ("https://cdn.example:8080/b.png", "the port 8080"),
        ("/a.png", "redirects more than 3 times"),
    ],
)
def test_a_redirect_is_followed_to_named_hosts_alone(location: str, result: bytes | str) -> None:
    """Every request goes to a named host over HTTPS."""
    requests: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request.url)
        if request.url.path == "/a.png":
            return httpx.Response(302, headers={"Location": location})
        return httpx.Response(200, content=b"image")

    if isinstance(result, bytes):
        assert fetcher(respond).fetch(f"http://{HOST}/a.png") == result
    else:
        with pytest.raises(FetchError, match=result):
            fetcher(respond).fetch(f"https://{HOST}/a.png")
    assert {url.scheme for url in requests} == {"https"}
    assert {url.host for url in requests} <= {HOST, "cdn.example"}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"images": 2}, "the limit of 2 images is reached"),
        ({"total_bytes": 2000}, "is reached|it has more than"),
        ({"total_time": timedelta(0)}, "the limit of 0:00:00 is reached"),
        ({"image_bytes": 999}, "it has more than"),
    ],
)
def test_an_import_has_limits(limits: dict[str, Any], reason: str) -> None:
    """The number, the bytes and the time of all images are bounded."""
    one = fetcher(lambda _: httpx.Response(200, content=b"x" * 1000), **limits)
    with pytest.raises(FetchError, match=reason):
        for number in range(3):
            one.fetch(f"https://{HOST}/{number}.png")


def test_a_compressed_image_is_refused() -> None:
    """A small response must not become a large image in memory."""
    headers = {"Content-Encoding": "gzip"}
    stream = httpx.ByteStream(b"x")
    one = fetcher(lambda _: httpx.Response(200, headers=headers, stream=stream))
    with pytest.raises(FetchError, match="compressed"):
        one.fetch(f"https://{HOST}/a.png")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        *((address, False) for address in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1")),
        *(
            (address, False)
            for address in ("169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1")
        ),
        *((address, False) for address in ("::1", "::", "fe80::1%eth0", "fc00::1", "ff02::1")),
        *((address, False) for address in ("::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1")),
        *((address, False) for address in ("255.255.255.255", "240.0.0.1", "img.example", "")),
    ],
)
def test_an_address_is_public_or_not(address: str, expected: bool) -> None:
    """Loopback, private, link-local, multicast and embedded addresses are not public."""
    assert is_public(address) is expected


class LocalBackend(httpcore.NetworkBackend):
    """Connects to a local port in place of a public address, and records the address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.addresses: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the local port."""
        del port
        self.addresses.append(host)
        inner = httpcore.SyncBackend()
        return inner.connect_tcp("127.0.0.1", self.port, timeout, local_address, socket_options)


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [
        (["127.0.0.1"], "has the address 127.0.0.1, which is not public"),
        ([PUBLIC, "10.0.0.1"], "has the address 10.0.0.1, which is not public"),
        ([], "has no address"),
    ],
)
def test_a_host_with_a_private_address_is_refused(addresses: list[str], reason: str) -> None:
    """No connection is opened if any address of the host is not public."""
    inner = LocalBackend(1)
    transport = DeadlineTransport(backend=PublicBackend(lambda _h, _p: addresses, inner))
    one = ImageFetcher(hosts=frozenset({HOST}), transport=transport)
    with pytest.raises(FetchError, match=reason):
        one.fetch(f"https://{HOST}/a.png")
    assert inner.addresses == []


def test_a_host_that_can_not_be_resolved_is_named() -> None:
    """An error of the DNS is a sentence, not a traceback."""

    def fail(_host: str, _port: int) -> list[str]:
        raise socket.gaierror("no such host")

    transport = DeadlineTransport(backend=PublicBackend(fail, LocalBackend(1)))
    with pytest.raises(FetchError, match="has no address"):
        ImageFetcher(hosts=frozenset({HOST}), transport=transport).fetch(f"https://{HOST}/a.png")


class Handler(BaseHTTPRequestHandler):
    """Sends the Host of the request as the image."""

    def do_GET(self) -> None:
        """Respond to one request."""
        data = (self.headers["Host"] or "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
        """Print nothing."""


@pytest.fixture
def secure_port(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A local HTTPS server with a certificate for img.example, and the certificate."""
    path = certificate(tmp_path / "server.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_address[1], path
    server.shutdown()
    thread.join()
    server.server_close()


def certificate(path: Path) -> Path:
    """Write a certificate for img.example that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(pem))
    return path


def test_the_checked_address_is_the_one_that_is_connected_to(
    secure_port: tuple[int, Path],
) -> None:
    """A second answer of the DNS is never asked for; TLS verifies the name of the host."""
    port, path = secure_port
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    inner = LocalBackend(port)
    context = ssl.create_default_context(cafile=path)
    transport = DeadlineTransport(context, PublicBackend(lambda _h, _p: next(answers), inner))
    one = ImageFetcher(hosts=frozenset({HOST}), transport=transport)
    assert one.fetch(f"http://{HOST}/a.png") == HOST.encode()
    assert inner.addresses == [PUBLIC]
    transport.close()


def test_a_certificate_of_another_host_is_refused(secure_port: tuple[int, Path]) -> None:
    """The response of a host that can't prove its name is not stored."""
    port, path = secure_port
    context = ssl.create_default_context(cafile=path)
    backend = PublicBackend(lambda _h, _p: [PUBLIC], LocalBackend(port))
    transport = DeadlineTransport(context, backend)
    one = ImageFetcher(hosts=frozenset({"cdn.example"}), transport=transport)
    with pytest.raises(FetchError, match=r"TLS|certificate"):
        one.fetch("https://cdn.example/a.png")
    transport.close()


def test_host_names_are_read_from_the_option() -> None:
    """A URL or a path in place of a host name is refused with a sentence."""
    assert read_hosts("Img.example, cdn.example,") == ("img.example", "cdn.example")
    assert read_hosts(None) == ()
    for value in ("https://img.example", "img.example/a", "*.example", "localhost", "a b.c"):
        with pytest.raises(BadParameter, match="is not a host name"):
            read_hosts(value)
