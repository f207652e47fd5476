"""The table of planted faults fits the code; with DEPTH=night each fault is planted and noticed."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from .fault import Fault, read_all_tables
from .run import check_tests_pass, copied_repository, is_noticed

FAULTS = read_all_tables()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.table}:{fault.file}")
def test_a_fault_can_be_planted(fault: Fault) -> None:
    """The text that a fault replaces occurs exactly once, and it names a test that exists."""
    assert fault.changed_text() != fault.old
    assert fault.tests, f"{fault} names no test"


def test_each_fault_is_listed_once() -> None:
    """No two rows make the same change."""
    changes = Counter((fault.file, fault.old, fault.new) for fault in FAULTS)
    assert [change for change, count in changes.items() if count > 1] == []


@pytest.mark.slow
@pytest.mark.timeout(4 * 60 * 60)
@pytest.mark.skipif(os.environ.get("DEPTH") != "night", reason="runs with DEPTH=night")
def test_every_fault_is_noticed() -> None:
    """Each planted fault makes one of its tests fail."""
    with copied_repository() as copy:
        check_tests_pass(FAULTS, copy)
        survivors = [str(fault) for fault in FAULTS if not is_noticed(fault, copy)]
    assert survivors == []
