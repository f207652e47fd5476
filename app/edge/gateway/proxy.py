"""A WSGI application that forwards requests to an HTTP origin and streams its responses.

It adds only Via and CDN-Loop, follows no redirects and caches nothing.
"""

from __future__ import annotations

import http.client
import logging
import ssl
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from ..http import connection, framing, lines
from ..http.fields import HeaderFields, is_name
from . import loops
from . import response as reply
from .admission import loop_detected, looped
from .finding_key import FINDING_KEY
from .origin import UpstreamResponse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from wsgiref.types import StartResponse, WSGIEnvironment

    from ..http.fields import FieldLine
    from .response import GatewayResponse

_log: Final = logging.getLogger(__name__)
_CHUNK: Final = 64 * 1024
#: Characters that are not percent-encoded in a path, besides letters and digits (RFC 3986).
_PATH: Final = "/~!$&'()*+,;=:@-._"
#: The visible characters of ASCII: a query is forwarded unchanged, apart from all other bytes.
_QUERY: Final = "".join(map(chr, range(0x21, 0x7F)))
_VIA: Final = f"1.1 {loops.PSEUDONYM}"
#: Fields that the proxy writes itself; the values in the request are dropped. `Proxy` is always
#: dropped, because CGI programs read it as the setting HTTP_PROXY (httpoxy).
_OWN: Final = frozenset({"cdn-loop", "content-length", "host", "proxy", "via"})
#: The finding for a response that another recipient could parse differently.
_MALFORMED: Final = "malformed-response"


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes:
        """Return at most `size` bytes."""


class _BadRequestError(Exception):
    """The request can't be forwarded; the message is sent to the client."""


class _LoopError(Exception):
    """The origin is the server that received the request."""


class _Failure(NamedTuple):
    """The response to a request that failed, and the reason for Cache-Status."""

    finding: str
    response: GatewayResponse


_BAD_GATEWAY: Final = "502 Bad Gateway"
#: For each kind of error: the reason, the status and the sentence for the client. The first match
#: counts: TimeoutError and RemoteDisconnected are OSErrors, and a TLS error can be a ValueError.
_FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], str, str, str], ...]] = (
    (
        (TimeoutError,),
        "origin-timeout",
        "504 Gateway Timeout",
        "The origin did not answer in time.",
    ),
    (
        (http.client.IncompleteRead, http.client.RemoteDisconnected),
        "incomplete-response",
        _BAD_GATEWAY,
        "The origin closed the connection before its response was complete.",
    ),
    ((OSError,), "origin-unreachable", _BAD_GATEWAY, "The origin could not be reached."),
    (
        (http.client.HTTPException, ValueError),
        _MALFORMED,
        _BAD_GATEWAY,
        "The origin did not send a valid HTTP response.",
    ),
)


