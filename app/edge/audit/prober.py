"""HTTP client of the audit: sends requests to one host only, one at a time, within limits.

It follows no redirects, stores no cookies and uses no proxy from the environment.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import httpcore

from ..http.fields import HeaderFields
from ..http_client.deadline import DeadlineBackend, deadline
from ..name import TITLE
from .exchange import Exchange, ProbeRequest
from .site_address import AuditError, SiteAddress

if TYPE_CHECKING:
    from types import TracebackType

USER_AGENT = f"{TITLE}-Check/1 (an audit of this site's caches)"
_KEPT_ALIVE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLimits:
    """Limits of one audit: number of requests, seconds, and bytes per body.

    `timeout` limits one exchange as a whole, even if its bytes arrive slowly. `pause` is the time
    between two requests. All times are in seconds.
    """

    requests: int = 200
    seconds: float = 90.0
    timeout: float = 10.0
    body: int = 2 * 1024 * 1024
    pause: float = 0.02

    def __post_init__(self) -> None:
        if min(self.requests, self.seconds, self.timeout, self.body) <= 0 or self.pause < 0:
            raise ValueError("limits of requests, seconds and bytes must be greater than zero")


class LimitsReached(Exception):  # noqa: N818 - an expected end of the audit
    """The audit has reached its limit of requests or of time."""


class NoResponse(Exception):  # noqa: N818 - an expected outcome of a request
    """A request got no readable response; the message says why."""


class Prober:
    """Sends requests to the host of one address; use it in a `with` statement."""

    def __init__(
        self, address: SiteAddress, limits: AuditLimits, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.address = address
        self.limits = limits
        self.request_count = 0
        self._began = time.monotonic()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, max_connections=1, network_backend=_OneHostBackend(address)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.close()

    @property
    def elapsed(self) -> float:
        """Seconds since the limits were last reset."""
        return time.monotonic() - self._began

    def reset_limits(self) -> None:
        """Count requests and time from zero again, for each round of a watch."""
        self.request_count, self._began = 0, time.monotonic()

    def send(self, request: ProbeRequest) -> Exchange:
        """Send one request; raises NoResponse without a response, LimitsReached at the limits."""
        remaining = self.limits.seconds - self.elapsed
        if self.request_count >= self.limits.requests or remaining <= 0:
            raise LimitsReached
        if self.request_count and self.limits.pause:
            time.sleep(min(self.limits.pause, remaining))
        self.request_count += 1
        try:
            with deadline(timedelta(seconds=min(self.limits.timeout, remaining))):
                return self._send_with_retry(request)
        except httpcore.ConnectError as error:
            raise NoResponse(_why_unreachable(error)) from None
        except httpcore.TimeoutException:
            raise NoResponse(f"no response within {self.limits.timeout:g} seconds") from None
        except (httpcore.ProtocolError, httpcore.NetworkError):
            raise NoResponse("the connection was closed, or the response was not HTTP") from None

    def _send_with_retry(self, request: ProbeRequest) -> Exchange:
        """Retry once on a new connection if a kept-alive connection was closed.

        This is safe for every method: all audit requests are idempotent.
        """
        try:
            return self._send_once(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            if self.request_count < _KEPT_ALIVE:
                raise
            return self._send_once(request)

    def _send_once(self, request: ProbeRequest) -> Exchange:
        began = time.monotonic()
        address = self.address
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=request.target.encode("latin-1"),
        )
        with self._pool.stream(request.method, url, headers=_headers(request, address)) as response:
            body, is_truncated = self._read_body(response)
            fields = HeaderFields(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in response.headers
            )
            return Exchange(
                request=request,
                status=response.status,
                fields=fields,
                body=body,
                is_truncated=is_truncated,
                seconds=time.monotonic() - began,
            )

    def _read_body(self, response: httpcore.Response) -> tuple[bytes, bool]:
        body = bytearray()
        stream = response.iter_stream()
        try:
            for chunk in stream:
                body += chunk
                if len(body) > self.limits.body:
                    return bytes(body[: self.limits.body]), True
        except httpcore.ReadTimeout:
            return bytes(body), True
        return bytes(body), False


def _headers(request: ProbeRequest, address: SiteAddress) -> list[tuple[bytes, bytes]]:
    """Return the request's header lines, with Host, User-Agent and Accept if it has none."""
    own_names = {name.lower() for name, _ in request.headers}
    lines = [("Host", address.authority), ("User-Agent", USER_AGENT), ("Accept", "*/*")]
    defaults = [line for line in lines if line[0].lower() not in own_names]
    return [(n.encode("latin-1"), v.encode("latin-1")) for n, v in (*defaults, *request.headers)]


def _why_unreachable(error: Exception) -> str:
    cause = error.args[0] if error.args else None  # httpcore wraps it
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its TLS certificate is not valid: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return "the TLS handshake failed: the port does not use TLS, or only an unsafe version"
    return "the connection failed (is the host name right, is the server running?)"


def audit_error(address: SiteAddress, error: NoResponse) -> AuditError:
    """Return the error for a site that sends no response at all."""
    return AuditError(f"{address.url} can't be checked: {error}.")


class _OneHostBackend(DeadlineBackend):
    """Opens connections to one host and to no other."""

    def __init__(self, address: SiteAddress) -> None:
        super().__init__()
        self._allowed = (address.host, address.port)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect before the deadline if this is the allowed host."""
        if (host, port) != self._allowed:
            raise httpcore.ConnectError("another host")
        return super().connect_tcp(host, port, timeout, local_address, socket_options)
