"""Proxy: a WSGI application that asks an HTTP origin (RFC 9110 section 7), streaming its answer.

It adds nothing of its own but Via, follows no redirect and caches nothing.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlsplit

from ..http import connection
from ..http.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import Pair

_log: Final = logging.getLogger(__name__)
_CHUNK: Final = 64 * 1024
#: Left as they are in a path: what RFC 3986 allows there besides letters and digits.
_PATH: Final = "/~!$&'()*+,;=:@-._"
_INTERIM: Final = range(100, 200)
_UNNAMED: Final = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
#: Folded lines and control characters become a space (RFC 9110 section 5.5, RFC 9112, 5.2).
_LINE: Final = re.compile(r"[\r\n]+[ \t]*|[\x00-\x08\x0b-\x1f\x7f]")
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")
_VIA: Final = "1.1 broadsheet"


class _FinalResponse(http.client.HTTPResponse):
    """The final response: the standard library takes a 103 for one, and only skips 100."""

    def _read_status(self) -> tuple[str, int, str]:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            if status not in _INTERIM:
                return version, status, reason
            http.client.parse_headers(self.fp)


class _Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes:
        """Return at most so many bytes."""


class Proxy:
    """Forwards each request to one origin; 502 when it can't be understood, 504 when it is late.

    With `keep_host` the reader's Host goes on; otherwise the origin gets its own. With `encoded`
    a path is taken to be spelt as it was received, as `AsReceived` leaves it.
    """

    def __init__(
        self, origin: str, *, timeout: timedelta, keep_host: bool = True, encoded: bool = False
    ) -> None:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"The origin must look like 'http://host:port', not {origin!r}.")
        self._secure = parts.scheme == "https"
        self._address = (parts.hostname, parts.port)
        self._authority = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout.total_seconds()
        self._keep_host = keep_host
        self._safe = _PATH + "%" if encoded else _PATH

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Forward one request and stream the answer."""
        link = self._link()
        try:
            answer = self._ask(link, environ)
        except TimeoutError:
            link.close()
            return _failed(start_response, "504 Gateway Timeout", "The origin did not answer.")
        except (OSError, http.client.HTTPException, ValueError) as error:
            link.close()
            _log.warning("proxy.origin_failed", extra={"error": repr(error)})
            return _failed(start_response, "502 Bad Gateway", "The origin could not be reached.")
        start_response(f"{answer.status:03} {answer.reason or 'Unknown'}", _headers(answer))
        return _Stream(answer, link)

    def _link(self) -> http.client.HTTPConnection:
        host, port = self._address
        link = http.client.HTTPConnection(host, port, timeout=self._timeout)
        if self._secure:
            context = ssl.create_default_context()
            link = http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)
        link.response_class = _FinalResponse
        return link

    def _ask(
        self, link: http.client.HTTPConnection, environ: WSGIEnvironment
    ) -> http.client.HTTPResponse:
        link.putrequest(
            environ["REQUEST_METHOD"],
            self._target(environ),
            skip_host=True,
            skip_accept_encoding=True,
        )
        for name, value in self._request_headers(environ):
            link.putheader(name, value.encode("latin-1"))
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        if chunked:
            link.putheader("Transfer-Encoding", "chunked")
        link.endheaders(_body(environ), encode_chunked=chunked)
        return link.getresponse()

    def _target(self, environ: WSGIEnvironment) -> str:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        target = self._prefix + quote(path.encode("latin-1"), safe=self._safe)
        query = environ.get("QUERY_STRING", "")
        return f"{target or '/'}?{query}" if query else target or "/"

    def _request_headers(self, environ: WSGIEnvironment) -> Iterator[Pair]:
        pairs = [
            (name[5:].replace("_", "-").title(), value)
            for name, value in environ.items()
            if name.startswith("HTTP_")
        ]
        pairs += [(_UNNAMED[name], environ[name]) for name in _UNNAMED if environ.get(name)]
        dropped = connection.hop_by_hop(Fields(pairs)) | {"host", "via"}
        via = environ.get("HTTP_VIA")
        host = environ.get("HTTP_HOST") if self._keep_host else None
        yield "Host", host or self._authority
        yield "Via", f"{via}, {_VIA}" if via else _VIA
        yield from ((name, value) for name, value in pairs if name.lower() not in dropped)


class AsReceived:
    """WSGI middleware that leaves a path as it was spelt, where the server tells how it was.

    A proxy must not rewrite it (RFC 9112 section 3.2.1), and to some origins `%2F` is no slash.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on."""
        target = _ABSOLUTE.sub("", environ.get("RAW_URI", ""), count=1)
        if target.startswith("/"):
            environ["PATH_INFO"] = target.partition("?")[0]
        return self._app(environ, start_response)


class _Stream:
    """The body of an answer, chunk by chunk; ends its connection when it is closed."""

    def __init__(self, answer: http.client.HTTPResponse, link: http.client.HTTPConnection) -> None:
        self._answer = answer
        self._link = link

    def __iter__(self) -> Iterator[bytes]:
        """Give what comes as it comes; a body that breaks off raises IncompleteRead."""
        while chunk := self._answer.read1(_CHUNK):
            yield chunk
        missing = self._answer.length
        if missing:
            raise http.client.IncompleteRead(b"", missing)

    def close(self) -> None:
        self._answer.close()
        self._link.close()


def _headers(answer: http.client.HTTPResponse) -> list[Pair]:
    """Return the answer's lines as they came, without those of the hop."""
    pairs = [(name, _LINE.sub(" ", value).strip(" \t")) for name, value in answer.msg.raw_items()]
    dropped = connection.hop_by_hop(Fields(pairs))
    return [(name, value) for name, value in pairs if name.lower() not in dropped]


def _body(environ: WSGIEnvironment) -> Iterable[bytes] | None:
    length = environ.get("CONTENT_LENGTH") or "0"
    if "HTTP_TRANSFER_ENCODING" in environ:
        return _chunks(environ["wsgi.input"], None)
    return _chunks(environ["wsgi.input"], int(length)) if int(length) else None


def _chunks(stream: _Readable, length: int | None) -> Iterator[bytes]:
    left = length
    while left is None or left > 0:
        chunk = stream.read(_CHUNK if left is None else min(_CHUNK, left))
        if not chunk:
            return
        left = None if left is None else left - len(chunk)
        yield chunk


def _failed(start_response: StartResponse, line: str, sentence: str) -> Iterable[bytes]:
    body = f"{sentence}\n".encode()
    start_response(
        line,
        [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return (body,)
