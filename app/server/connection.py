"""A client connection whose requests are received by the event loop, not by a thread."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader
from gunicorn.workers.gthread import TConn

from .framing import Framing, Limits, Progress
from .refusals import refusal

HEAD_SECONDS: Final = 10.0
"""How long a client may take to send a request head."""
BODY_SECONDS: Final = 20.0
"""How long a client may take to send a body, plus a second for each BODY_RATE bytes received."""
BODY_RATE: Final = 16384

_PIECE: Final = 65536
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
TOO_SLOW: Final = refusal(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.")


class ReceivedUnreader(Unreader):  # type: ignore[misc] # gunicorn is not typed
    """Gives gunicorn's parser the bytes of one request; after them the stream is at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = memoryview(b"")

    def supply(self, data: bytes) -> None:
        """Feed these bytes to the parser."""
        self._rest = memoryview(data)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece, which is empty at the end of the request."""
        size = min(max(size_hint or 0, 8192), _PIECE)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return bytes(piece)

    @property
    def exhausted(self) -> bool:
        """Whether the parser has read every byte."""
        return not len(self._rest) and not self.buf.getvalue()


class Connection(TConn):  # type: ignore[misc] # as above
    """One client and the bytes of its next request."""

    def __init__(self, worker: Any, sock: Any, client: Any, server: Any, *, limits: Limits) -> None:
        super().__init__(worker.cfg, sock, client, server)
        self.limits = limits
        self.unreader = ReceivedUnreader()
        self.parser = RequestParser(worker.cfg, (), client)
        self.parser.unreader = self.unreader
        self.data_ready = True  # a thread never waits for data
        self.registered = False
        self.buffer = bytearray()
        self.framing = Framing(limits=limits)
        self.handed_over = 0
        self.deadline = 0.0
        self._body_began: float | None = None

    @property
    def idle(self) -> bool:
        """Whether no byte of the next request has arrived."""
        return not self.buffer

    @property
    def buffered_bytes(self) -> int:
        """Bytes in memory: received ones and the ones in a thread's work."""
        return len(self.buffer) + self.handed_over

    def await_request(self, now: float, seconds: float) -> None:
        """Begin to receive a request, whose first byte may take so many seconds."""
        self.framing = Framing(limits=self.limits)
        self.handed_over = 0
        self._body_began = None
        self.deadline = now + (seconds if self.idle else HEAD_SECONDS)

    def receive(self, data: bytes, now: float) -> None:
        """Take more bytes of the request."""
        if self.idle:
            self.deadline = now + HEAD_SECONDS
        self.buffer += data

    def advance(self, now: float) -> Progress:
        """Return how much of the request is there, and set the deadline for the rest."""
        progress = self.framing.advance(self.buffer)
        if progress is Progress.BODY:
            if self._body_began is None:
                self._body_began = now
                self._invite_body()
            received = len(self.buffer) / BODY_RATE
            self.deadline = self._body_began + BODY_SECONDS + received
        return progress

    def _invite_body(self) -> None:
        if self.framing.expects_continue:
            self.sock.send(_CONTINUE)

    def hand_over(self) -> None:
        """Move the bytes of the complete request to gunicorn's parser."""
        end = self.framing.end
        data = bytes(memoryview(self.buffer)[:end])
        del self.buffer[:end]
        self.handed_over = len(data)
        self.unreader.supply(data)

    @property
    def reusable(self) -> bool:
        """Whether what follows on the connection is certain to be another request."""
        return not self.framing.closes and self.unreader.exhausted
