"""Call a WSGI application and return its response as a value before anything is sent.

A WSGI application may call start_response before or during iteration, call write() before it
returns, and replace the header with exc_info until the first byte is sent. This module hides that.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..http import framing
from .finding_key import FINDING_KEY
from .response_head import ResponseHead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import FieldLine


class NoResponseError(RuntimeError):
    """The application returned without a call of start_response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginResponse:
    """The response of the application: its head, the body to read, and its finding."""

    head: ResponseHead
    body: BodyReader
    finding: str | None = None


class BodyReader:
    """The body of an application: written chunks, chunks read ahead, and the rest. Close it."""

    def __init__(self, iterable: Iterable[bytes], chunks: list[bytes]) -> None:
        self._iterable = iterable
        self._chunks = chunks
        self._iterator: Iterator[bytes] | None = None

    def peek(self) -> None:
        """Read up to the first non-empty chunk: some applications call start_response only then."""
        self._iterator = self._iterator or iter(self._iterable)
        for chunk in self._iterator:
            if chunk:
                self._chunks.append(chunk)
                return

    def spool(self, limit: int) -> bytes | None:
        """Read the whole body and close it; return None, with nothing lost, if it exceeds `limit`.

        An exception of the application is raised here, and again by `remaining` after the chunks
        that preceded it. The caller must then still close the body.
        """
        self._iterator = self._iterator or iter(self._iterable)
        size = sum(map(len, self._chunks))
        try:
            for chunk in self._iterator:
                self._chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    return None
        except Exception as error:
            self._iterator = _FailingIterator(error)
            raise
        if size > limit:
            return None
        self.close()
        return b"".join(self._chunks)

    def remaining(self) -> Iterable[bytes]:
        """Return the rest for the server: the application's own iterable if nothing was read."""
        if self._iterator is None and not self._chunks:
            return self._iterable
        return _RemainingBody(chain(self._chunks, self._iterator or self._iterable), self.close)

    def close(self) -> None:
        """Close the application's iterable."""
        close = getattr(self._iterable, "close", None)
        if close is not None:
            close()


class _FailingIterator:
    """An iterator that raises the exception that ended a body."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise self._error


class _RemainingBody:
    """The chunks of a partly read body, with the close() of the application's iterable."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], None]) -> None:
        self._chunks = chunks
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


class _StartResponse:
    """The start_response callable that is passed to the application."""

    def __init__(self) -> None:
        self.head: tuple[str, list[FieldLine]] | None = None
        self.chunks: list[bytes] = []
        self.is_committed = False

    def commit_head(self) -> tuple[str, list[FieldLine]]:
        """Return the head; the application can't change it from now on."""
        if self.head is None:
            raise NoResponseError("The application returned without calling start_response.")
        self.is_committed = True
        return self.head

    def __call__(
        self, status: str, headers: list[FieldLine], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if exc_info and self.is_committed:
            raise exc_info[1].with_traceback(exc_info[2])
        if not exc_info and self.head is not None:
            raise AssertionError("start_response was called twice without exc_info.")
        self.head = (status, list(headers))
        return self.chunks.append


def call_application(
    app: WSGIApplication, environ: WSGIEnvironment, clock: Callable[[], float]
) -> OriginResponse:
    """Call the application and return its response as soon as its head is known.

    If the application raises, its iterable is closed and the exception is raised here.
    """
    requested_at = clock()
    start = _StartResponse()
    body = BodyReader(app(environ, start), start.chunks)
    try:
        if start.head is None:
            body.peek()
        line, pairs = start.commit_head()
    except BaseException:
        body.close()
        raise
    head = ResponseHead.from_wsgi(line, pairs, requested_at=requested_at, received_at=clock())
    return OriginResponse(head=head, body=body, finding=environ.get(FINDING_KEY))


class ShortBodyError(RuntimeError):
    """The application sent fewer bytes than its Content-Length.

    The server has sent the head already. It must close the connection, so that the client does not
    read the next response as the rest of this one.
    """


def measured(
    body: Iterable[bytes], length: int | None, environ: WSGIEnvironment
) -> Iterable[bytes]:
    """Return a body that yields exactly `length` bytes or raises ShortBodyError at its end.

    A body without a length, or a file that the server sends itself, is returned unchanged.
    """
    if length is None or length < 0 or _is_file(body, environ):
        return body
    return _Measured(body, _Meter(remaining=length))


def _is_file(body: Iterable[bytes], environ: WSGIEnvironment) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Meter:
    """Counts the bytes of a response that remain; None if there is no Content-Length."""

    def __init__(self, remaining: int | None = None) -> None:
        self.remaining = remaining

    def truncate(self, chunk: bytes) -> bytes:
        """Return the part of the chunk that Content-Length allows."""
        if self.remaining is None:
            return chunk
        chunk = chunk[: self.remaining]
        self.remaining -= len(chunk)
        return chunk


class _Measured:
    """A body that ends after Content-Length bytes, and raises ShortBodyError if it is shorter."""

    def __init__(self, body: Iterable[bytes], meter: _Meter) -> None:
        self._body = body
        self._meter = meter

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            yield self._meter.truncate(chunk)
            if self._meter.remaining == 0:
                return
        if self._meter.remaining:
            yield b""  # makes the server send the head, which may name a file (X-Accel-Redirect)
            raise ShortBodyError(f"{self._meter.remaining} bytes of the body are missing.")

    def close(self) -> None:
        close = getattr(self._body, "close", None)
        if close is not None:
            close()


def pass_through(
    app: WSGIApplication,
    environ: WSGIEnvironment,
    start_response: StartResponse,
    rewrite: Callable[[str, list[FieldLine]], list[FieldLine]],
) -> Iterable[bytes]:
    """Call the application with the server's start_response; `rewrite` changes the header list.

    The body ends after Content-Length bytes, or with ShortBodyError if it is shorter.
    """
    meter = _Meter()
    started = False

    def start(status: str, headers: list[FieldLine], *exc_info: Any) -> Callable[[bytes], object]:
        nonlocal started
        head = ResponseHead.from_wsgi(status, headers, requested_at=0, received_at=0)
        bodiless = environ["REQUEST_METHOD"] == "HEAD" or framing.has_no_body(head.status)
        length = 0 if bodiless else head.content_length
        meter.remaining = None if length == framing.INVALID else length
        repaired = framing.repaired(head.status, headers, head.content_length)
        write = start_response(status, rewrite(status, repaired), *exc_info)
        started = True
        return lambda data: write(meter.truncate(data))

    body = app(environ, start)
    if started and (meter.remaining is None or _is_file(body, environ)):
        return body
    return _Measured(body, meter)
