from __future__ import annotations

import errno
import socket
import ssl
from datetime import timedelta

import httpcore
import httpx
import pytest

from app.edge.http_client.errors import NETWORK_ERRORS, describe_network_error

REQUEST_SECRET = "https://api.example/?token=secret"
UNREACHABLE = "the host is unreachable from this machine (does one of the two have only IPv6?)"
INTERRUPTED = "the connection was interrupted"
LATE = "no response within 2.5 s"


def certificate_error() -> ssl.SSLCertVerificationError:
    """An error with the sentence of OpenSSL."""
    error = ssl.SSLCertVerificationError(1, REQUEST_SECRET)
    error.verify_message = "certificate has expired"
    return error


DESCRIPTIONS: dict[str, tuple[BaseException, str]] = {
    "connect timeout": (httpx.ConnectTimeout(REQUEST_SECRET), LATE),
    "read timeout of the pool": (httpcore.ReadTimeout(REQUEST_SECRET), LATE),
    "certificate": (certificate_error(), "its certificate is not valid: certificate has expired"),
    "handshake": (ssl.SSLError(1, REQUEST_SECRET), "the TLS handshake failed"),
    "name": (
        socket.gaierror(-2, REQUEST_SECRET),
        "its host name can't be resolved: check the address and the resolver",
    ),
    "refused": (
        ConnectionRefusedError(REQUEST_SECRET),
        "the connection was refused: no server listens on this port",
    ),
    "network": (OSError(errno.ENETUNREACH, REQUEST_SECRET), UNREACHABLE),
    "host": (OSError(errno.EHOSTUNREACH, REQUEST_SECRET), UNREACHABLE),
    "address": (OSError(errno.EADDRNOTAVAIL, REQUEST_SECRET), UNREACHABLE),
    "family": (OSError(errno.EAFNOSUPPORT, REQUEST_SECRET), UNREACHABLE),
    "reset": (ConnectionResetError(errno.ECONNRESET, REQUEST_SECRET), INTERRUPTED),
    "protocol": (httpx.RemoteProtocolError(REQUEST_SECRET), INTERRUPTED),
}


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("by", ["cause", "context"])
@pytest.mark.parametrize("name", [name for name in DESCRIPTIONS if "timeout" not in name])
def test_the_cause_of_a_network_error_is_described(name: str, by: str, depth: int) -> None:
    """However deep it lies below the error of the client, and without a part of the request."""
    error, description = DESCRIPTIONS[name]
    for _ in range(depth):
        outer = httpx.ConnectError(REQUEST_SECRET)
        if by == "cause":
            outer.__cause__ = error
        else:
            outer.__context__ = error
        error = outer
    assert describe_network_error(error, timedelta(seconds=5)) == description


@pytest.mark.parametrize("name", [name for name in DESCRIPTIONS if "timeout" in name])
def test_a_timeout_is_described_by_its_length(name: str) -> None:
    """In seconds, with a fraction only where there is one."""
    error, description = DESCRIPTIONS[name]
    assert describe_network_error(error, timedelta(seconds=2.5)) == description
    assert describe_network_error(error, timedelta(seconds=5)) == "no response within 5 s"


def test_a_timeout_counts_more_than_what_was_raised_on_the_way() -> None:
    """The pool raises it while another error is handled."""
    error = httpx.ReadTimeout(REQUEST_SECRET)
    error.__context__ = ConnectionRefusedError()
    assert describe_network_error(error, timedelta(seconds=2.5)) == LATE


def test_the_stated_cause_counts_more_than_the_context() -> None:
    """Python names the same one in a traceback."""
    error = httpx.ConnectError(REQUEST_SECRET)
    error.__context__ = ConnectionRefusedError()
    error.__cause__ = socket.gaierror(-2, "")
    assert "can't be resolved" in describe_network_error(error, timedelta(seconds=5))


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout(""),
        httpx.ConnectError(""),
        httpcore.PoolTimeout(),
        httpcore.ConnectError(),
        httpcore.WriteError(),
        httpcore.RemoteProtocolError(),
        httpcore.ProxyError(),
        httpcore.UnsupportedProtocol(),
    ],
    ids=lambda error: type(error).__module__ + type(error).__name__,
)
def test_each_error_of_the_client_and_of_its_pool_is_a_network_error(error: Exception) -> None:
    """A caller that handles them lets none through."""
    assert isinstance(error, NETWORK_ERRORS)
