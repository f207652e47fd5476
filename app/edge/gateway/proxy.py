"""A WSGI application that forwards requests to an HTTP origin and streams its responses.

It adds only Via and CDN-Loop, follows no redirects and caches nothing.
"""

from __future__ import annotations

import http.client
import logging
import ssl
from typing import TYPE_CHECKING, Final, Protocol
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
        except _LoopError:
            upstream.close()
            return _send(start_response, loop_detected())
        except _BadRequestError as error:
            upstream.close()
            return _send(start_response, reply.build_text_response("400 Bad Request", str(error)))
        except TimeoutError:
            upstream.close()
            timeout_response = reply.build_text_response(
                "504 Gateway Timeout", "The origin did not answer."
            )
            return _send(start_response, timeout_response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            upstream.close()
            _log.warning(
                "proxy.origin_failed: the client gets a 502, no valid response came (%r)",
                error,
                extra={"error": repr(error)},
            )
            error_response = reply.build_text_response(
                "502 Bad Gateway", "The origin could not be reached."
            )
            return _send(start_response, error_response)
        if response.malformed:
            environ[FINDING_KEY] = _MALFORMED
        start_response(f"{response.status:03} {response.reason or 'Unknown'}", _headers(response))
        return _ResponseStream(response, upstream)

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
        upstream.putrequest(
            environ["REQUEST_METHOD"],
            self._target(environ),
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in self._request_headers(environ):
            upstream.putheader(name, value.encode("latin-1"))
        if chunked:
            upstream.putheader("Transfer-Encoding", "chunked")
        elif length is not None:
            upstream.putheader("Content-Length", str(length))
        body = _chunks(environ["wsgi.input"], length) if chunked or length else None
        upstream.endheaders(body, encode_chunked=chunked)
        response = upstream.getresponse()
        assert isinstance(response, UpstreamResponse)
        return response

    def _target(self, environ: WSGIEnvironment) -> str:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        target = self._prefix + quote(path.encode("latin-1"), safe=self._safe)
        query = environ.get("QUERY_STRING", "")
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

    def __iter__(self) -> Iterator[bytes]:
        """Yield chunks as they arrive; raise IncompleteRead if the body is truncated."""
        while chunk := self._response.read1(_CHUNK):
            yield chunk
        missing = self._response.length
        if missing:
            raise http.client.IncompleteRead(b"", missing)

    def close(self) -> None:
        self._response.close()
        self._connect.close()


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
        chunk = stream.read(_CHUNK if remaining is None else min(_CHUNK, remaining))
        if not chunk:
            break
        remaining = None if remaining is None else remaining - len(chunk)
        yield chunk
    if remaining:
        raise _BadRequestError("The body of the request is shorter than its Content-Length.")


def _send(start_response: StartResponse, response: GatewayResponse) -> Iterable[bytes]:
    start_response(response.status_line, response.headers)
    return response.body
