from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .live.programs import ROOT

TEST = """
import pytest
from tests.live.programs import needs

def test_one(): needs("no-such-program", package="nothing")

def test_two(): pytest.skip("this database has no such thing")
"""


@pytest.mark.slow
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
