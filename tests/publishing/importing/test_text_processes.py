"""Texts are converted in other processes, and a process that fails costs one text."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.publishing.errors import Invalid
from app.publishing.importing import text_processes
from app.publishing.importing.text_processes import TaskError, TextProcessError, TextProcesses

CONTEXT = {"name": "blog"}


def describe(context: dict[str, str], title: str) -> tuple[str, str, int]:
    """Return the arguments and the number of the process."""
    return context["name"], title, os.getpid()


def end_process(_context: object) -> None:
    """End the process as the kernel does when there is no memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def end_process_once(_context: object, flag: Path) -> str:
    """End the process if no flag says that this has happened."""
    if flag.exists():
        return "done"
    flag.touch()
    end_process(_context)
    return "not ended"


def never_return(_context: object) -> None:
    """Wait for what never happens."""
    Event().wait()


def refuse(_context: object) -> None:
    """Raise an error that is meant for the user."""
    raise Invalid("title", "The title is too long.")


def fail(_context: object) -> None:
    """Raise an unexpected error."""
    raise LookupError("no such rune")


def return_function(_context: object) -> Callable[[], None]:
    """Return a value that can't be sent to another process."""
    return lambda: None


@contextmanager
def processes(count: int = 2, context: object = CONTEXT, **options: Any) -> Iterator[TextProcesses]:
    """Processes that are ended with the block."""
    running = TextProcesses(context, count, **options)
    try:
        yield running
    finally:
        running.close()


def test_a_call_is_made_in_another_process_with_the_context() -> None:
    """The function gets the context and its arguments there, and its value comes back."""
    with processes() as pool:
        name, title, process = pool.run(describe, "One")
    assert (name, title) == ("blog", "One")
    assert process != os.getpid()


def test_one_process_is_this_process() -> None:
    """With a single core, another process would only cost time."""
    with processes(1) as pool:
        assert pool.run(describe, "One")[2] == os.getpid()


def test_a_text_that_ends_its_process_is_refused_and_the_next_is_converted() -> None:
    """The error says what happened; other texts are converted in a new process."""
    with processes() as pool:
        with pytest.raises(TextProcessError, match="ends the process that converts it"):
            pool.run(end_process)
        assert pool.run(describe, "Two")[1] == "Two"


def test_a_process_that_ends_once_does_not_cost_its_text(tmp_path: Path) -> None:
    """A person or the kernel may end any process, so that the text is tried a second time."""
    with processes() as pool:
        assert pool.run(end_process_once, tmp_path / "ended") == "done"


def test_a_text_that_never_ends_is_refused_after_the_limit() -> None:
    """Its process is ended, and the next text is converted."""
    too_slow = pytest.raises(TextProcessError, match=r"takes more than 0\.3 seconds")
    with processes(limit=timedelta(seconds=0.3)) as pool, too_slow:
        pool.run(never_return)
    with processes() as pool:
        assert pool.run(describe, "Two")[1] == "Two"


def test_errors_come_back_as_they_are() -> None:
    """An error for the user keeps its field; an unexpected one brings its traceback."""
    with processes() as pool:
        with pytest.raises(Invalid, match=r"The title is too long\.") as error:
            pool.run(refuse)
        with pytest.raises(TaskError, match=r"(?s)in fail.*LookupError: no such rune"):
            pool.run(fail)
        with pytest.raises(TaskError, match="pickle"):
            pool.run(return_function)
    assert error.value.field == "title"


def test_a_context_that_cannot_be_sent_is_used_in_this_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The import goes on without other processes, and the log says why."""
    context = {"name": "blog", "function": lambda: None}
    with processes(context=context) as pool:
        assert pool.run(describe, "One")[2] == os.getpid()
    assert "import.no_processes" in caplog.text


def test_closing_ends_a_running_call() -> None:
    """Closing ends a call that is running, as after Ctrl-C."""
    pool = TextProcesses(CONTEXT, 2)
    errors: list[Exception] = []

    def wait() -> None:
        try:
            pool.run(never_return)
        except TextProcessError as error:
            errors.append(error)

    pool.run(describe, "One")
    thread = Thread(target=wait)
    thread.start()
    pool.close()
    thread.join()
    assert "the import was stopped" in str(errors[0])


def test_an_import_inside_a_process_of_an_import_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A script without a guard is loaded again by each process, and must not import twice."""
    monkeypatch.setattr(multiprocessing.current_process(), "_name", "broadsheet-import-text")
    with pytest.raises(RuntimeError, match="__main__"):
        text_processes.refuse_nested_import()
