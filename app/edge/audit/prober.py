"""HTTP client of the audit: sends requests to one host only, one at a time, within limits.

It follows no redirects, stores no cookies and uses no proxy from the environment.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import httpcore

from ..http.fields import HeaderFields
from .exchange import Exchange, ProbeRequest
from .site_address import AuditError, SiteAddress

if TYPE_CHECKING:
    from types import TracebackType

USER_AGENT = "Broadsheet-Check/1 (an audit of this site's caches)"
_CHUNK = 64 * 1024
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
        self._line = _OneHost(address)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls, max_connections=1, network_backend=self._line
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
        self._line.deadline = time.monotonic() + min(self.limits.timeout, remaining)
        try:
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


class _OneHost(httpcore.NetworkBackend):
    """Connections to one host and no other; all that happens on them ends at the deadline."""

    def __init__(self, address: SiteAddress) -> None:
        self.deadline = 0.0
        self._only = (address.host, address.port)
        self._backend = httpcore.SyncBackend()

    def remaining(self, timeout: float | None = None) -> float:
        """Seconds until the deadline; raises ReadTimeout once it is over."""
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise httpcore.ReadTimeout
        return remaining if timeout is None else min(remaining, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, if it is the one host."""
        if (host, port) != self._only:
            raise httpcore.ConnectError("another host")
        stream = self._backend.connect_tcp(
            host, port, self.remaining(timeout), local_address, socket_options
        )
        return _Timed(stream, self)


class _Timed(httpcore.NetworkStream):
    """A connection on which a drop now and then does not extend the time."""

    def __init__(self, stream: httpcore.NetworkStream, line: _OneHost) -> None:
        self._stream = stream
        self._line = line

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there before the deadline."""
        return self._stream.read(min(max_bytes, _CHUNK), self._line.remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write before the deadline."""
        self._stream.write(buffer, self._line.remaining(timeout))

    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Speak TLS before the deadline."""
        inner = self._stream.start_tls(ssl_context, server_hostname, self._line.remaining(timeout))
        return _Timed(inner, self._line)

    def get_extra_info(self, info: str) -> Any:
        """What the connection underneath tells."""
        return self._stream.get_extra_info(info)
