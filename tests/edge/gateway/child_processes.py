"""Run functions in forked processes and return how they ended, for tests that kill or damage."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def start(work: Callable[[], object]) -> int:
    """Fork a process that does the work; its exit status is 0, or 1 after an exception."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        signal.alarm(60)  # no test leaves a process behind
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - the parent sees the status, a reader the traceback
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finish(pid: int) -> int:
    """Wait for the process; return its status, or the negated signal that killed it."""
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def run(work: Callable[[], object]) -> int:
    """Run the work in a separate process, so that a crash there is only an exit status."""
    return finish(start(work))


@contextmanager
def running(*works: Callable[[], object]) -> Iterator[list[int]]:
    """Run all works at once; kill the rest at the end."""
    pids = [start(work) for work in works]
    live_pids = list(pids)
    try:
        yield live_pids
    finally:
        for pid in live_pids:
            os.kill(pid, signal.SIGKILL)
            finish(pid)
