from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpcore
import pytest

from app.edge.http_client import deadline as module
from app.edge.http_client.deadline import DeadlineBackend, deadline

Operation = Callable[[httpcore.NetworkStream], object]


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def monotonic(self) -> float:
        """Return the current second."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the deadlines."""
    clock = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


class Recorder(httpcore.NetworkStream):
    """A network whose operations only note the timeout that they get."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []
        self.is_closed = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Note the timeout of a connection."""
        assert (host, port, local_address, socket_options) == ("a.example", 80, "127.0.0.1", [])
        self.timeouts.append(timeout)
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Note the timeout of a read."""
        self.timeouts.append(timeout)
        return b"x" * max_bytes

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Note the timeout of a write."""
        assert buffer == b"abc"
        self.timeouts.append(timeout)

    def close(self) -> None:
        """Note the end of the connection."""
        self.is_closed = True

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Note the timeout of a handshake."""
        assert (ssl_context, server_hostname) == (CONTEXT, "a.example")
        self.timeouts.append(timeout)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Return the question."""
        return info


CONTEXT = ssl.create_default_context()


def connect(recorder: Recorder, timeout: float | None = None) -> httpcore.NetworkStream:
    """Connect to the recorder."""
    backend = DeadlineBackend()
    backend._inner = recorder  # type: ignore[assignment]
    return backend.connect_tcp("a.example", 80, timeout, "127.0.0.1", [])


OPERATIONS: dict[str, tuple[type[Exception], Callable[[Recorder, float | None], object]]] = {
    "connect": (httpcore.ConnectTimeout, connect),
    "read": (httpcore.ReadTimeout, lambda r, timeout: connect(r).read(3, timeout)),
    "write": (httpcore.WriteTimeout, lambda r, timeout: connect(r).write(b"abc", timeout)),
    "handshake": (
        httpcore.ConnectTimeout,
        lambda r, timeout: connect(r).start_tls(CONTEXT, "a.example", timeout),
    ),
    "read after the handshake": (
        httpcore.ReadTimeout,
        lambda r, timeout: connect(r).start_tls(CONTEXT, "a.example").read(3, timeout),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_gets_the_shorter_of_its_timeout_and_the_deadline(
    name: str, clock: Clock
) -> None:
    """Without a deadline it gets its own timeout, and without both none."""
    recorder, (_, operate) = Recorder(), OPERATIONS[name]
    for timeout in (None, 2.0):
        operate(recorder, timeout)
        assert recorder.timeouts[-1] == timeout
    with deadline(timedelta(seconds=5)):
        clock.now += 1.5
        for timeout, limit in ((None, 3.5), (2.0, 2.0), (4.0, 3.5)):
            operate(recorder, timeout)
            assert recorder.timeouts[-1] == limit


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_fails_once_the_deadline_has_passed(name: str, clock: Clock) -> None:
    """At the deadline itself too: a timeout of zero would not wait, and a negative one is invalid."""
    recorder, (error, operate) = Recorder(), OPERATIONS[name]
    with deadline(timedelta(seconds=5)):
        stream = connect(recorder)
        clock.now += 5
        later: dict[str, Operation] = {
            "connect": lambda _: connect(recorder),
            "read": lambda stream: stream.read(3),
            "write": lambda stream: stream.write(b"abc"),
            "handshake": lambda stream: stream.start_tls(CONTEXT, "a.example"),
        }
        operation = later.get(name, later["read"])
        with pytest.raises(error, match="the deadline of the call has passed"):
            operation(stream)
    assert recorder.timeouts == [5.0]
    operate(recorder, None)


def test_an_inner_deadline_never_extends_the_outer_one(clock: Clock) -> None:
    """A shorter one applies inside its block only, also after an exception."""
    recorder = Recorder()

    def remaining() -> float | None:
        connect(recorder)
        return recorder.timeouts[-1]

    with deadline(timedelta(seconds=5)):
        with deadline(timedelta(seconds=60)):
            assert remaining() == 5.0
        with pytest.raises(ValueError, match="inside"), deadline(timedelta(milliseconds=1500)):
            assert remaining() == 1.5
            raise ValueError("inside")
        assert remaining() == 5.0
    assert remaining() is None


def test_a_stream_passes_questions_and_its_end_on() -> None:
    """The pool asks for the socket, and closes the connection."""
    recorder = Recorder()
    stream = connect(recorder)
    assert stream.get_extra_info("socket") == "socket"
    stream.close()
    assert recorder.is_closed
