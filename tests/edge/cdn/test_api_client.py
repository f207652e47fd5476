from __future__ import annotations

import errno
import gc
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.edge.cdn import PurgeError
from app.edge.cdn.api_client import MAX_BODY_BYTES, ApiClient, ApiResponse, Credentials
from app.edge.http_client.deadline import DeadlineTransport, deadline
from app.edge.http_client.errors import describe_network_error
from app.edge.testing import Ending
from tests.live.programs import free_port

from .fakes.server import FakeEdge, FakeRequest, FakeResponse


class Echo(FakeEdge):
    """Answers every request with an empty 200 and records it."""

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Return an empty 200."""
        del request
        return FakeResponse(headers={"Set-Cookie": "a=b"}, body=b"{}")


@pytest.fixture(scope="module")
def server() -> Iterator[Echo]:
    """One server for all tests of the module."""
    with Echo() as running:
        yield running


@pytest.fixture
def edge(server: Echo) -> Echo:
    """The server, reset for each test."""
    server.begin()
    return server


def api_client(url: str, *, client: httpx.Client | None = None, seconds: float = 5) -> ApiClient:
    """An API client with a secret."""
    credentials = Credentials(headers={"X-Key": "s3cret"}, secrets=("s3cret",))
    timeout = timedelta(seconds=seconds)
    return ApiClient("the edge", url, credentials=credentials, client=client, timeout=timeout)


@pytest.mark.parametrize("how", ["drip", "late"])
def test_a_call_ends_in_time_whatever_the_peer_does(edge: Echo, how: str) -> None:
    """Also when each single wait is short: header lines may drip in for ever."""
    edge.ends(Ending(how=how))
    with pytest.raises(PurgeError, match=r"^the edge: no response within 0.3 s$"):
        api_client(edge.url, seconds=0.3).request("GET", "/")


def test_an_outer_limit_holds_for_the_calls_within(edge: Echo) -> None:
    """Several requests of one purge share its time."""
    edge.ends(Ending(how="late"))
    api = api_client(edge.url)
    with deadline(timedelta(seconds=0.3)), pytest.raises(PurgeError, match="no response"):
        api.request("GET", "/")
    with deadline(timedelta(0)), pytest.raises(PurgeError, match="no response"):
        api.request("GET", "/")
    assert api.request("GET", "/").status == 200


def test_no_redirect_is_followed_whoever_made_the_client(edge: Echo) -> None:
    """A redirect would send the key to another server."""
    edge.ends(Ending(status=307, headers={"Location": f"{edge.url}/there"}))
    error = pytest.raises(PurgeError, match=r"unexpected redirect .307.")
    with httpx.Client(follow_redirects=True) as client, error:
        api_client(edge.url, client=client).request("POST", "/", content=b"x")
    assert [request.target for request in edge.requests] == ["/"]


def test_one_call_knows_nothing_of_the_one_before(edge: Echo) -> None:
    """A cookie that an edge sets is not sent again."""
    api = api_client(edge.url)
    for _ in range(2):
        assert api.request("GET", "/").headers["Set-Cookie"] == "a=b"
    assert all(request.headers["Cookie"] is None for request in edge.requests)


def test_a_body_is_read_as_far_as_any_edge_needs(edge: Echo) -> None:
    """A longer body is not a response of the API."""
    edge.ends(Ending(body=b"x" * MAX_BODY_BYTES))
    assert len(api_client(edge.url).request("GET", "/").body) == MAX_BODY_BYTES
    edge.ends(Ending(body=b"x" * (MAX_BODY_BYTES + 1)))
    with pytest.raises(PurgeError, match="larger than 262144 bytes"):
        api_client(edge.url).request("GET", "/")


def test_a_body_is_not_unpacked(edge: Echo) -> None:
    """A small compressed body may expand to a large one."""
    api = api_client(edge.url)
    edge.ends(Ending(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b"))
    answer = api.request("GET", "/")
    assert edge.requests[0].headers["Accept-Encoding"] == "identity"
    with pytest.raises(PurgeError, match="with something that is not JSON"):
        api.require_json(answer)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b"[]", b"null", b"", b"\xff", b"nan"],
    ids=["deep", "list", "null", "nothing", "bytes", "word"],
)
def test_what_is_no_json_object_is_told(edge: Echo, body: bytes) -> None:
    """However it is broken."""
    with pytest.raises(PurgeError, match="with something that is not JSON"):
        api_client(edge.url).require_json(
            ApiResponse(status=200, headers=httpx.Headers(), body=body)
        )


def test_foreign_words_are_shown_in_one_short_line_without_our_secret(edge: Echo) -> None:
    """An edge may quote what it was sent."""
    api = api_client(edge.url)
    assert api.redact("bad\r\n\x1b[31mkey s3cret\x00!") == "bad [31mkey … !"
    assert len(api.redact("x" * 1000)) <= 201


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_machine_where_nobody_listens_is_told_at_once(host: str) -> None:
    """By either protocol; a machine without the other one says that the host is unreachable."""
    with pytest.raises(
        PurgeError, match=r"^the edge: (the connection was refused|the host is unreachable)"
    ) as error:
        api_client(f"http://{host}:{free_port()}").request("GET", "/")
    assert error.value.retryable


def test_a_server_without_tls_is_told(edge: Echo) -> None:
    """As is one that breaks off the handshake."""
    with pytest.raises(PurgeError, match="the TLS handshake failed"):
        api_client(edge.url.replace("http:", "https:")).request("GET", "/")


def test_an_address_that_is_none_is_refused(edge: Echo) -> None:
    """An invalid URL stays invalid, so the error is not retryable."""
    with pytest.raises(PurgeError, match="is not a valid URL") as error:
        api_client(edge.url).request("GET", "/\x00")
    assert not error.value.retryable


def test_a_certificate_of_nobody_we_trust_is_refused(edge: Echo, tmp_path: Path) -> None:
    """The same certificate is accepted if its issuer is trusted."""
    authority = signed(tmp_path / "server")
    with Echo() as secured:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority)
        secured.secure(context)
        url = secured.url.replace("http:", "https:")
        with pytest.raises(PurgeError, match="its certificate is not valid: self-signed"):
            api_client(url).request("GET", "/")
        trusting = DeadlineTransport(ssl.create_default_context(cafile=str(authority)))
        with httpx.Client(transport=trusting) as client:
            assert api_client(url, client=client).request("GET", "/").status == 200


def signed(path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    private = key.private_bytes(
        encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(encoding))
    return path


def chained(*errors: Exception) -> Exception:
    """Return the first error, each caused by the next one."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its host name can't be resolved"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "the host is unreachable"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "the host is unreachable"),
        (ConnectionRefusedError(111, "refused"), "the connection was refused"),
        (ssl.SSLError(1, "wrong version"), "the TLS handshake failed"),
        (ConnectionResetError(104, "reset"), "the connection was interrupted"),
        (ValueError("Illegal header value b's3cret'"), "the connection was interrupted"),
    ],
    ids=["name", "network", "host", "refused", "tls", "reset", "header"],
)
def test_each_trouble_on_the_way_has_words_of_ours(error: Exception, words: str) -> None:
    """Network errors that no test can cause, such as an unknown host name."""
    message = describe_network_error(
        chained(httpx.ConnectError("s3cret"), error), timedelta(seconds=5)
    )
    assert message.startswith(words)
    assert "s3cret" not in message


def test_its_connections_are_closed_with_it(edge: Echo) -> None:
    """A socket that is left open is an error in these tests."""
    api = api_client(edge.url)
    api.request("GET", "/")
    del api
    gc.collect()
