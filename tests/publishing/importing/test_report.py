from __future__ import annotations

from collections import Counter

import pytest

from app.publishing.importing.report import MAX_GROUPS, Outcome, Report


def test_equal_remarks_are_one_line_with_three_files() -> None:
    """The line has the number of files, the reason, and where the first three are."""
    report = Report()
    for number in range(5):
        report.skip(f"{number}.md", 2, "is broken")
    assert "  5 × is broken (0.md:2, 1.md:2, 2.md:2, …)" in list(report.lines())


def test_control_characters_are_escaped() -> None:
    """A file name cannot change the terminal, add a line, or reverse the text."""
    report = Report()
    report.warn("a\x1b[2J\n\u202e\udc80.md", None, "é")
    assert list(report.lines())[1] == r"  a\x1b[2J\n\u202e\udc80.md: é"


def test_the_report_fits_a_screen_and_json_has_all() -> None:
    """Beyond the limit, the number of further reasons is printed; JSON holds every remark."""
    report = Report()
    for number in range(100):
        report.skip("a.md", None, f"reason {number}")
    assert len(list(report.lines())) == MAX_GROUPS + 3
    assert len(report.to_json()["skipped"]) == 100  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("counts", "only_skipped"),
    [
        ({}, False),
        ({Outcome.SKIPPED: 2}, True),
        ({Outcome.SKIPPED: 2, Outcome.UNCHANGED: 1}, False),
        ({Outcome.SKIPPED: 2, Outcome.IMPORTED: 1}, False),
    ],
)
def test_a_report_tells_whether_every_file_was_skipped(
    counts: dict[Outcome, int], only_skipped: bool
) -> None:
    """An unchanged file counts as imported, and an empty folder is no failure."""
    assert Report(counts=Counter(counts)).has_only_skipped_files is only_skipped
