"""Compression: brotli and gzip for an application that has no gateway in front of it.

Only responses that a shared cache may keep are compressed. The others are often one reader's own,
and the length of a compressed secret beside text that a stranger chose gives the secret away.
"""

from __future__ import annotations

import logging
import time
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import brotli

from ..http import codings, validators
from ..http.cache_control import Directives
from ..http.vary import nominated
from . import exchange, packing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import Pair
    from .exchange import Answered, Body
    from .head import Head

_log: Final = logging.getLogger(__name__)

SMALLEST: Final = 256
"""A body with fewer bytes fits in a packet anyway."""
LARGEST: Final = 2**20
"""A body with more bytes is compressed piece by piece while it is sent."""

_CODINGS: Final = ("br", "gzip")
_STATUSES: Final = frozenset(
    {
        HTTPStatus.OK,
        HTTPStatus.NON_AUTHORITATIVE_INFORMATION,
        HTTPStatus.MULTIPLE_CHOICES,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }
)
_DERIVED: Final = frozenset({HTTPStatus.PARTIAL_CONTENT, HTTPStatus.NOT_MODIFIED})
_PRIVATE_VARY: Final = frozenset({"cookie", "authorization"})
_REPLACED: Final = frozenset(
    {"accept-ranges", "content-encoding", "content-length", "etag", "vary"}
)
_IN_304: Final = frozenset(
    {"content-encoding", "content-length", "content-type", "content-language", "accept-ranges"}
)


class Compression:
    """WSGI middleware that sends brotli or gzip to readers who accept it."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on, and compress the response where it may be."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in environ:
            return self._app(environ, start_response)
        answered = exchange.ask(self._app, environ, time.time)
        head = answered.head
        if not shareable(head):
            start_response(head.line, [*head.pairs])
            return answered.body.remaining()
        if head.status in _DERIVED or not compressible(head):
            start_response(head.line, _varying(head) if _negotiated(head) else [*head.pairs])
            return answered.body.remaining()
        coding = codings.choose(environ.get("HTTP_ACCEPT_ENCODING"), _CODINGS)
        if coding == "identity":
            start_response(head.line, _varying(head))
            return answered.body.remaining()
        return _compressed(answered, coding, environ, start_response)


def shareable(head: Head) -> bool:
    """Tell whether a shared cache may keep a response: what names no lifetime is not shareable."""
    fields = head.fields
    directives = Directives.parse(fields.lines("cache-control"))
    names = nominated(fields.lines("vary"))
    return (
        "cache-control" in fields
        and not {"no-store", "private"} & set(directives)
        and "set-cookie" not in fields
        and names is not None
        and not _PRIVATE_VARY & set(names)
    )


def compressible(head: Head) -> bool:
    """Tell whether a body is text, large enough, and not coded by the application."""
    directives = Directives.parse(head.fields.lines("cache-control"))
    length = head.length
    return (
        head.status in _STATUSES
        and (length is None or length >= SMALLEST)
        and packing.worthwhile(head.fields, directives, status=head.status)
    )


def _negotiated(head: Head) -> bool:
    """Tell whether the whole page, of which this is a part or a 304, could be compressed."""
    if head.status == HTTPStatus.NOT_MODIFIED:
        return True
    directives = Directives.parse(head.fields.lines("cache-control"))
    return head.status == HTTPStatus.PARTIAL_CONTENT and packing.worthwhile(
        head.fields, directives, status=HTTPStatus.OK
    )


def _varying(head: Head) -> list[Pair]:
    """Return the header list with one Vary line, which names Accept-Encoding."""
    return [*(pair for pair in head.pairs if pair[0].lower() != "vary"), _vary(head)]


def _vary(head: Head) -> Pair:
    names = [name.strip() for line in head.fields.lines("vary") for name in line.split(",")]
    named = [name for name in names if name and name.lower() != "accept-encoding"]
    return ("Vary", ", ".join(dict.fromkeys([*named, "Accept-Encoding"])))


def _headers(head: Head, coding: str, length: int | None) -> list[Pair]:
    """Return the header list of the compressed representation, which has an ETag of its own."""
    kept = [pair for pair in head.pairs if pair[0].lower() not in _REPLACED]
    tag = packing.tagged(coding, head.fields.only("etag"))
    return [
        *kept,
        ("Content-Encoding", coding),
        *([("Content-Length", str(length))] if length is not None else []),
        *([("ETag", tag)] if tag is not None else []),
        _vary(head),
    ]


def _compressed(
    answered: Answered, coding: str, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Start the response in this coding; return its body."""
    head = answered.head
    if _has_it_already(head, coding, environ):
        answered.body.close()
        kept = [pair for pair in _headers(head, coding, None) if pair[0].lower() not in _IN_304]
        start_response("304 Not Modified", kept)
        return []
    if environ["REQUEST_METHOD"] == "HEAD":
        start_response(head.line, _headers(head, coding, None))
        return answered.body.remaining()
    if head.length is None or head.length > LARGEST:
        start_response(head.line, _headers(head, coding, None))
        return _Stream(answered.body, _ENCODERS[coding](), flush=head.length is None)
    return _at_once(answered, coding, start_response)


