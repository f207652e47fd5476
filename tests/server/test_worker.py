from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from app.server.connection import BODY_RATE, BODY_SECONDS, HEAD_SECONDS
from app.server.framing import Limits

from .event_loop import EventLoop, event_loop

GET = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"GET /a HTTP/1.1\r\nHost:"
OK = b"HTTP/1.1 200 OK"


def post(length: int, *fields: bytes) -> bytes:
    """The head of a request with a body of this length."""
    lines = [b"POST /a HTTP/1.1", b"Host: a", b"Content-Length: %d" % length, *fields, b"", b""]
    return b"\r\n".join(lines)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventLoop]:
    """A worker that takes twenty connections."""
    with event_loop(monkeypatch, worker_connections=20, keepalive=5) as event_loop_of_test:
        yield event_loop_of_test


def test_requests_of_one_connection_are_answered_in_order(loop: EventLoop) -> None:
    """A request that has arrived with the one before it does not wait for the socket."""
    client = loop.connect(GET + post(3) + b"xyz" + GET.replace(b"/a", b"/b"))
    loop.run_until(lambda: len(loop.requests) == 3)
    assert loop.requests == [b"/a ", b"/a xyz", b"/b "]
    assert loop.worker.nr_conns == 1
    client.close()
    loop.run_until(lambda: loop.worker.nr_conns == 0)


def test_no_thread_gets_a_request_before_its_last_byte(loop: EventLoop) -> None:
    """The body of a slow sender is received by the event loop."""
    client = loop.connect(post(3) + b"xy")
    loop.run()
    assert loop.worker.tpool._work_queue.empty()
    assert (loop.requests, loop.worker._buffered_bytes) == ([], len(post(3)) + 2)
    loop.send(client, b"z")
    assert loop.receive(client, b"xyz").startswith(OK)
    loop.run_until(lambda: loop.worker._buffered_bytes == 0)


def test_the_event_loop_leaves_a_connection_alone_while_its_request_is_served(
    loop: EventLoop,
) -> None:
    """It reads no further bytes, and a response that takes long has no deadline here."""
    is_serving, may_end = threading.Event(), threading.Event()

    def wait() -> None:
        is_serving.set()
        may_end.wait(10)

    loop.during_request = wait
    client = loop.connect(GET)
    try:
        assert is_serving.wait(10)
        loop.send(client, GET)
        loop.pass_time(3600)
        assert (loop.is_waiting(client), loop.worker._buffered_bytes) == (True, len(GET))
    finally:
        may_end.set()
    loop.run_until(lambda: len(loop.requests) == 2)
    assert loop.receive(client, OK).startswith(OK)


