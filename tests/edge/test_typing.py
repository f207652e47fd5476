"""Mypy accepts right uses of the public names, and reports wrong ones."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).parent / "typing_cases"
REPORTED = re.compile(r":(\d+): error: .*\[([a-z-]+)\]$")
EXPECTED = re.compile(r"# E: ([a-z -]+)$")


@pytest.fixture(scope="module")
def mypy_errors() -> dict[str, dict[int, set[str]]]:
    """The codes of the errors that mypy reports, by file and line."""
    files = sorted(CASES.glob("*_uses.py"))
    output = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-pretty", "--no-error-summary", *map(str, files)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert not output.stderr
    errors: dict[str, dict[int, set[str]]] = {file.name: defaultdict(set) for file in files}
    for line in output.stdout.splitlines():
        if match := REPORTED.search(line):
            errors[Path(line.partition(":")[0]).name][int(match[1])].add(match[2])
    return errors


def expected_errors(file: Path) -> dict[int, set[str]]:
    """Return the codes in the comments of a file, by line."""
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
    return {n: set(match[1].split()) for n, line in lines if (match := EXPECTED.search(line))}


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize("name", ["right_uses.py", "wrong_uses.py"])
def test_mypy_reports_exactly_the_marked_errors(
    mypy_errors: dict[str, dict[int, set[str]]], name: str
) -> None:
    """A marked view keeps its type, and a wrong argument is an error on its line."""
    assert dict(mypy_errors[name]) == expected_errors(CASES / name)
