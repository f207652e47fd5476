"""A gunicorn worker whose threads are given complete requests, so that slow senders hold no thread.

The event loop receives head and body; a thread never reads from a socket, and the loop never waits
for a client. It relies on the internals of gunicorn's gthread worker, so gunicorn is pinned.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

from .connection import HEAD_SECONDS, TOO_SLOW, Connection
from .framing import Limits, Progress
from .refusals import RefusingSocket, refusal

BODY_LIMIT: Final = 32 * 2**20
"""The largest body, in bytes, where MAX_CONTENT_LENGTH sets no limit."""
BUFFERS: Final = 64 * 2**20
"""Bytes that the requests of one worker may take together; at least twice the largest body."""

_READ: Final = 65536
_LINGER: Final = 2.0
_STOPPING: Final = 5.0
_STOPPING_IDLE: Final = 1.0
_EXPIRY_INTERVAL: Final = 0.5
_NO_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE})
_NO_CLIENT: Final = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED})
_TOO_LARGE: Final = refusal(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body of the request is too large."
)
_BUSY: Final = refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The server is busy. Please try again.")


class ReceivingWorker(ThreadWorker):  # type: ignore[misc] # gunicorn is not typed
    """Receives whole requests in the event loop; connections with TLS are left to gunicorn."""

    body_limit: int = BODY_LIMIT

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cfg = self.cfg
        head = cfg.limit_request_fields * (cfg.limit_request_field_size + 2) + 4
        self.limits = Limits(line=cfg.limit_request_line, head=head, body=self.body_limit)
        self.capacity = max(BUFFERS, 2 * self.body_limit)
        self._receiving: dict[Connection, None] = {}  # the oldest request first
        self._lingering: dict[Connection, float] = {}
        self._buffered_bytes = 0
        self._next_expiry = 0.0

    def accept(self, listener: Any) -> None:
        """Accept a connection and begin to receive its first request."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in _NO_FILES:
                self._drop_oldest()
            elif error.errno not in _NO_CLIENT:
                raise
            return
        if self.nr_conns + 1 >= self.worker_connections:
            self._drop_oldest()
        self.nr_conns += 1
        conn = Connection(self, sock, client, listener.getsockname(), limits=self.limits)
        self._await_request(conn, HEAD_SECONDS)
        self._receive(conn)  # the request often arrives with the connection

    def _await_request(self, conn: Connection, seconds: float) -> None:
        self._receiving[conn] = None
        conn.await_request(time.monotonic(), seconds)

    def _receive(self, conn: Connection, _: Any = None) -> None:
        """Receive what the client has sent."""
        try:
            data = conn.sock.recv(_READ)
        except (BlockingIOError, InterruptedError):
            self._listen(conn)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        conn.receive(data, time.monotonic())
        self._buffered_bytes += len(data)
        self._advance(conn)

    def _advance(self, conn: Connection) -> None:
        """Hand a complete request to a thread, or wait for more of it."""
        try:
            progress = conn.advance(time.monotonic())
        except OSError:  # the client is gone, so `100 Continue` could not be sent
            self._drop(conn)
            return
        if progress is Progress.TOO_LARGE:
            self._refuse(conn, _TOO_LARGE)
        elif progress is Progress.COMPLETE:
            self._release(conn)
            conn.hand_over()
            self.enqueue_req(conn)
        else:
            self._listen(conn)
            self._make_room()

    def _make_room(self) -> None:
        """While buffers exceed the capacity, refuse the oldest request above its equal share."""
        share = self.capacity // self.worker_connections
        while self._buffered_bytes > self.capacity:
            large = next((conn for conn in self._receiving if conn.buffered_bytes > share), None)
            if large is None:
                return
            self._refuse(large, _BUSY)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Serve a request in a thread; its body has arrived."""
        if isinstance(conn, Connection):
            req._expected_100_continue = False  # noqa: SLF001 - the event loop has sent it
            if conn.framing.closes or self.nr_conns > self.max_keepalived:
                req.force_close()
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a malformed request, or one that the app failed to answer."""
        super().handle_error(req, RefusingSocket(client), addr, exc)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Wait for the next request of a connection, or close it."""
        if not isinstance(conn, Connection):
            super().finish_request(conn, fs)
            return
        self._buffered_bytes -= conn.handed_over
        conn.handed_over = 0
        keep_alive = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if not keep_alive or not conn.reusable:
            self._linger(conn)
            return
        conn.sock.settimeout(0)
        self._await_request(conn, self.cfg.keepalive if self.alive else _STOPPING_IDLE)
        if conn.idle:
            self._listen(conn)
        else:
            self._advance(conn)

    def _linger(self, conn: Connection) -> None:
        """Close the sending side, and discard input until the client has closed the other one.

        To close at once would reset the connection, and the client could lose the response
        (RFC 9112 section 9.6).
        """
        self._buffered_bytes -= conn.buffered_bytes
        conn.buffer = bytearray()
        try:
            conn.sock.settimeout(0)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        self._lingering[conn] = time.monotonic() + _LINGER
        self._discard(conn)

    def _discard(self, conn: Connection, _: Any = None) -> None:
        try:
            data = conn.sock.recv(_READ)
        except (BlockingIOError, InterruptedError):
            data = b"-"
        except OSError:
            data = b""
        if data:
            self._listen(conn, self._discard)
        else:
            self._drop(conn)

    def _refuse(self, conn: Connection, response: bytes) -> None:
        """Answer a request that is not complete, and close the connection."""
        self._release(conn)
        try:
            conn.sock.send(response)
        except OSError:
            self._drop(conn)
            return
        self._linger(conn)

    def _listen(self, conn: Connection, callback: Any = None) -> None:
        if not conn.registered:
            conn.registered = True
            ready = partial(callback or self._receive, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, ready)

    def _release(self, conn: Connection) -> None:
        """Take a connection out of the event loop."""
        self._receiving.pop(conn, None)
        self._lingering.pop(conn, None)
        if conn.registered:
            conn.registered = False
            self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        """Close a connection at once."""
        self._release(conn)
        self._buffered_bytes -= conn.buffered_bytes
        conn.buffer = bytearray()
        self.nr_conns -= 1
        conn.close()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._lingering), None) or next(iter(self._receiving), None)
        if oldest is not None:
            self._drop(oldest)

    def murder_pending(self) -> None:
        """Close the connections whose deadline has passed; gunicorn calls it after each event."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_expiry:
            return
        self._next_expiry = now + _EXPIRY_INTERVAL
        for conn in [conn for conn in self._receiving if conn.deadline <= now]:
            if conn.idle:
                self._drop(conn)
            else:
                self._refuse(conn, TOO_SLOW)
        for conn in [conn for conn, deadline in self._lingering.items() if deadline <= now]:
            self._drop(conn)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        """Close every connection where the worker ends."""
        super().murder_keepalived(force)
        for conn in [*self._receiving, *self._lingering] if force else ():
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Bound how long a stopping worker waits for requests."""
        super()._cap_keepalive(deadline)
        now = time.monotonic()
        for conn in self._receiving:
            patience = _STOPPING_IDLE if conn.idle else _STOPPING
            conn.deadline = min(conn.deadline, now + patience)