def test_a_slow_head_is_refused_at_its_deadline(loop: EventLoop) -> None:
    """Further bytes of the head do not move the deadline; the refusal is 408 and `no-store`."""
    client = loop.connect(HEAD)
    loop.pass_time(HEAD_SECONDS - 0.1)
    loop.send(client, b" a\r\n")
    assert (loop.is_waiting(client), loop.worker.nr_conns) == (True, 1)
    loop.pass_time(0.1)
    head, _, body = loop.receive(client, b"in time.\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
    assert b"\r\nCache-Control: no-store\r\n" in head
    assert b"\r\nX-Content-Type-Options: nosniff" in head
    assert b"Content-Length: %d\r\n" % len(body) in head
    assert b"Retry-After" not in head


def test_a_connection_without_a_byte_is_closed_without_a_response(loop: EventLoop) -> None:
    """It has as long as a head, and the first byte gives it that time once more."""
    silent, late = loop.connect(), loop.connect()
    loop.pass_time(HEAD_SECONDS - 0.1)
    loop.send(late, HEAD)
    loop.pass_time(0.1)
    assert (loop.hung_up(silent), loop.is_waiting(late)) == (True, True)
    loop.pass_time(HEAD_SECONDS - 0.2)
    assert loop.is_waiting(late)
    loop.pass_time(0.1)
    assert b" 408 " in loop.receive(late, b"in time.\n")


def test_a_kept_connection_is_closed_after_the_keepalive_time(loop: EventLoop) -> None:
    """A head that has begun until then gets the time of a head."""
    idle, busy = loop.connect(GET), loop.connect(GET)
    for client in (idle, busy):
        loop.receive(client, OK)
    loop.run_until(lambda: len(loop.worker._receiving) == 2)
    loop.pass_time(4.9)
    loop.send(busy, HEAD)
    loop.pass_time(0.1)
    loop.run_until(lambda: loop.hung_up(idle))
    loop.pass_time(HEAD_SECONDS - 0.2)
    assert loop.is_waiting(busy)


def test_a_head_that_arrived_behind_a_request_has_the_time_of_a_head(loop: EventLoop) -> None:
    """Its connection is not idle when its turn comes."""
    client = loop.connect(GET + HEAD)
    loop.receive(client, OK)
    loop.run_until(lambda: len(loop.worker._receiving) == 1)
    loop.pass_time(HEAD_SECONDS - 0.1)
    assert loop.is_waiting(client)
    loop.pass_time(0.1)
    assert b" 408 " in loop.receive(client, b"in time.\n")


def test_each_part_of_a_body_that_arrives_extends_its_time(loop: EventLoop) -> None:
    """By one second for each 16 KiB, counted from the end of the head."""
    client = loop.connect(post(100_000))
    loop.pass_time(BODY_SECONDS - 0.1)
    length = BODY_RATE - len(post(100_000))
    client.sendall(b"x" * length)
    loop.run_until(lambda: loop.worker._buffered_bytes == BODY_RATE)
    loop.pass_time(1.0)
    assert loop.is_waiting(client)
    loop.pass_time(0.1)
    assert b" 408 " in loop.receive(client, b"in time.\n")


def test_a_body_above_the_limit_is_refused_before_it_arrives(loop: EventLoop) -> None:
    """With 413; the rest of the body is discarded, so that the client reads the answer."""
    client = loop.connect(post(loop.worker.limits.body + 1))
    assert b"HTTP/1.1 413 " in loop.receive(client, b"too large.\n")
    loop.send(client, b"x" * 100_000)
    assert (loop.worker._buffered_bytes, loop.worker.nr_conns) == (0, 1)
    loop.pass_time(1.9)
    assert loop.worker.nr_conns == 1
    loop.pass_time(0.1)
    assert loop.worker.nr_conns == 0


def test_a_body_of_the_limit_is_received(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is the setting of the worker's class."""
    monkeypatch.setattr("app.server.worker.ReceivingWorker.body_limit", 10)
    with event_loop(monkeypatch, worker_connections=20) as loop:
        client = loop.connect(post(10) + b"0123456789")
        assert loop.receive(client, b"0123456789").startswith(OK)
        assert b" 413 " in loop.receive(loop.connect(post(11)), b"too large.\n")


def test_limits_come_from_the_settings_of_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head may have so many fields, each with its line end, and an empty line."""
    settings = {"limit_request_line": 100, "limit_request_fields": 5}
    with event_loop(monkeypatch, limit_request_field_size=50, **settings) as loop:
        assert loop.worker.limits == Limits(line=100, head=5 * 52 + 4, body=32 * 2**20)
        assert loop.worker.capacity == 64 * 2**20
    monkeypatch.setattr("app.server.worker.ReceivingWorker.body_limit", 2**30)
    with event_loop(monkeypatch) as loop:
        assert loop.worker.capacity == 2**31


def test_full_buffers_refuse_the_oldest_large_request(loop: EventLoop) -> None:
    """A request below its equal share stays, however old; the refusal is 503 with Retry-After."""
    loop.worker.capacity = 20 * 200
    small = loop.connect(post(300) + b"x" * 50)
    large, newer = (loop.connect(post(9000) + b"x" * 1800) for _ in range(2))
    assert loop.is_waiting(large)
    loop.send(newer, b"x" * 300)
    answer = loop.receive(large, b"try again.\n")
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 5\r\n" in answer
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert (loop.is_waiting(small), loop.is_waiting(newer)) == (True, True)
    assert loop.worker._buffered_bytes < loop.worker.capacity


def test_buffers_full_of_small_requests_refuse_none(loop: EventLoop) -> None:
    """Each of them is within its share."""
    loop.worker.capacity = 20 * 200
    clients = [loop.connect(post(300) + b"x" * 100) for _ in range(19)]
    loop.worker.capacity = 1000
    loop.worker.worker_connections = 4
    loop.send(clients[0], b"x")
    assert all(loop.is_waiting(client) for client in clients)


def test_a_new_connection_replaces_the_oldest_of_a_full_worker(loop: EventLoop) -> None:
    """A connection that already has its response is closed first, then the oldest incomplete request."""
    clients = [loop.connect(HEAD) for _ in range(18)]
    answered_client = loop.connect(post(2**40))
    loop.receive(answered_client, b"too large.\n")
    assert loop.worker.nr_conns == 19
    more = loop.connect(HEAD)
    assert loop.worker.nr_conns == 19
    assert len(loop.worker._lingering) == 0
    assert all(loop.is_waiting(client) for client in [*clients, more])
    loop.connect(HEAD)
    assert [loop.hung_up(client) for client in clients] == [True] + 17 * [False]


class BrokenListener:
    """A socket whose next connection can't be accepted."""

    def __init__(self, number: int) -> None:
        self._number = number

    def accept(self) -> Any:
        """Raise the error."""
        raise OSError(self._number, "no connection")


def test_without_a_free_file_the_oldest_connection_is_closed(loop: EventLoop) -> None:
    """An error of the client closes none, any other error is raised."""
    clients = [loop.connect(HEAD) for _ in range(2)]
    for number in (errno.EAGAIN, errno.ECONNABORTED):
        loop.worker.accept(BrokenListener(number))
    assert all(loop.is_waiting(client) for client in clients)
    with pytest.raises(OSError, match="no connection"):
        loop.worker.accept(BrokenListener(errno.EBADF))
    for number in (errno.EMFILE, errno.ENFILE):
        loop.worker.accept(BrokenListener(number))
    assert [loop.hung_up(client) for client in clients] == [True, True]
    loop.worker.accept(BrokenListener(errno.EMFILE))  # with no connection left


def test_a_client_that_waits_for_100_continue_is_invited_once(loop: EventLoop) -> None:
    """The event loop sends the interim response when the head is complete; gunicorn sends no other."""
    client = loop.connect(post(5, b"Expect: 100-continue"))
    assert loop.receive(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    loop.send(client, b"ab")
    loop.send(client, b"cde")
    assert loop.receive(client, b"abcde").startswith(OK)


def test_nothing_behind_a_request_of_unclear_length_is_read(loop: EventLoop) -> None:
    """The answer is 400, and the connection is closed."""
    data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
    client = loop.connect(data + GET)
    answer = loop.receive(client, b"</html>")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nCache-Control: no-store\r\n")
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
    loop.run_until(lambda: loop.hung_up(client))
    assert loop.requests == []


def test_a_response_to_a_request_of_unclear_length_announces_the_end(loop: EventLoop) -> None:
    """The app answers it, and the client must not send another request."""
    client = loop.connect(post(0, b"Expect: more"))
    assert b"Connection: close" in loop.receive(client, b"\r\n\r\n")
    loop.run_until(lambda: loop.hung_up(client))


def test_a_full_set_of_connections_is_not_kept_open(loop: EventLoop) -> None:
    """Above the number that threads can serve beside, a response closes its connection."""
    loop.worker.max_keepalived = 1
    client = loop.connect(GET)
    assert b"Connection: keep-alive" in loop.receive(client, OK)
    loop.connect(HEAD)
    loop.send(client, GET)
    assert b"Connection: close" in loop.receive(client, OK)
    loop.run_until(lambda: loop.hung_up(client))


def test_a_stopping_worker_waits_a_second_for_idle_clients_and_five_for_others(
    loop: EventLoop,
) -> None:
    """A deadline that is nearer stays."""
    idle, near = loop.connect(), loop.connect(HEAD)
    loop.now += HEAD_SECONDS - 6
    later = loop.connect(HEAD)
    loop.now += 3
    loop.worker._cap_keepalive(loop.now + 2)
    loop.pass_time(0.9)
    assert loop.is_waiting(idle)
    loop.pass_time(0.1)
    assert [loop.hung_up(client) for client in (idle, near)] == [True, False]
    loop.pass_time(2.0)
    assert b" 408 " in loop.receive(near, b"in time.\n")
    loop.pass_time(1.9)
    assert loop.is_waiting(later)
    loop.pass_time(0.1)
    assert b" 408 " in loop.receive(later, b"in time.\n")


def test_a_connection_kept_by_a_stopping_worker_has_one_second(loop: EventLoop) -> None:
    """Its response announced that it stays open, so the client may be sending a request."""
    loop.during_request = lambda: setattr(loop.worker, "alive", False)
    client = loop.connect(GET)
    assert b"Connection: keep-alive" in loop.receive(client, OK)
    loop.run_until(lambda: len(loop.worker._receiving) == 1)
    loop.pass_time(0.9)
    assert loop.is_waiting(client)
    loop.pass_time(0.1)
    assert loop.hung_up(client)


def test_the_end_of_a_worker_closes_every_connection(loop: EventLoop) -> None:
    """A look at expired connections closes none of these."""
    clients = [loop.connect(HEAD), loop.connect(post(2**40))]
    loop.receive(clients[1], b"too large.\n")
    loop.worker.murder_keepalived()
    assert loop.worker.nr_conns == 2
    loop.worker.murder_keepalived(force=True)
    assert (loop.worker.nr_conns, loop.worker._buffered_bytes) == (0, 0)
    assert all(loop.hung_up(client) for client in clients)
