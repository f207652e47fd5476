"""Which record is current, and which records are open for reads of unknown threads."""

from __future__ import annotations

from threading import Thread

import pytest

from app.edge.dependencies import current_record, recorder
from app.edge.dependencies.part import Part


def test_an_isolated_block_hides_the_outer_record_and_gives_it_back() -> None:
    """Also after an exception, and also if a record has begun inside."""
    with recorder.isolated():
        outer = recorder.begin()
        with recorder.isolated():
            assert recorder.current_record() is None
            assert recorder.begin() is not outer
        assert recorder.current_record() is outer
        with pytest.raises(ZeroDivisionError), recorder.isolated():
            raise ZeroDivisionError
        assert recorder.current_record() is outer
        assert outer in current_record.open_records.values()


def test_a_record_that_begins_inside_ends_with_the_block() -> None:
    """A query of another thread afterwards belongs to no page."""
    with recorder.isolated():
        record = recorder.begin()
        assert record in current_record.open_records.values()
    assert record not in current_record.open_records.values()
    assert recorder.current_record() is None


def test_a_new_record_closes_the_one_before() -> None:
    """A worker thread serves one response after the other; `end` is not always called."""
    with recorder.isolated():
        first = recorder.begin()
        second = recorder.begin()
        open_records = list(current_record.open_records.values())
        assert second in open_records
        assert first not in open_records
        recorder.end()
        assert second not in current_record.open_records.values()
        assert recorder.current_record() is None
        recorder.end()  # a second call finds nothing to end


def test_records_of_other_threads_stay_open() -> None:
    """The end of one response closes no other."""
    with recorder.isolated():
        record = recorder.begin()

        def serve() -> None:
            recorder.begin()
            recorder.end()

        thread = Thread(target=serve)
        thread.start()
        thread.join()
        assert record in current_record.open_records.values()
        assert recorder.current_record() is record


def test_a_part_is_known_by_kind_name_and_digest() -> None:
    """Parts of two kinds may have one name; a new digest is another part."""
    part = Part(kind="template", name="a.html", digest="1")
    assert part == Part(kind="template", name="a.html", digest="1")
    others = {
        Part(kind="setting", name="a.html", digest="1"),
        Part(kind="template", name="b.html", digest="1"),
        Part(kind="template", name="a.html", digest="2"),
    }
    assert part not in others
    assert part.log_table == "part:template"
