"""A worker of gunicorn in this process: the test turns its event loop and its clock by hand."""

from __future__ import annotations

import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from app.server import worker as module
from app.server.worker import ReceivingWorker

PATIENCE = 10.0


class CountingWorker(ReceivingWorker):
    """Counts the connections that it has accepted."""

    accept_count = 0

    def accept(self, listener: Any) -> None:
        """Accept a connection and count it."""
        super().accept(listener)
        self.accept_count += 1


class EventLoop:
    """A listening worker whose clock stands still until a test moves it."""

    def __init__(self, listener: socket.socket, settings: dict[str, Any]) -> None:
        config = Config()
        for name, value in {"threads": 2, "accesslog": None, "errorlog": "-", **settings}.items():
            config.set(name, value)
        self.now = 1000.0
        self.requests: list[bytes] = []
        self.during_request: Callable[[], None] = lambda: None
        self.clients: list[socket.socket] = []
        worker = CountingWorker(1, os.getppid(), [listener], None, 30, config, Logger(config))
        worker.wsgi = self._answer
        worker.poller = selectors.DefaultSelector()
        worker.tpool = worker.get_thread_pool()
        worker.method_queue.init()
        queue = worker.method_queue
        worker.poller.register(queue.fileno(), selectors.EVENT_READ, queue.run_callbacks)
        worker.set_accept_enabled(enabled=True)
        self.worker = worker
        self._listener = listener

    def _answer(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        self.requests.append(environ["PATH_INFO"].encode() + b" " + body)
        self.during_request()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    def connect(self, data: bytes = b"") -> socket.socket:
        """Connect a client, then run the loop until the worker has accepted it and read its bytes."""
        client = socket.create_connection(self._listener.getsockname(), timeout=PATIENCE)
        self.clients.append(client)
        count = self.worker.accept_count
        if data:
            client.sendall(data)
        self.run_until(lambda: self.worker.accept_count > count)
        self.run()
        return client

    def send(self, client: socket.socket, data: bytes) -> None:
        """Send more bytes, then run the loop until the worker has read them."""
        client.sendall(data)
        self.run()

    def run(self, turns: int = 3) -> None:
        """Turn the event loop, also where nothing happens."""
        for _ in range(turns):
            self.worker.wait_for_and_dispatch_events(0.01)
        self.worker.murder_pending()

    def run_until(self, ready: Callable[[], bool]) -> None:
        """Turn the event loop until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            assert time.monotonic() < deadline, "the worker does nothing"
            self.run(1)

    def pass_time(self, seconds: float) -> None:
        """Move the clock, then run the loop until the worker has checked its deadlines."""
        self.now += seconds
        self.worker._next_expiry = 0.0
        self.run()

    def hung_up(self, client: socket.socket) -> bool:
        """Whether the worker has closed its side, with nothing left to read."""
        client.settimeout(0)
        try:
            return client.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True
        finally:
            client.settimeout(PATIENCE)

    def is_waiting(self, client: socket.socket) -> bool:
        """Whether the client has received nothing, and its connection is open."""
        client.settimeout(0)
        try:
            client.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        finally:
            client.settimeout(PATIENCE)
        return False

    def receive(self, client: socket.socket, end: bytes) -> bytes:
        """Turn the loop until the client has received these bytes; return all it has received."""
        data = b""

        def ends() -> bool:
            nonlocal data
            client.settimeout(0)
            try:
                data += client.recv(65536)
            except BlockingIOError:
                pass
            finally:
                client.settimeout(PATIENCE)
            return end in data

        self.run_until(ends)
        return data


@contextmanager
def event_loop(patch: pytest.MonkeyPatch, **settings: Any) -> Iterator[EventLoop]:
    """Start a worker; when all clients have gone, it must hold no connection and no byte."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        loop = EventLoop(listener, settings)
        patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: loop.now))
        worker = loop.worker
        try:
            yield loop
            for client in loop.clients:
                client.close()
            loop.run_until(lambda: not worker.nr_conns)
            assert (worker._buffered_bytes, len(worker.poller.get_map())) == (0, 2)
        finally:
            for client in loop.clients:
                client.close()
            worker.tpool.shutdown()
            worker.poller.close()
            worker.method_queue.close()
            worker.tmp._tmp.close()
