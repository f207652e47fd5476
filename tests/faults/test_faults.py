"""The table of planted faults fits the code; with DEPTH=night each fault is planted and noticed."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from .fault import Fault, read_all_tables
from .run import check_tests_pass, copied_repository, is_noticed

FAULTS = read_all_tables()


def find_problem(fault: Fault) -> str | None:
    """Return why a fault can't be planted, or None."""
    try:
        fault.changed_text()
    except (OSError, ValueError) as error:
        return f"{fault}: {error}"
    if fault.old == fault.new or not fault.tests:
        return f"{fault}: it changes nothing or names no test"
    return None


def test_every_fault_can_be_planted() -> None:
    """The text that a fault replaces occurs exactly once, and it names a test that exists."""
    assert [problem for fault in FAULTS if (problem := find_problem(fault))] == []


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