class Proxy:
    """Forwards each request to one origin; 502 for an invalid response, 504 for a timeout.

    With `keep_host` the client's Host is forwarded; otherwise the origin gets its own host name.
    With `encoded` the path is already percent-encoded, as `Admission` leaves it.
    """

    def __init__(
        self, origin: str, *, timeout: timedelta, keep_host: bool = True, encoded: bool = False
    ) -> None:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"The origin must look like 'http://host:port', not {origin!r}.")
        #: This proxy's own member of CDN-Loop.
        self.token = loops.new_token()
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port)
        self._authority = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._keep_host = keep_host
        self._safe = _PATH + "%" if encoded else _PATH

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Forward one request and stream the response."""
        error_response = looped(environ, self.token)
        if error_response is not None:
            return _send(start_response, error_response)
        upstream = self._connect()
        try:
            response = self._send(upstream, environ)
            body = _ResponseStream(response, upstream)
            body.read_first_chunk()
        except Exception as error:
            upstream.close()
            failure = _find_failure(error)
            if failure is None:
                raise
            environ[FINDING_KEY] = failure.finding
            return _send(start_response, failure.response)
        if response.malformed:
            environ[FINDING_KEY] = _MALFORMED
        start_response(f"{response.status:03} {response.reason or 'Unknown'}", _headers(response))
        return body

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._address
        upstream = http.client.HTTPConnection(host, port, timeout=self._timeout)
        if self._secure:
            context = ssl.create_default_context()
            upstream = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=context
            )
        upstream.response_class = UpstreamResponse
        return upstream

    def _send(
        self, upstream: http.client.HTTPConnection, environ: WSGIEnvironment
    ) -> UpstreamResponse:
        chunked, length = _request_framing(environ)
        upstream.connect()
        if loops.is_own_server(upstream.sock, environ):
            raise _LoopError
        try:
            self._put_head(upstream, environ)
        except ValueError as error:
            raise _BadRequestError(f"The request can't be forwarded: {error}") from error
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        elif length is not None:
            upstream.putheader("Content-Length", str(length))
        body = _chunks(environ["wsgi.input"], length) if chunked or length else None
        upstream.endheaders(body, encode_chunked=chunked)
        response = upstream.getresponse()
        assert isinstance(response, UpstreamResponse)
        return response

    def _put_head(self, upstream: http.client.HTTPConnection, environ: WSGIEnvironment) -> None:
        """Write the request line and all fields but the framing; ValueError if they are invalid."""
        upstream.putrequest(
            environ["REQUEST_METHOD"],
            self._target(environ),
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in self._request_headers(environ):
            upstream.putheader(name, value.encode("latin-1"))

    def _target(self, environ: WSGIEnvironment) -> str:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        target = self._prefix + quote(path.encode("latin-1"), safe=self._safe)
        query = quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=_QUERY)
        return f"{target or '/'}?{query}" if query else target or "/"

    def _request_headers(self, environ: WSGIEnvironment) -> Iterator[FieldLine]:
        """Yield the end-to-end fields of the request, and our own Host, Via and CDN-Loop."""
        pairs = [
            (name[5:].replace("_", "-").title(), value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        ]
        if environ.get("CONTENT_TYPE"):
            pairs.append(("Content-Type", environ["CONTENT_TYPE"]))
        dropped = connection.hop_by_hop(HeaderFields(pairs)) | _OWN
        host = environ.get("HTTP_HOST") if self._keep_host else None
        yield "Host", host or self._authority
        yield "Via", loops.extended(environ.get("HTTP_VIA"), _VIA)
        yield "CDN-Loop", loops.extended(environ.get("HTTP_CDN_LOOP"), self.token)
        yield "Connection", "close"
        for name, value in pairs:
            # Some WSGI servers accept folded values; the origin would read a fold as a new line.
            if name.lower() not in dropped and is_name(name):
                yield name, lines.cleaned_value(value)


class _ResponseStream:
    """The body of a response, chunk by chunk; closing it closes the connection."""

    def __init__(self, response: UpstreamResponse, connect: http.client.HTTPConnection) -> None:
        self._response = response
        self._connect = connect
        self._first_chunk = b""

    def read_first_chunk(self) -> None:
        """Read the first chunk, because an error before it can still become a 502.

        No client waits longer for the head: a WSGI server sends it with the first chunk.
        """
        try:
            self._first_chunk = self._read_chunk()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Yield chunks as they arrive; raise IncompleteRead if the body is truncated."""
        chunk = self._first_chunk
        while chunk:
            yield chunk
            chunk = self._read_chunk()

    def _read_chunk(self) -> bytes:
        chunk = self._response.read1(_CHUNK)
        missing = self._response.length
        if not chunk and missing:
            raise http.client.IncompleteRead(b"", missing)
        return chunk

    def close(self) -> None:
        self._response.close()
        self._connect.close()


def _find_failure(error: Exception) -> _Failure | None:
    """Return the response to a failed request; None if the error is a mistake in this program."""
    if isinstance(error, _LoopError):
        return _Failure("loop", loop_detected())
    if isinstance(error, _BadRequestError):
        return _Failure("bad-request", reply.build_text_response("400 Bad Request", str(error)))
    for kind, finding, line, sentence in _FAILURES:
        if isinstance(error, kind):
            _log.warning(
                "proxy.origin_failed: the client gets a %s, no valid response came (%r)",
                line[:3],
                error,
                extra={"error": repr(error), "reason": finding},
            )
            return _Failure(finding, reply.build_text_response(line, sentence))
    return None


def _headers(response: UpstreamResponse) -> list[FieldLine]:
    """Return the response's header lines without hop-by-hop fields and without a wrong length."""
    fields = HeaderFields(response.pairs)
    dropped = connection.hop_by_hop(fields)
    length = framing.INVALID if response.chunked else framing.content_length(fields)
    pairs = framing.repaired(response.status, response.pairs, length)
    return [(name, value) for name, value in pairs if name.lower() not in dropped]


def _request_framing(environ: WSGIEnvironment) -> tuple[bool, int | None]:
    """Return whether the request body is sent in chunks, and otherwise its length."""
    coding = environ.get("HTTP_TRANSFER_ENCODING")
    if coding is not None:
        if coding.strip(" \t").lower() != "chunked":
            raise _BadRequestError("The request has a transfer coding other than chunked.")
        return True, None
    length = environ.get("CONTENT_LENGTH", "")
    if not length:
        return False, None
    if not (length.isascii() and length.isdigit()):
        raise _BadRequestError("The Content-Length of the request is not a number.")
    return False, int(length)


def _chunks(stream: _Readable, length: int | None) -> Iterator[bytes]:
    """Yield the request's body; raise _BadRequestError if it is shorter than its length."""
    remaining = length
    while remaining is None or remaining > 0:
        chunk = _read_request_body(stream, _CHUNK if remaining is None else min(_CHUNK, remaining))
        if not chunk:
            break
        remaining = None if remaining is None else remaining - len(chunk)
        yield chunk
    if remaining:
        raise _BadRequestError("The body of the request is shorter than its Content-Length.")


def _read_request_body(stream: _Readable, size: int) -> bytes:
    try:
        return stream.read(size)
    except Exception as error:  # each server has its own exceptions for a broken body
        raise _BadRequestError("The body of the request can't be read.") from error


def _send(start_response: StartResponse, response: GatewayResponse) -> Iterable[bytes]:
    start_response(response.status_line, response.headers)
    return response.body
