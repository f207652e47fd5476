"""Render records, and reads outside of any record."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from threading import Thread

import pytest

from app.edge.dependencies import recorder


def run_in_thread(work: Callable[[], object]) -> None:
    """Run a function in a new thread, as a thread pool in a view does."""
    thread = Thread(target=work)
    thread.start()
    thread.join()


def in_a_copy(work: Callable[[], object]) -> None:
    """Run a function in a new thread with a copy of the context."""
    context = contextvars.copy_context()
    run_in_thread(lambda: context.run(work))


def in_isolation(work: Callable[[], object]) -> None:
    """Run a function in a new thread inside `recorder.isolated()`."""

    def run_isolated() -> None:
        with recorder.isolated():
            work()

    run_in_thread(run_isolated)


def test_a_read_in_an_unknown_thread_makes_pages_unshareable() -> None:
    """It may belong to a render in progress, and is in no record."""
    with recorder.isolated():
        record = recorder.begin()
        run_in_thread(recorder.note_unattributed_read)
        assert "thread" in (record.unattributed_read or "")


@pytest.mark.parametrize("how", [in_a_copy, in_isolation])
def test_a_read_in_a_declared_thread_does_not(
    how: Callable[[Callable[[], object]], None],
) -> None:
    """It is in the page's record, or isolated from all pages."""
    with recorder.isolated():
        record = recorder.begin()
        how(recorder.note_unattributed_read)
        assert record.unattributed_read is None


def test_a_finished_page_stays_shareable() -> None:
    """A thread that reads later does not affect it."""
    with recorder.isolated():
        first = recorder.begin()
        recorder.end()
        run_in_thread(recorder.note_unattributed_read)
        second = recorder.begin()
    run_in_thread(recorder.note_unattributed_read)
    assert (first.unattributed_read, second.unattributed_read) == (None, None)
