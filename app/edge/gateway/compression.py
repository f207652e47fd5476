"""Compress responses with brotli and gzip for an application without a gateway.

Only responses that a shared cache may store are compressed. Others often hold a reader's secrets,
and the length of a compressed body reveals them if an attacker can choose part of it (BREACH).
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
from ..http.vary import nominated_fields
from . import content_coding, wsgi_call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import FieldLine
    from .response_head import ResponseHead
    from .wsgi_call import BodyReader, OriginResponse

_log: Final = logging.getLogger(__name__)

MIN_SIZE: Final = 256
"""The minimum body size in bytes: a smaller body fits in one packet uncompressed."""
MAX_SIZE: Final = 2**20
"""The maximum body size in bytes that is compressed at once; a larger one is streamed."""

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
        """Call the application, and compress the response if that is allowed."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or "HTTP_AUTHORIZATION" in environ:
            return self._app(environ, start_response)
        origin_response = wsgi_call.call_application(self._app, environ, time.time)
        head = origin_response.head
        if not is_shareable(head):
            start_response(head.status_line, [*head.pairs])
            return origin_response.body.remaining()
        if head.status in _DERIVED or not is_compressible(head):
            start_response(
                head.status_line, _with_vary(head) if _varies_by_coding(head) else [*head.pairs]
            )
            return origin_response.body.remaining()
        coding = codings.choose_coding(environ.get("HTTP_ACCEPT_ENCODING"), _CODINGS)
        if coding == "identity":
            start_response(head.status_line, _with_vary(head))
            return origin_response.body.remaining()
        return _compressed(origin_response, coding, environ, start_response)


def is_shareable(head: ResponseHead) -> bool:
    """Return whether a shared cache may store a response; without Cache-Control it may not."""
    fields = head.fields
    directives = Directives.parse(fields.lines("cache-control"))
    names = nominated_fields(fields.lines("vary"))
    return (
        "cache-control" in fields
        and not {"no-store", "private"} & set(directives)
        and "set-cookie" not in fields
        and names is not None
        and not _PRIVATE_VARY & set(names)
    )


def is_compressible(head: ResponseHead) -> bool:
    """Return whether a body is text, large enough, and not encoded by the application."""
    directives = Directives.parse(head.fields.lines("cache-control"))
    length = head.content_length
    return (
        head.status in _STATUSES
        and (length is None or length >= MIN_SIZE)
        and content_coding.is_compressible(head.fields, directives, status=head.status)
    )


def _varies_by_coding(head: ResponseHead) -> bool:
    """Return whether this 206 or 304 belongs to a page that could be compressed."""
    if head.status == HTTPStatus.NOT_MODIFIED:
        return True
    directives = Directives.parse(head.fields.lines("cache-control"))
    return head.status == HTTPStatus.PARTIAL_CONTENT and content_coding.is_compressible(
        head.fields, directives, status=HTTPStatus.OK
    )


def _with_vary(head: ResponseHead) -> list[FieldLine]:
    """Return the header list with one Vary line that contains Accept-Encoding."""
    return [*(pair for pair in head.pairs if pair[0].lower() != "vary"), _vary(head)]


def _vary(head: ResponseHead) -> FieldLine:
    names = [name.strip() for line in head.fields.lines("vary") for name in line.split(",")]
    field_names = [name for name in names if name and name.lower() != "accept-encoding"]
    return ("Vary", ", ".join(dict.fromkeys([*field_names, "Accept-Encoding"])))


def _headers(head: ResponseHead, coding: str, length: int | None) -> list[FieldLine]:
    """Return the header list of the compressed representation, which has an ETag of its own."""
    pairs = [pair for pair in head.pairs if pair[0].lower() not in _REPLACED]
    tag = content_coding.etag_for_coding(coding, head.fields.single("etag"))
    return [
        *pairs,
        ("Content-Encoding", coding),
        *([("Content-Length", str(length))] if length is not None else []),
        *([("ETag", tag)] if tag is not None else []),
        _vary(head),
    ]


def _compressed(
    origin_response: OriginResponse,
    coding: str,
    environ: WSGIEnvironment,
    start_response: StartResponse,
) -> Iterable[bytes]:
    """Start the response in this coding; return its body."""
    head = origin_response.head
    if _is_not_modified(head, coding, environ):
        origin_response.body.close()
        pairs = [pair for pair in _headers(head, coding, None) if pair[0].lower() not in _IN_304]
        start_response("304 Not Modified", pairs)
        return []
    if environ["REQUEST_METHOD"] == "HEAD":
        start_response(head.status_line, _headers(head, coding, None))
        return origin_response.body.remaining()
    if head.content_length is None or head.content_length > MAX_SIZE:
        start_response(head.status_line, _headers(head, coding, None))
        return _Stream(origin_response.body, _ENCODERS[coding](), flush=head.content_length is None)
    return _compress_whole_body(origin_response, coding, start_response)


def _is_not_modified(head: ResponseHead, coding: str, environ: WSGIEnvironment) -> bool:
    """Evaluate If-None-Match for the compressed representation (RFC 9110 section 13.1.2)."""
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    tag = content_coding.etag_for_coding(coding, head.fields.single("etag"))
    if if_none_match is None or tag is None or head.status != HTTPStatus.OK:
        return False
    return not validators.evaluate_if_none_match(if_none_match, tag)


def _compress_whole_body(
    origin_response: OriginResponse, coding: str, start_response: StartResponse
) -> Iterable[bytes]:
    """Compress a body of known length; send it unchanged if its length is wrong."""
    head = origin_response.head
    content = origin_response.body.spool(MAX_SIZE)
    if content is None or len(content) != head.content_length:
        start_response(head.status_line, _with_vary(head))
        return origin_response.body.remaining()
    try:
        encoder = _ENCODERS[coding]()
        packed = encoder.process(content) + encoder.finish()
    except Exception:  # noqa: BLE001 - the page is then sent uncompressed
        _log.exception("compression.failed: a page is sent uncompressed (%s)", coding)
        start_response(head.status_line, _with_vary(head))
        return [content]
    start_response(head.status_line, _headers(head, coding, len(packed)))
    return [packed]


class _Gzip:
    """A gzip encoder without a time stamp, so that its output is deterministic."""

    def __init__(self) -> None:
        encoder = zlib.compressobj(level=6, wbits=31)
        self.process = encoder.compress
        self.flush: Callable[[], bytes] = lambda: encoder.flush(zlib.Z_SYNC_FLUSH)
        self.finish: Callable[[], bytes] = encoder.flush


class _Brotli:
    """A brotli encoder with a quality that takes about as long as gzip."""

    def __init__(self) -> None:
        encoder = brotli.Compressor(quality=5)
        self.process: Callable[[bytes], bytes] = encoder.process
        self.flush: Callable[[], bytes] = encoder.flush
        self.finish: Callable[[], bytes] = encoder.finish


_ENCODERS: Final[dict[str, Callable[[], Any]]] = {"br": _Brotli, "gzip": _Gzip}


class _Stream:
    """A body that is compressed while it is sent; with `flush`, each chunk is sent at once."""

    def __init__(self, body: BodyReader, encoder: Any, *, flush: bool) -> None:
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
