"""Records of pages, and reads that are on none of them."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from threading import Thread

import pytest

from app.edge.dependencies import recorder


def run_in_thread(work: Callable[[], object]) -> None:
    """Work in a thread of its own, as a pool of a view's does."""
    thread = Thread(target=work)
    thread.start()
    thread.join()


def in_a_copy(work: Callable[[], object]) -> None:
    """The same in a copy of the context."""
    context = contextvars.copy_context()
    run_in_thread(lambda: context.run(work))


def in_own_name(work: Callable[[], object]) -> None:
    """The same, by a thread that has nothing to do with pages."""

    def run_isolated() -> None:
        with recorder.isolated():
            work()

    run_in_thread(run_isolated)


def test_a_read_in_a_thread_that_nobody_knows_puts_pages_in_doubt() -> None:
    """It may be for one that is being made, and is on no record."""
    with recorder.isolated():
        record = recorder.begin()
        run_in_thread(recorder.note_unattributed_read)
        assert "thread" in (record.unattributed_read or "")


@pytest.mark.parametrize("how", [in_a_copy, in_own_name])
def test_a_read_in_a_thread_that_is_known_does_not(
    how: Callable[[Callable[[], object]], None],
) -> None:
    """It is on the page's own record, or on nobody's."""
    with recorder.isolated():
        record = recorder.begin()
        how(recorder.note_unattributed_read)
        assert record.unattributed_read is None


def test_a_page_that_is_done_is_in_no_doubt() -> None:
    """However its request ended."""
    with recorder.isolated():
        first = recorder.begin()
        recorder.end()
        run_in_thread(recorder.note_unattributed_read)
        second = recorder.begin()
    run_in_thread(recorder.note_unattributed_read)
    assert (first.unattributed_read, second.unattributed_read) == (None, None)
