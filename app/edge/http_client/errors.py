"""Describe network errors in our own words.

The texts of the exceptions may contain parts of the request, such as credentials.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpcore
import httpx

NETWORK_ERRORS = (
    httpx.HTTPError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""The exceptions of httpx and of its connection pool."""

_TIMEOUTS = (httpx.TimeoutException, httpcore.TimeoutException)
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def describe_network_error(error: BaseException, timeout: timedelta) -> str:
    """Return a description of the error; `timeout` is the timeout of the call."""
    if isinstance(error, _TIMEOUTS):
        return f"no response within {timeout.total_seconds():g} s"
    for cause in _causes(error):
        for kind, describe in _MESSAGES:
            if isinstance(cause, kind):
                return describe(cause)
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "the host is unreachable from this machine (does one of the two have only IPv6?)"
    return "the connection was interrupted"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _certificate(error: BaseException) -> str:
    return f"its certificate is not valid: {getattr(error, 'verify_message', '')}"


_MESSAGES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, lambda _: "the TLS handshake failed"),
    (
        socket.gaierror,
        lambda _: "its host name can't be resolved: check the address and the resolver",
    ),
    (
        ConnectionRefusedError,
        lambda _: "the connection was refused: no server listens on this port",
    ),
)
