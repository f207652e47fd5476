"""Processes that read and render the texts of an import, one text each at a time.

`concurrent.futures` does not tell which call ended a process, and can't end a call that takes too
long. Here each process has a pipe of its own, so both cost one post and not the import.
"""

from __future__ import annotations

import logging
import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from queue import LifoQueue
from threading import Lock
from typing import Any

from app.publishing.errors import PublishingError

log = logging.getLogger(__name__)

LIMIT = timedelta(minutes=1)
"""How long one text may take; then its process is ended, and the post is skipped."""

_START = timedelta(minutes=2)
_NAME = "broadsheet-import-text"
_READY = "ready"


class TextProcessError(PublishingError):
    """The text of a post ended its process, or took too long."""


class TaskError(Exception):
    """An unexpected exception in another process; the message is its traceback."""


class _NoProcessError(Exception):
    """No process can be started here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a process sends back: a value, an error for the user, or a traceback."""

    value: Any = None
    error: PublishingError | None = None
    traceback: str = ""

    def unwrap(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        if self.traceback:
            raise TaskError(self.traceback)
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worker:
    """A running process, and this side of its pipe."""

    process: multiprocessing.process.BaseProcess
    connection: Connection

    def ask(self, call: tuple[Callable[..., Any], tuple[Any, ...]], limit: timedelta) -> Answer:
        """Have the process make a call; raises EOFError, OSError or TimeoutError."""
        self.connection.send(call)
        if not self.connection.poll(limit.total_seconds()):
            raise TimeoutError
        answer: Answer = self.connection.recv()
        return answer

    def end(self) -> None:
        """End the process, also in the middle of a call."""
        self.connection.close()
        self.process.kill()
        self.process.join()


class TextProcesses:
    """Makes calls in a fixed number of processes; where none can be started, in this one.

    A call is a function of a module, whose first argument is `context`. Threads may share this.
    """

    def __init__(self, context: object, count: int, *, limit: timedelta = LIMIT) -> None:
        self._context, self._limit = context, limit
        self._pickled: bytes | None = None
        self._idle: LifoQueue[_Worker | None] = LifoQueue()
        self._running: list[_Worker] = []
        self._is_closed = False
        self._lock = Lock()  # `multiprocessing` lists the children of this process without one
        self._count = count if _can_fork_safely() else 1
        self._is_local = self._count < 2  # noqa: PLR2004 - one more process only adds its price
        for _ in range(self._count):
            self._idle.put(None)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return `function(context, *arguments)`, from another process if there is one.

        Raises what the function raises (unexpected exceptions as TaskError), and TextProcessError
        when its process ends or takes too long.
        """
        if self._is_local:
            return self._run_here(function, arguments)
        worker = self._idle.get()
        try:
            for is_last in (False, True):
                worker = worker or self._start()
                try:
                    return worker.ask((function, arguments), self._limit).unwrap()
                except (EOFError, OSError) as error:
                    self._end(worker)
                    worker = None
                    self._refuse(error, is_last=is_last)
        except _NoProcessError:
            worker = None
            return self._run_here(function, arguments)
        finally:
            self._idle.put(worker)
        raise AssertionError  # the second failure was raised

    def _run_here(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self._require_open()
        return function(self._context, *arguments)

    def _require_open(self) -> None:
        if self._is_closed:
            raise TextProcessError("was not read, because the import was stopped") from None

    def _refuse(self, error: Exception, *, is_last: bool) -> None:
        """Raise the reason for which the post is skipped; the first end of a process is none."""
        self._require_open()
        if isinstance(error, TimeoutError):
            seconds = self._limit.total_seconds()
            raise TextProcessError(
                f"takes more than {seconds:g} seconds to convert; look for a text that is very "
                "large or nested very deeply"
            ) from None
        if is_last:
            raise TextProcessError(
                "ends the process that converts it, perhaps for lack of memory; split its text"
            ) from None

    def _start(self) -> _Worker:
        """Start a process that has the context; raises _NoProcessError, and then none is tried."""
        if self._is_local:
            raise _NoProcessError
        try:
            with self._lock:
                self._pickled = self._pickled or pickle.dumps(self._context)
                worker = _launch()
                self._running.append(worker)
            worker.connection.send_bytes(self._pickled)
            if worker.connection.poll(_START.total_seconds()) and worker.connection.recv():
                return worker
            reason = "it did not begin in time"
        # What can't be pickled raises TypeError, AttributeError, PicklingError, …
        except Exception as error:  # noqa: BLE001 - the import goes on in this process
            reason = repr(error)
        self._is_local = True
        message = "import.no_processes: texts are converted in this process, because none started"
        log.warning("%s (%s)", message, reason, extra={"reason": reason})
        raise _NoProcessError

    def _end(self, worker: _Worker) -> None:
        with self._lock:
            if worker in self._running:
                self._running.remove(worker)
                worker.end()

    def close(self) -> None:
        """End all processes, also in the middle of a call."""
        self._is_closed = self._is_local = True
        with self._lock:
            for worker in self._running:
                worker.process.kill()  # its pipe may be in use: the call gets an EOFError


def _can_fork_safely() -> bool:
    """Whether this process may have children: a daemon of `multiprocessing` may not."""
    return not multiprocessing.current_process().daemon


def _launch() -> _Worker:
    # Never `fork`: this process has threads and connections to the database.
    can_share = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if can_share else "spawn")
    if can_share:
        context.set_forkserver_preload(["app.publishing.importing.post"])
    connection, far_end = context.Pipe()
    process = context.Process(target=serve, args=(far_end,), name=_NAME, daemon=True)  # type: ignore[attr-defined] # typeshed: BaseContext has no Process
    process.start()
    far_end.close()  # so that the process meets the end of the pipe when this one is killed
    return _Worker(process=process, connection=connection)


def refuse_nested_import() -> None:
    """Raise RuntimeError in a process of an import, which a script without a guard would repeat."""
    if multiprocessing.current_process().name == _NAME:
        raise RuntimeError(
            'The script runs an import when it is loaded; put it below `if __name__ == "__main__":`'
        )


def serve(connection: Connection) -> None:
    """Answer calls until the other end of the pipe is closed, or its process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group of processes
    with suppress(EOFError, OSError):
        context = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the parent process
        connection.send(_READY)
        while True:
            function, arguments = connection.recv()
            _send(connection, _answer(function, context, arguments))


def _answer(function: Callable[..., Any], context: object, arguments: tuple[Any, ...]) -> Answer:
    _set_alarm(LIMIT * 10)  # if the parent is killed, nothing else ends a text that never ends
    try:
        return Answer(value=function(context, *arguments))
    except PublishingError as error:
        return Answer(error=error)
    except Exception:  # noqa: BLE001 - the parent logs the traceback
        return Answer(traceback=traceback.format_exc())
    finally:
        _set_alarm(timedelta(0))


def _set_alarm(after: timedelta) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(round(after.total_seconds()))


def _send(connection: Connection, answer: Answer) -> None:
    try:
        connection.send(answer)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - what can't be pickled raises many types
        connection.send(Answer(traceback=traceback.format_exc()))
