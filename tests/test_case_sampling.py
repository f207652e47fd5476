"""At `DEPTH=fast` a run takes some cases of each long parametrised test, and all of them in turn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from .depth import choose_case_limit, choose_positions
from .live.programs import ROOT

TABLE = """
import pytest

@pytest.mark.parametrize("case", range(40))
def test_of_a_table(case): pass

@pytest.mark.slow
@pytest.mark.parametrize("case", range(40))
def test_that_is_slow(case): pass

@pytest.mark.parametrize("case", [pytest.param(n, marks=[pytest.mark.live] * (n < 3)) for n in range(9)])
def test_of_a_short_table(case): pass

def test_without_cases(): pass

@pytest.mark.ci
def test_that_runs_in_ci(): pass
"""
EVERY_CASE = 40 + 40 + 9 + 1 + 1


def collect_tests(folder: Path, *arguments: str, **variables: str) -> list[str]:
    """The node IDs that pytest collects in a folder with one file of tables."""
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = live\n    slow\n    ci\npythonpath = .")
    (folder / "test_table.py").write_text(TABLE)
    options = ("-p", "tests.case_sampling", "-p", "no:cacheprovider", "--collect-only", "-q")
    others = {name: value for name, value in os.environ.items() if name not in {"DEPTH", "CASES"}}
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=folder,
        env={**others, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return [line for line in result.stdout.splitlines() if line.startswith("test_table.py::")]


@pytest.mark.slow
@pytest.mark.ci
def test_a_run_of_folders_takes_some_cases(tmp_path: Path) -> None:
    """12 cases of a long table, 4 of a slow one, all of a short one, and no test marked `ci`.

    The same seed chooses the same cases.
    """
    tests = collect_tests(tmp_path, ".", SEED="1")
    assert len(tests) == 12 + 4 + 9 + 1
    assert tests == collect_tests(tmp_path, SEED="1")
    assert tests != collect_tests(tmp_path, SEED="2")


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        pytest.param(["test_table.py"], {}, id="a file"),
        pytest.param(["-k", "test"], {}, id="words"),
        pytest.param(["."], {"CASES": "all"}, id="CASES=all"),
        pytest.param([], {"DEPTH": "ci"}, id="DEPTH=ci"),
    ],
)
def test_a_chosen_part_and_ci_run_every_case(
    arguments: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    """A file, words for -k, CASES=all and DEPTH=ci leave out no case."""
    assert len(collect_tests(tmp_path, *arguments, **variables)) == EVERY_CASE


@pytest.mark.slow
@pytest.mark.ci
def test_a_node_id_runs_its_case(tmp_path: Path) -> None:
    """The node ID of a failed case runs that case, with every seed."""
    nodes = [f"test_table.py::test_that_is_slow[{case}]" for case in range(40)]
    assert collect_tests(tmp_path, *nodes) == nodes


@pytest.mark.parametrize("count", [1, 11, 12, 13, 24, 100, 897])
def test_cases_are_spread_over_the_table(count: int) -> None:
    """Each twelfth of a table gives one case; a table of at most twelve runs whole."""
    positions = choose_positions(count, most=12, random=Random(count))
    parts = min(count, 12)
    assert len(positions) == parts
    for part, position in enumerate(positions):
        assert part * count // parts <= position < (part + 1) * count // parts


def test_repeated_runs_reach_every_case() -> None:
    """Over many seeds each case of a table is chosen, the first and the last too."""
    runs = [choose_positions(50, most=12, random=Random(seed)) for seed in range(200)]
    assert {position for positions in runs for position in positions} == set(range(50))


@pytest.mark.parametrize(
    ("depth", "value", "limit"),
    [
        ("fast", "", 12),
        ("fast", "30", 30),
        ("fast", "all", None),
        ("ci", "", None),
        ("ci", "5", 5),
        ("night", "", None),
    ],
)
def test_only_a_fast_run_has_a_limit(depth: str, value: str, limit: int | None) -> None:
    """CI and the night run every case, unless CASES names a number."""
    assert choose_case_limit(depth, value) == limit
