"""Run a bounded number of jobs in background threads."""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

_log: Final = logging.getLogger(__name__)


class BackgroundJobs:
    """Runs at most `limit` jobs at once and one per key; further jobs are rejected."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._condition = threading.Condition()
        self._running: set[object] = set()

    def try_start(self, key: object, job: Callable[[], object]) -> bool:
        """Start the job in a thread; return False if its key runs already or the limit is hit."""
        with self._condition:
            if key in self._running or len(self._running) >= self._limit:
                return False
            self._running.add(key)
        thread = threading.Thread(target=self._run, args=(key, job), name="gateway", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._finish(key)
            return False
        return True

    def drain(self, timeout: timedelta) -> bool:
        """Wait until no job runs; return False on a timeout."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._running, timeout.total_seconds())

    def _run(self, key: object, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception:  # noqa: BLE001 - a thread has no caller to raise to
            _log.exception(
                "gateway.background_failed: a background refresh or fetch raised an error"
            )
        finally:
            self._finish(key)

    def _finish(self, key: object) -> None:
        with self._condition:
            self._running.discard(key)
            self._condition.notify_all()


class DeadlineExceeded(Exception):  # noqa: N818 - not an error: the job continues
    """The job was not done in time; it continues in the background."""


class TimedJob:
    """A job with a deadline: after DeadlineExceeded, `late` is called with the result."""

    def __init__(self, job: Callable[[], Any], late: Callable[[Any], None]) -> None:
        self._job = job
        self._late = late
        self._lock = threading.Lock()
        self._abandoned = False
        self._results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run(self) -> None:
        """Run the job; `wait` raises the exception that the job raises."""
        try:
            result, error = self._job(), None
        except BaseException as raised:  # noqa: BLE001 - handed to the waiting thread
            result, error = None, raised
        with self._lock:
            if not self._abandoned:
                self._results.put((result, error))
                return
        if error is None:
            self._late(result)

    def wait(self, timeout: timedelta) -> Any:
        """Return the result or raise the job's exception; DeadlineExceeded on a timeout."""
        try:
            result, error = self._results.get(timeout=timeout.total_seconds())
        except Empty:
            result, error = self._abandon()
        if error is not None:
            raise error
        return result

    def _abandon(self) -> tuple[Any, BaseException | None]:
        with self._lock:
            if self._results.empty():
                self._abandoned = True
                return None, DeadlineExceeded()
            return self._results.get()
