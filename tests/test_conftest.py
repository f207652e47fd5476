from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .live.programs import ROOT

MODULE = """
import pytest

@pytest.fixture(scope="module")
def server(): return object()

@pytest.mark.parametrize("case", range(6))
def test_of_a_server(server, case): pass
"""


@pytest.mark.slow
@pytest.mark.ci
def test_one_process_runs_all_tests_of_a_server(tmp_path: Path) -> None:
    """With xdist the tests of a module that share a fixture form one group.

    xdist adds the group to the name of each test, so the two hooks must run in the right order.
    """
    for number in (1, 2):
        (tmp_path / f"test_server_{number}.py").write_text(MODULE)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    result = subprocess.run(
        [*command, "-v", "-n", "2", "--dist", "loadgroup", "-p", "tests.conftest"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    runs = re.findall(r"\[(gw\d)\] .* PASSED \S*(test_server_\d)", result.stdout)
    assert len(runs) == 12, result.stdout
    assert len(set(runs)) == 2, "each module has one process"


TEST = """
import pytest
from tests.live.programs import needs

def test_one(): needs("no-such-program", package="nothing")

def test_two(): pytest.skip("this database has no such thing")
"""


@pytest.mark.slow
@pytest.mark.ci
@pytest.mark.parametrize(("ci", "closing"), [("", "2 skipped"), ("true", "1 failed, 1 skipped")])
def test_in_ci_a_missing_part_is_a_failure(ci: str, closing: str, tmp_path: Path) -> None:
    """Elsewhere the test is skipped, and so is everywhere what does not apply."""
    (tmp_path / "test_parts.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), str(tmp_path)]
    ended = subprocess.run(
        [*command, "-p", "tests.conftest", "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert closing in ended.stdout.splitlines()[-1], ended.stdout
