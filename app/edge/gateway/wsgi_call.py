"""Exchange: one question to the application, and its answer before it is sent anywhere.

WSGI lets an application start its response before or while its iterable runs, write() before it
returns and change its mind with exc_info until the first byte: here that becomes a plain value.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from ..http import framing
from .response_head import ResponseHead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from ..http.fields import FieldLine

#: Where an application tells in its environ, as a token, why it keeps its answer from caches.
FINDING_KEY: Final = "broadsheet.finding"


class NoResponseError(RuntimeError):
    """The application returned without having called start_response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginResponse:
    """An application's answer: its head, its body as far as it is still to come, its finding."""

    head: ResponseHead
    body: BodyReader
    finding: str | None = None


class BodyReader:
    """An application's body: what was written, what was read ahead, and the rest; close it."""

    def __init__(self, iterable: Iterable[bytes], chunks: list[bytes]) -> None:
        self._iterable = iterable
        self._chunks = chunks
        self._iterator: Iterator[bytes] | None = None

    def peek(self) -> None:
        """Read up to the first chunk with something in it; applications may start only there."""
        self._iterator = self._iterator or iter(self._iterable)
        for chunk in self._iterator:
            if chunk:
                self._chunks.append(chunk)
                return

    def spool(self, limit: int) -> bytes | None:
        """Read it all and close it; None when there is more than `most`, and nothing is lost then.

        What the application raises on the way is raised here, and by `remaining` once more after
        what came before it; the body is then still to be closed.
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
        """Return what a server is to send: the application's own iterable if it is untouched."""
        if self._iterator is None and not self._chunks:
            return self._iterable
        return _RemainingBody(chain(self._chunks, self._iterator or self._iterable), self.close)

    def close(self) -> None:
        """Tell the application that nobody reads on."""
        close = getattr(self._iterable, "close", None)
        if close is not None:
            close()


class _FailingIterator:
    """The rest of a body that broke off: what it raised is raised to who reads on."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        raise self._error


class _RemainingBody:
    """The chunks of a body that was touched, with the close() of the application's iterable."""

    def __init__(self, chunks: Iterable[bytes], close: Callable[[], None]) -> None:
        self._chunks = chunks
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)


class _StartResponse:
    """The start_response an application is given."""

    def __init__(self) -> None:
        self.head: tuple[str, list[FieldLine]] | None = None
        self.chunks: list[bytes] = []
        self.is_committed = False

    def commit_head(self) -> tuple[str, list[FieldLine]]:
        """Return the head; from now on the application can't change it."""
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
    """Call the application and return its answer as soon as its head is known.

    Whatever it raises is raised here; its iterable is then closed.
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
    """The application gave fewer bytes than its Content-Length announced.

    The server has sent the head already: it must end the connection, so that the reader does not
    take the next response for the rest of this one.
    """


def measured(
    body: Iterable[bytes], length: int | None, environ: WSGIEnvironment
) -> Iterable[bytes]:
    """Return a body that gives exactly `length` bytes, or raises ShortBodyError at its end.

    A body without a length, and a file that the server may send by itself, stay as they are.
    """
    if length is None or length < 0 or _is_file(body, environ):
        return body
    return _Measured(body, _Meter(remaining=length))


def _is_file(body: Iterable[bytes], environ: WSGIEnvironment) -> bool:
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


class _Meter:
    """How many bytes of a response are still to come; None while nobody announced a number."""

    def __init__(self, remaining: int | None = None) -> None:
        self.remaining = remaining

    def truncate(self, chunk: bytes) -> bytes:
        """Return as much of a chunk as was announced."""
        if self.remaining is None:
            return chunk
        chunk = chunk[: self.remaining]
        self.remaining -= len(chunk)
        return chunk


class _Measured:
    """A body that ends where its Content-Length says, and tells when it ends before."""

    def __init__(self, body: Iterable[bytes], meter: _Meter) -> None:
        self._body = body
        self._meter = meter

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            yield self._meter.truncate(chunk)
            if self._meter.remaining == 0:
                return
        if self._meter.remaining:
            yield b""  # so that the head goes out: it may tell a server in front of a file
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
    """Let the application answer the server itself; only its header list goes through `rewrite`.

    Its body ends where its Content-Length says, or with ShortBodyError.
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
