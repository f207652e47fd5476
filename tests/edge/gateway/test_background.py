"""Background jobs: their limit, one per key, and threads that can't be started."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.background import BackgroundJobs, DeadlineExceeded, TimedJob

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUND = timedelta(seconds=20)
AT_ONCE = timedelta(0)


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """An event for which jobs wait; it is set at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_a_key_runs_once_at_a_time(gate: threading.Event) -> None:
    """A second job with the same key is rejected, one with another key is not."""
    jobs = BackgroundJobs(limit=9)
    assert jobs.try_start("a", gate.wait)
    assert not jobs.try_start("a", gate.wait)
    assert jobs.try_start("b", gate.wait)
    gate.set()
    assert jobs.drain(BOUND)
    assert jobs.try_start("a", gate.wait)
    assert jobs.drain(BOUND)


def test_the_number_of_jobs_is_bounded(gate: threading.Event) -> None:
    """Exactly `limit` run at once; when one ends, another may start."""
    jobs = BackgroundJobs(limit=2)
    assert [jobs.try_start(key, gate.wait) for key in range(4)] == [True, True, False, False]
    assert not jobs.drain(AT_ONCE)
    gate.set()
    assert jobs.drain(BOUND)
    assert jobs.try_start(5, gate.wait)
    assert jobs.drain(BOUND)


def test_without_threads_nothing_runs_and_nothing_is_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A job that can't get a thread is rejected, and its key and place are free again."""
    jobs = BackgroundJobs(limit=1)

    def refuse(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        assert not jobs.try_start("a", int)
        assert jobs.drain(AT_ONCE)
    results: list[int] = []
    assert jobs.try_start("a", lambda: results.append(1))
    assert jobs.drain(BOUND)
    assert results == [1]


def test_a_job_that_fails_is_logged_and_frees_its_key(caplog: pytest.LogCaptureFixture) -> None:
    """A thread has no caller who would see the error."""
    jobs = BackgroundJobs(limit=1)
    assert jobs.try_start("a", lambda: 1 / 0)
    assert jobs.drain(BOUND)
    assert "gateway.background_failed" in caplog.text
    assert caplog.records[-1].levelno == logging.ERROR
    assert jobs.try_start("a", int)
    assert jobs.drain(BOUND)


def test_a_job_does_not_keep_the_process_alive(gate: threading.Event) -> None:
    """Its thread is a daemon."""
    threads: list[threading.Thread] = []

    def job() -> None:
        threads.append(threading.current_thread())
        gate.wait()

    jobs = BackgroundJobs(limit=1)
    assert jobs.try_start("a", job)
    gate.set()
    assert jobs.drain(BOUND)
    assert threads[0].daemon


def test_a_result_in_time_is_returned_and_not_late() -> None:
    """Also if the job ended before anyone waited for it."""
    late: list[int] = []
    job = TimedJob(lambda: 5, late.append)
    job.run()
    assert job.wait(AT_ONCE) == 5
    assert late == []


def test_an_error_in_time_is_raised() -> None:
    """The waiting request handles it like an error of its own."""
    job = TimedJob(lambda: 1 / 0, print)
    job.run()
    with pytest.raises(ZeroDivisionError):
        job.wait(AT_ONCE)


def test_a_late_result_is_handed_over_once() -> None:
    """After the deadline `late` gets it."""
    late: list[int] = []
    job = TimedJob(lambda: 5, late.append)
    with pytest.raises(DeadlineExceeded):
        job.wait(AT_ONCE)
    job.run()
    assert late == [5]


def test_a_late_error_is_dropped() -> None:
    """The request has its response already."""
    late: list[int] = []
    job = TimedJob(lambda: 1 // 0, late.append)
    with pytest.raises(DeadlineExceeded):
        job.wait(AT_ONCE)
    job.run()
    assert late == []
