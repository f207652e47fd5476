"""What went wrong on the way to an edge, in words of our own.

The texts of the errors themselves may quote what was sent.
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
"""What httpx and the pool below it raise."""

_TIMEOUTS = (httpx.TimeoutException, httpcore.TimeoutException)
_UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def describe_network_error(error: BaseException, timeout: timedelta) -> str:
    """Say what happened; `timeout` is what the call was given."""
    if isinstance(error, _TIMEOUTS):
        return f"no answer within {timeout.total_seconds():g} s"
    for cause in _causes(error):
        for kind, describe in _MESSAGES:
            if isinstance(cause, kind):
                return describe(cause)
        if isinstance(cause, OSError) and cause.errno in _UNREACHABLE:
            return "no way leads there from this machine (does one of the two speak IPv6 alone?)"
    return "the connection broke off"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _certificate(error: BaseException) -> str:
    return f"its certificate is not valid: {getattr(error, 'verify_message', '')}"


_MESSAGES: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, lambda _: "no TLS connection comes about"),
    (socket.gaierror, lambda _: "its name is not known: check the address and the resolver"),
    (ConnectionRefusedError, lambda _: "nobody listens there"),
)