def _has_it_already(head: Head, coding: str, environ: WSGIEnvironment) -> bool:
    """Evaluate If-None-Match for the compressed representation (RFC 9110 section 13.1.2)."""
    wanted = environ.get("HTTP_IF_NONE_MATCH")
    tag = packing.tagged(coding, head.fields.only("etag"))
    if wanted is None or tag is None or head.status != HTTPStatus.OK:
        return False
    return not validators.none_match(wanted, tag)


def _at_once(answered: Answered, coding: str, start_response: StartResponse) -> Iterable[bytes]:
    """Compress a body of known length; one that does not have that length is sent as it is."""
    head = answered.head
    content = answered.body.spool(LARGEST)
    if content is None or len(content) != head.length:
        start_response(head.line, _varying(head))
        return answered.body.remaining()
    try:
        encoder = _ENCODERS[coding]()
        packed = encoder.process(content) + encoder.finish()
    except Exception:  # noqa: BLE001 - the page is sent uncompressed then
        _log.exception("compression.failed: a page is sent uncompressed (%s)", coding)
        start_response(head.line, _varying(head))
        return [content]
    start_response(head.line, _headers(head, coding, len(packed)))
    return [packed]


class _Gzip:
    """Deterministic gzip: no time stamp."""

    def __init__(self) -> None:
        encoder = zlib.compressobj(level=6, wbits=31)
        self.process = encoder.compress
        self.flush: Callable[[], bytes] = lambda: encoder.flush(zlib.Z_SYNC_FLUSH)
        self.finish: Callable[[], bytes] = encoder.flush


class _Brotli:
    """A quality that costs about as much time as gzip."""

    def __init__(self) -> None:
        encoder = brotli.Compressor(quality=5)
        self.process: Callable[[bytes], bytes] = encoder.process
        self.flush: Callable[[], bytes] = encoder.flush
        self.finish: Callable[[], bytes] = encoder.finish


_ENCODERS: Final[dict[str, Callable[[], Any]]] = {"br": _Brotli, "gzip": _Gzip}


class _Stream:
    """A body that is compressed while it is sent; where `flush`, each chunk leaves at once."""

    def __init__(self, body: Body, encoder: Any, *, flush: bool) -> None:
        self._body = body
        self._encoder = encoder
        self._flush = flush

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body.remaining():
            packed = self._encoder.process(chunk)
            if self._flush and chunk:
                packed += self._encoder.flush()
            if packed:
                yield packed
        yield self._encoder.finish()

    def close(self) -> None:
        """Close the application's body."""
        self._body.close()
